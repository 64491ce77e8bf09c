//! The same bytes from development to staging to production.

use anyhow::Result;
use dotdo_names::Environment::{Development, Production, Staging};
use end_to_end::{Project, Script, worker_path, wrangler::Version};
use reqwest::Method;
use serde_json::json;

use crate::platforms::{platform, served, text};

#[end_to_end::test]
async fn one_bundle_goes_through_the_environments() -> Result<()> {
    let platform = platform();
    let api = platform.deploy_api();
    Project::new("climbing")?
        .version("promoted")?
        .deploy(platform, Version::V4_152, Development)
        .await?;
    for (from, to) in [(Development, Staging), (Staging, Production)] {
        assert_eq!(
            served(platform, to, "climbing").await?.header("x-dispatch-error"),
            "WORKER_NOT_DEPLOYED"
        );
        let path = format!("{}/promote", worker_path(from, "climbing"));
        let promoted = api.post(&path, &json!({ "to": to.namespace() })).await?;
        assert_eq!(promoted["verb"], "promote", "{promoted}");
        assert_eq!(text(platform, to, "climbing").await?, "promoted");
        let source = api.deployments(from, "climbing").await?;
        let shipped = api.deployments(to, "climbing").await?;
        assert_eq!(shipped[0]["source"], source[0]["id"]);
        assert_eq!(shipped[0]["bundle"]["digest"], source[0]["bundle"]["digest"]);
    }
    Ok(())
}

#[end_to_end::test]
async fn a_secret_that_is_missing_there_is_named_and_can_be_given() -> Result<()> {
    let platform = platform();
    let api = platform.deploy_api();
    let script = Script::module("export default { fetch(request, env) { return new Response(env.KEY); } };")
        .with_binding(json!({ "type": "secret_text", "name": "KEY", "text": "of development" }));
    platform.deploy(Development, "discreet", &script).await?;
    let path = format!("{}/promote", worker_path(Development, "discreet"));
    let body = json!({ "to": Staging.namespace() });
    let refused = api.send(Method::POST, &path, Some(&body)).await?;
    assert_eq!(refused.status, 409, "{}", refused.text());
    assert_eq!(refused.json()["code"], "SECRETS_MISSING");
    assert!(refused.text().contains("KEY"), "{}", refused.text());
    assert!(!refused.text().contains("of development"), "{}", refused.text());
    let body = json!({ "to": Staging.namespace(), "secrets": { "KEY": "of staging" } });
    api.post(&path, &body).await?;
    assert_eq!(text(platform, Staging, "discreet").await?, "of staging");
    Ok(())
}
