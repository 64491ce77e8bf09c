//! The `limits` and `outbound` of a rule are the third argument of the namespace's `get`.

use anyhow::Result;
use dotdo_names::Environment;
use end_to_end::{Answer, Platform, Script};
use reqwest::Method;
use serde_json::{Value, json};

use crate::platforms;

/// The arguments of the last call of `get` for a script.
async fn last_dispatch(platform: &Platform, script: &str) -> Result<Value> {
    let namespace = Environment::Production.namespace();
    let path = format!("/client/v4/local/dispatches?namespace={namespace}&script={script}");
    let answer = Answer::read(platform.api(Method::GET, &path).send().await?).await?;
    Ok(answer.json()["result"][0].clone())
}

#[end_to_end::test]
async fn limits_and_outbound_parameters_of_a_rule_are_passed_to_get() -> Result<()> {
    let platform = platforms::standard();
    platform
        .deploy(Environment::Production, "limited", &Script::answering("limited"))
        .await?;
    for (host, limits, outbound) in [
        (
            "limited.rules.example",
            json!({ "cpuMs": 50, "subRequests": 5 }),
            json!({ "tenant": "acme", "nested": [1, null] }),
        ),
        ("cpu.rules.example", json!({ "cpuMs": 10 }), Value::Null),
        ("outbound.rules.example", Value::Null, json!({ "tenant": "b" })),
        ("limited.do", Value::Null, Value::Null),
    ] {
        assert_eq!(platform.get(host, "/").await?.text(), "limited", "{host}");
        let dispatch = last_dispatch(platform, "limited").await?;
        assert_eq!(dispatch["limits"], limits, "{host}: {dispatch}");
        assert_eq!(dispatch["outbound"], outbound, "{host}: {dispatch}");
        // The second argument is for props, which the dispatch Worker does not use. Public examples pass `{}`.
        assert!(
            dispatch["args"].is_null() || dispatch["args"] == json!({}),
            "{dispatch}"
        );
    }
    Ok(())
}
