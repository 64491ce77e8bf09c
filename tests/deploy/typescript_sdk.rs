//! Cloudflare's TypeScript SDK as a client of the deploy API: `typescript_sdk.mjs` makes its calls.

use anyhow::{Context, Result, ensure};
use dotdo_names::Environment::Staging;
use end_to_end::Command;
use serde_json::{Value, json};

use crate::platforms::{platform, served, text};

const SOURCE: &str = "export default { fetch(request, env) { return Response.json(env); } };";

/// One call of the SDK: its result, or the status and the codes of its error.
async fn sdk(token: &str, arguments: &[&str], metadata: &Value) -> Result<Value> {
    let platform = platform();
    let mut all = vec!["tests/deploy/typescript_sdk.mjs"];
    all.extend(arguments);
    let finished = Command::node(&all)
        .variable("BASE_URL", platform.base_url())
        .variable("TOKEN", token)
        .variable("ACCOUNT", platform.account())
        .variable("NAMESPACE", Staging.namespace())
        .variable("SOURCE", SOURCE)
        .variable("METADATA", &metadata.to_string())
        .run()
        .await?;
    ensure!(finished.succeeded, "{arguments:?}: {}", finished.errors);
    serde_json::from_str(&finished.output)
        .with_context(|| format!("{arguments:?} printed {}", finished.output))
}

async fn read(call: &str, worker: &str) -> Result<Value> {
    sdk(platform().token(), &[call, worker], &Value::Null).await
}

fn metadata() -> Value {
    json!({
        "main_module": "index.js",
        "compatibility_date": "2026-10-19",
        "compatibility_flags": ["nodejs_compat"],
        "bindings": [
            { "type": "plain_text", "name": "MODE", "text": "true" },
            { "type": "secret_text", "name": "KEY", "text": "of the SDK" },
        ],
        "observability": { "enabled": true, "head_sampling_rate": 0.5 },
        "tags": ["team:agents", "sdk"],
    })
}

/// A token of a new subject with some actions on one Worker in staging.
async fn token_for(subject: &str, worker: &str, actions: &[&str]) -> Result<String> {
    let api = platform().deploy_api();
    let grant = json!({ "namespaces": [Staging.namespace()], "workers": [worker], "actions": actions });
    let mut rule = grant.clone();
    rule["name"] = json!(subject);
    rule["who"] = json!({ "token": subject });
    api.allow(rule).await?;
    let expires = jiff::Timestamp::now() + jiff::SignedDuration::from_hours(1);
    api.make_token(subject, &json!([grant]), &expires.to_string())
        .await
}

#[end_to_end::test]
async fn the_sdk_deploys_reads_and_deletes_a_worker() -> Result<()> {
    let platform = platform();
    let worker = "of-sdk";
    let deployed = sdk(platform.token(), &["deploy", worker], &metadata()).await?;
    assert_eq!(deployed["id"], worker, "{deployed}");
    assert_eq!(
        text(platform, Staging, worker).await?,
        r#"{"MODE":"true","KEY":"of the SDK"}"#
    );
    let deployments = platform.deploy_api().deployments(Staging, worker).await?;
    assert_eq!(deployments.len(), 1);
    assert_eq!(deployments[0]["id"], deployed["deployment_id"]);
    assert_eq!(deployments[0]["tags"], json!(["team:agents", "sdk"]));

    let script = read("get", worker).await?;
    assert_eq!(
        script["script"]["tags"],
        json!(["team:agents", "sdk"]),
        "{script}"
    );
    let settings = read("settings", worker).await?;
    assert_eq!(settings["tags"], json!(["team:agents", "sdk"]), "{settings}");
    assert_eq!(settings["compatibility_date"], "2026-10-19");
    assert_eq!(settings["compatibility_flags"], json!(["nodejs_compat"]));
    assert_eq!(
        settings["observability"],
        json!({ "enabled": true, "head_sampling_rate": 0.5 })
    );
    let bindings = json!([
        { "type": "plain_text", "name": "MODE", "text": "true" },
        { "type": "secret_text", "name": "KEY" },
    ]);
    assert_eq!(settings["bindings"], bindings);
    assert_eq!(read("bindings", worker).await?, bindings);
    assert_eq!(read("tags", worker).await?, json!(["team:agents", "sdk"]));
    assert_eq!(
        read("secrets", worker).await?,
        json!([{ "type": "secret_text", "name": "KEY" }])
    );

    assert_eq!(read("delete", worker).await?, Value::Null);
    assert_eq!(served(platform, Staging, worker).await?.status, 404);
    let entries = platform
        .deploy_api()
        .audit(&format!("worker={worker}&verb=delete"))
        .await?;
    let outcomes: Vec<_> = entries.iter().map(|entry| &entry["outcome"]).collect();
    assert_eq!(outcomes, ["intent", "succeeded"]);
    for call in [
        "get",
        "settings",
        "bindings",
        "tags",
        "secrets",
        "delete",
        "delete-forced",
    ] {
        let absent = json!({ "status": 404, "codes": [10092] });
        assert_eq!(read(call, worker).await?, absent, "{call}");
    }
    Ok(())
}

#[end_to_end::test]
async fn a_module_of_the_sdk_can_be_named_by_its_path() -> Result<()> {
    let platform = platform();
    let worker = "of-sdk-path";
    let mut metadata = metadata();
    metadata["main_module"] = json!("lib/index.js");
    let deployed = sdk(platform.token(), &["deploy-by-path", worker], &metadata).await?;
    assert_eq!(deployed["id"], worker, "{deployed}");
    assert!(text(platform, Staging, worker).await?.contains("of the SDK"));
    Ok(())
}

#[end_to_end::test]
async fn a_deploy_of_the_sdk_is_rolled_back_with_its_bindings() -> Result<()> {
    let platform = platform();
    let worker = "of-sdk-rollback";
    sdk(platform.token(), &["deploy", worker], &metadata()).await?;
    let mut second = metadata();
    second["bindings"][0]["text"] = json!("second");
    sdk(platform.token(), &["deploy", worker], &second).await?;
    assert!(text(platform, Staging, worker).await?.contains("second"));
    let path = format!("{}/rollback", end_to_end::worker_path(Staging, worker));
    platform.deploy_api().post(&path, &json!({})).await?;
    assert_eq!(
        text(platform, Staging, worker).await?,
        r#"{"MODE":"true","KEY":"of the SDK"}"#
    );
    Ok(())
}

#[end_to_end::test]
async fn the_actions_of_the_policy_limit_the_sdk() -> Result<()> {
    let platform = platform();
    let worker = "of-sdk-policy";
    sdk(platform.token(), &["deploy", worker], &metadata()).await?;
    let denied = |answer: &Value| answer["status"] == 403 && answer["codes"] == json!([740_103]);
    for (action, allowed) in [
        ("read", &["get", "settings", "bindings", "tags", "secrets"][..]),
        (
            "deploy",
            &["get", "settings", "bindings", "tags", "secrets", "deploy"],
        ),
        ("delete", &["delete"]),
    ] {
        let token = token_for(&format!("{worker}-{action}"), worker, &[action]).await?;
        for call in [
            "get", "settings", "bindings", "tags", "secrets", "deploy", "delete",
        ] {
            let answer = sdk(&token, &[call, worker], &metadata()).await?;
            let is_denied = denied(&answer);
            assert_eq!(
                is_denied,
                !allowed.contains(&call),
                "{call} with {action}: {answer}"
            );
            assert!(
                is_denied || answer.get("codes").is_none(),
                "{call} with {action}: {answer}"
            );
        }
    }
    Ok(())
}
