//! The three namespaces of the account.

use anyhow::Result;
use dotdo_names::Environment;
use end_to_end::{Platform, Script};
use reqwest::Method;
use serde_json::json;

use crate::envelope::{call, error, result};

const NAMESPACES: &str = "/workers/dispatch/namespaces";

#[end_to_end::test]
async fn lists_and_shows_the_namespaces_with_their_real_ids() -> Result<()> {
    let platform = Platform::shared();
    platform
        .deploy(Environment::Staging, "counted", &Script::answering("counted"))
        .await?;
    let list = result(&call(platform, Method::GET, NAMESPACES, None).await?)?;
    assert_eq!(list.as_array().map(Vec::len), Some(Environment::ALL.len()));
    for environment in Environment::ALL {
        let path = format!("{NAMESPACES}/{}", environment.namespace());
        let one = result(&call(platform, Method::GET, &path, None).await?)?;
        assert_eq!(one["namespace_name"], environment.namespace());
        assert_eq!(one["namespace_id"], environment.namespace_id());
        assert_eq!(one["trusted_workers"], true);
        for member in ["created_on", "modified_on"] {
            assert!(one[member].is_string(), "{one}");
        }
        let listed = list
            .as_array()
            .into_iter()
            .flatten()
            .any(|namespace| namespace["namespace_id"] == environment.namespace_id());
        assert!(listed, "{environment}: {list}");
        if environment == Environment::Staging {
            assert!(one["script_count"].as_u64() >= Some(1), "{one}");
        }
    }
    Ok(())
}

#[end_to_end::test]
async fn rejects_changes_of_the_namespaces() -> Result<()> {
    let platform = Platform::shared();
    let production = format!("{NAMESPACES}/{}", Environment::Production.namespace());
    for (method, path) in [
        (Method::POST, NAMESPACES),
        (Method::PUT, production.as_str()),
        (Method::DELETE, production.as_str()),
    ] {
        let answer = call(platform, method.clone(), path, Some(json!({ "name": "x" }))).await?;
        let (_, message) = error(&answer)?;
        assert_eq!(answer.status, 403, "{method}");
        assert!(message.contains("--reset"), "{message}");
    }
    let unknown = call(platform, Method::GET, &format!("{NAMESPACES}/other"), None).await?;
    assert_eq!(unknown.status, 404);
    assert!(error(&unknown)?.1.contains(Environment::Production.namespace()));
    Ok(())
}
