//! An earlier deployment's very bytes again.

use anyhow::Result;
use dotdo_names::Environment::{Production, Staging};
use end_to_end::{Project, Script, worker_path, wrangler::Version};
use reqwest::Method;
use serde_json::json;

use crate::platforms::{host, platform, text};

#[end_to_end::test]
async fn a_roll_back_serves_the_bytes_of_before() -> Result<()> {
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
    assert_eq!(deployments.len(), 3, "a rollback is a deployment of its own");
    assert_eq!(deployments[0]["id"], back["id"]);
    assert_eq!(deployments[0]["source"], deployments[2]["id"]);
    assert_eq!(
        deployments[0]["bundle"]["digest"], deployments[2]["bundle"]["digest"],
        "the very bytes"
    );

    // To a named one.
    let second = deployments[1]["id"].clone();
    api.post(&format!("{path}/rollback"), &json!({ "deployment": second }))
        .await?;
    assert_eq!(text(platform, Production, "returning").await?, "2more");
    Ok(())
}

#[end_to_end::test]
async fn a_roll_back_brings_static_assets_back() -> Result<()> {
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
async fn what_cannot_be_rolled_back_to_is_refused_and_nothing_changes() -> Result<()> {
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
async fn secrets_survive_a_roll_back() -> Result<()> {
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
