//! Secrets that the wrangler configuration requires with `secrets.required`.

use anyhow::Result;
use dotdo_names::Environment::{Development, Production, Staging};
use end_to_end::{Project, worker_path, wrangler::Version};
use reqwest::Method;
use serde_json::json;

use crate::platforms::{platform, text};

fn project(name: &str) -> Result<Project> {
    Project::new(name)?
        .file(
            "index.js",
            "export default { fetch(request, env) { return new Response(`${env.VERSION} ${env.KEY}`); } };",
        )?
        .file("secrets.json", json!({ "KEY": "of development" }).to_string())
}

#[end_to_end::test]
async fn wrangler_names_a_required_secret_that_is_missing() -> Result<()> {
    let platform = platform();
    let project = project("requiring")?;
    project.deploy(platform, Version::V4_152, Staging).await?;
    let project = project
        .version("2")?
        .setting("secrets", json!({ "required": ["KEY"] }))?;
    let deploy = ["deploy", "--dispatch-namespace", Staging.namespace()];
    let run = project
        .wrangler(platform, Version::V4_152, &deploy)
        .await?
        .failure()?;
    assert!(
        run.output
            .contains("The following required secrets have not been set: KEY"),
        "{}",
        run.output
    );
    assert_eq!(text(platform, Staging, "requiring").await?, "1 undefined");
    Ok(())
}

#[end_to_end::test]
async fn a_promotion_needs_the_required_secrets() -> Result<()> {
    let platform = platform();
    let api = platform.deploy_api();
    let project = project("required")?;
    let deploy = ["deploy", "--dispatch-namespace", Development.namespace()];
    let with_secret = [&deploy[..], &["--secrets-file", "secrets.json"]].concat();
    project
        .wrangler(platform, Version::V4_152, &with_secret)
        .await?
        .success()?;
    // wrangler sends the secret as a binding that the Worker inherits.
    project
        .version("2")?
        .setting("secrets", json!({ "required": ["KEY"] }))?
        .deploy(platform, Version::V4_152, Development)
        .await?;
    assert_eq!(text(platform, Development, "required").await?, "2 of development");

    let path = format!("{}/promote", worker_path(Development, "required"));
    let body = json!({ "to": Production.namespace(), "variables": "copy_new" });
    let rejected = api.send(Method::POST, &path, Some(&body)).await?;
    assert_eq!(rejected.status, 409, "{}", rejected.text());
    assert_eq!(rejected.json()["code"], "SECRETS_MISSING");
    assert!(rejected.text().contains("KEY"), "{}", rejected.text());

    let with_secret = json!({
        "to": Production.namespace(), "variables": "copy_new", "secrets": { "KEY": "of production" }
    });
    api.post(&path, &with_secret).await?;
    assert_eq!(text(platform, Production, "required").await?, "2 of production");
    // The secret is set now.
    api.post(&path, &body).await?;
    assert_eq!(text(platform, Production, "required").await?, "2 of production");
    Ok(())
}
