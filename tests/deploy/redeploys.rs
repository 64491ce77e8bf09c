//! Rollback, promotion and deletion: the changes of a Worker by calls of `/v1`. The first two redeploy a stored bundle.

use anyhow::Result;
use dotdo_names::Environment::{Development, Production, Staging};
use end_to_end::{Project, Script, worker_path, wrangler::Version};
use reqwest::Method;
use serde_json::json;

use crate::platforms::{host, platform, served, text};

#[end_to_end::test]
async fn a_rollback_serves_the_earlier_bundle() -> Result<()> {
    let platform = platform();
    let api = platform.deploy_api();
    let path = worker_path(Production, "returning");
    let first = Project::new("returning")?;
    first.deploy(platform, Version::V4_152, Production).await?;
    // The second has other code, another variable and another module.
    Project::new("returning")?
        .version("2")?
        .file("more.txt", "more")?
        .file(
            "index.js",
            "import more from \"./more.txt\";
            export default { fetch(request, env) { return new Response(env.VERSION + more); } };",
        )?
        .deploy(platform, Version::V4_86, Production)
        .await?;
    assert_eq!(text(platform, Production, "returning").await?, "2more");

    let back = api.post(&format!("{path}/rollback"), &json!({})).await?;
    assert_eq!(back["verb"], "rollback", "{back}");
    assert_eq!(back["state"], "succeeded", "{back}");
    assert_eq!(text(platform, Production, "returning").await?, "1");

    let deployments = api.deployments(Production, "returning").await?;
    assert_eq!(deployments.len(), 3, "a rollback is a separate deployment");
    assert_eq!(deployments[0]["id"], back["id"]);
    assert_eq!(deployments[0]["source"], deployments[2]["id"]);
    assert_eq!(
        deployments[0]["bundle"]["digest"], deployments[2]["bundle"]["digest"],
        "a rollback deploys the same bytes"
    );

    // A rollback to a given deployment.
    let second = deployments[1]["id"].clone();
    api.post(&format!("{path}/rollback"), &json!({ "deployment": second }))
        .await?;
    assert_eq!(text(platform, Production, "returning").await?, "2more");
    Ok(())
}

#[end_to_end::test]
async fn a_rollback_restores_static_assets() -> Result<()> {
    let platform = platform();
    let project = Project::new("leaflets")?
        .file("public/index.html", "<h1>first</h1>")?
        .setting("assets", json!({ "directory": "public" }))?;
    project.deploy(platform, Version::V4_152, Staging).await?;
    let project = project.file("public/index.html", "<h1>second</h1>")?;
    project.deploy(platform, Version::V4_152, Staging).await?;
    let page = async || platform.get(&host(Staging, "leaflets"), "/").await;
    assert_eq!(page().await?.text(), "<h1>second</h1>");
    let path = format!("{}/rollback", worker_path(Staging, "leaflets"));
    platform.deploy_api().post(&path, &json!({})).await?;
    assert_eq!(page().await?.text(), "<h1>first</h1>");
    Ok(())
}

#[end_to_end::test]
async fn rejects_an_impossible_rollback_and_changes_nothing() -> Result<()> {
    let platform = platform();
    let api = platform.deploy_api();
    platform
        .deploy(Staging, "only-one", &Script::answering("one"))
        .await?;
    let path = format!("{}/rollback", worker_path(Staging, "only-one"));
    let none = api.send(Method::POST, &path, Some(&json!({}))).await?;
    assert_eq!(none.status, 409, "{}", none.text());
    assert_eq!(none.json()["code"], "ROLLBACK_IMPOSSIBLE");
    for id in ["nonsense", "../../x"] {
        let unknown = api
            .send(Method::POST, &path, Some(&json!({ "deployment": id })))
            .await?;
        assert_eq!(unknown.status, 404, "{}", unknown.text());
        assert_eq!(unknown.json()["code"], "DEPLOYMENT_UNKNOWN");
    }
    assert_eq!(text(platform, Staging, "only-one").await?, "one");
    Ok(())
}

#[end_to_end::test]
async fn a_rollback_keeps_secrets() -> Result<()> {
    let platform = platform();
    let api = platform.deploy_api();
    let script = |version: &str| {
        Script::module(
            "export default { fetch(request, env) { return new Response(`${env.VERSION} ${env.KEY}`); } };",
        )
        .with_text("VERSION", version)
        .with_binding(json!({ "type": "secret_text", "name": "KEY", "text": "kept" }))
    };
    platform.deploy(Staging, "trusted", &script("1")).await?;
    platform.deploy(Staging, "trusted", &script("2")).await?;
    let path = format!("{}/rollback", worker_path(Staging, "trusted"));
    api.post(&path, &json!({})).await?;
    assert_eq!(text(platform, Staging, "trusted").await?, "1 kept");
    Ok(())
}

#[end_to_end::test]
async fn a_promotion_deploys_the_same_bundle_to_the_next_environment() -> Result<()> {
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
        let body = json!({ "to": to.namespace(), "variables": "copy_new" });
        let promoted = api.post(&path, &body).await?;
        assert_eq!(promoted["verb"], "promote", "{promoted}");
        assert_eq!(text(platform, to, "climbing").await?, "promoted");
        let source = api.deployments(from, "climbing").await?;
        let promoted = api.deployments(to, "climbing").await?;
        assert_eq!(promoted[0]["source"], source[0]["id"]);
        assert_eq!(promoted[0]["bundle"]["digest"], source[0]["bundle"]["digest"]);
    }
    Ok(())
}

#[end_to_end::test]
async fn a_promotion_requires_the_secrets_that_are_missing() -> Result<()> {
    let platform = platform();
    let api = platform.deploy_api();
    let script = Script::module("export default { fetch(request, env) { return new Response(env.KEY); } };")
        .with_binding(json!({ "type": "secret_text", "name": "KEY", "text": "of development" }));
    platform.deploy(Development, "discreet", &script).await?;
    let path = format!("{}/promote", worker_path(Development, "discreet"));
    let body = json!({ "to": Staging.namespace() });
    let rejected = api.send(Method::POST, &path, Some(&body)).await?;
    assert_eq!(rejected.status, 409, "{}", rejected.text());
    assert_eq!(rejected.json()["code"], "SECRETS_MISSING");
    assert!(rejected.text().contains("KEY"), "{}", rejected.text());
    assert!(!rejected.text().contains("of development"), "{}", rejected.text());
    let body = json!({ "to": Staging.namespace(), "secrets": { "KEY": "of staging" } });
    api.post(&path, &body).await?;
    assert_eq!(text(platform, Staging, "discreet").await?, "of staging");
    Ok(())
}

#[end_to_end::test]
async fn a_deletion_removes_the_worker_and_keeps_its_records() -> Result<()> {
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

    // An earlier deployment can be redeployed.
    let deployments = api.deployments(Staging, "fleeting").await?;
    api.post(
        &format!("{path}/rollback"),
        &json!({ "deployment": deployments[0]["id"] }),
    )
    .await?;
    assert_eq!(text(platform, Staging, "fleeting").await?, "here");
    Ok(())
}
