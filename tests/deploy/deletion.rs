//! The end of a Worker, by this API's own call.

use anyhow::Result;
use dotdo_names::Environment::{Production, Staging};
use end_to_end::{Script, worker_path};
use reqwest::Method;
use serde_json::json;

use crate::platforms::{platform, served, text};

#[end_to_end::test]
async fn a_deleted_worker_is_gone_and_its_record_stays() -> Result<()> {
    let platform = platform();
    let api = platform.deploy_api();
    for environment in [Production, Staging] {
        platform
            .deploy(environment, "fleeting", &Script::answering("here"))
            .await?;
    }
    let path = worker_path(Staging, "fleeting");
    api.call(Method::DELETE, &path, None).await?;
    assert_eq!(
        served(platform, Staging, "fleeting")
            .await?
            .header("x-dispatch-error"),
        "WORKER_NOT_DEPLOYED"
    );
    assert_eq!(text(platform, Production, "fleeting").await?, "here");
    assert_eq!(api.deployments(Staging, "fleeting").await?.len(), 1);
    let again = api.send(Method::DELETE, &path, None).await?;
    assert_eq!(again.status, 404, "{}", again.text());
    assert_eq!(again.json()["code"], "WORKER_UNKNOWN");
    let entries = api
        .audit("namespace=dotdo-staging&worker=fleeting&verb=delete")
        .await?;
    let outcomes: Vec<_> = entries.iter().map(|entry| &entry["outcome"]).collect();
    assert_eq!(
        outcomes[..2],
        [&json!("intent"), &json!("succeeded")],
        "{entries:?}"
    );

    // What was deployed can be shipped again.
    let deployments = api.deployments(Staging, "fleeting").await?;
    api.post(
        &format!("{path}/rollback"),
        &json!({ "deployment": deployments[0]["id"] }),
    )
    .await?;
    assert_eq!(text(platform, Staging, "fleeting").await?, "here");
    Ok(())
}
