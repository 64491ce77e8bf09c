//! Lists of records: their time filters and cursors, and the health of the database.

use anyhow::Result;
use dotdo_names::Environment::{Production, Staging};
use end_to_end::Script;
use reqwest::Method;
use serde_json::Value;

use crate::platforms::platform;

fn namespaces(deployments: &[Value]) -> Vec<&str> {
    deployments
        .iter()
        .filter_map(|deployment| deployment["namespace"].as_str())
        .collect()
}

#[end_to_end::test]
async fn the_recent_deployments_of_all_namespaces_are_one_list() -> Result<()> {
    let platform = platform();
    let worker = "of-recent";
    let script = Script::answering("1");
    for namespace in [Staging, Production] {
        platform.deploy(namespace, worker, &script).await?;
    }
    let api = platform.deploy_api();
    let recent = api
        .all(&format!("/v1/deployments?since=1h&worker={worker}"))
        .await?;
    assert_eq!(
        namespaces(&recent),
        ["dotdo-production", "dotdo-staging"],
        "{recent:?}"
    );
    for deployment in &recent {
        assert!(deployment["size"].as_u64() > Some(0), "{deployment}");
        assert!(deployment["milliseconds"].is_u64(), "{deployment}");
        assert_eq!(deployment["serving"], true, "{deployment}");
    }
    for (query, expected) in [
        ("namespace=dotdo-staging", 1),
        ("until=9999-12-31T23:59:59Z", 2),
        ("until=1h", 0),
        ("since=2026-01-01", 2),
    ] {
        let found = api
            .all(&format!("/v1/deployments?worker={worker}&{query}"))
            .await?;
        assert_eq!(found.len(), expected, "{query}: {found:?}");
    }
    Ok(())
}

#[end_to_end::test]
async fn unknown_cursors_times_and_parameters_are_invalid_in_every_list() -> Result<()> {
    let api = platform().deploy_api();
    let namespace = "/v1/namespaces/dotdo-staging";
    for path in [
        format!("{namespace}/workers?cursor=hello"),
        format!("{namespace}/deployments?cursor=hello"),
        format!("{namespace}/workers/of-recent/deployments?cursor=hello"),
        "/v1/deployments?cursor=hello".to_owned(),
        "/v1/audit?cursor=hello".to_owned(),
        "/v1/audit?since=yesterday".to_owned(),
        "/v1/deployments?surprise=1".to_owned(),
    ] {
        let answer = api.send(Method::GET, &path, None).await?;
        assert_eq!(answer.status, 400, "{path}: {}", answer.text());
        assert_eq!(answer.json()["code"], "PARAMETER_INVALID", "{path}");
    }
    Ok(())
}

#[end_to_end::test]
async fn health_shows_an_administrator_the_size_of_the_database() -> Result<()> {
    let platform = platform();
    let administrator = platform.deploy_api_as(&platform.secret("bootstrap_token")?);
    let health = administrator.get("/v1/health").await?;
    let database = &health["database"];
    assert!(database["bytes"].as_u64() > Some(0), "{health}");
    assert!(
        database["bytes"].as_u64() < database["limit"].as_u64(),
        "{health}"
    );
    Ok(())
}
