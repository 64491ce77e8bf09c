//! Whether what is on record is there, and is reached; and the probe that every deployment must pass.

use anyhow::Result;
use dotdo_names::Environment::{Development, Staging};
use end_to_end::{Project, Script, worker_path, wrangler::Version};
use reqwest::Method;
use serde_json::json;

use crate::platforms::{platform, text};

/// Answers `/health` with a status, and everything else with a text.
fn healthy(text: &str, status: u16) -> String {
    format!(
        "export default {{ fetch(request) {{
            const is_health = new URL(request.url).pathname === '/health';
            return new Response('{text}', {{ status: is_health ? {status} : 200 }});
        }} }};"
    )
}

#[tokio::test]
async fn a_worker_is_verified_through_the_dispatch_worker() -> Result<()> {
    let platform = platform();
    let api = platform.deploy_api();
    let path = format!("{}/verify", worker_path(Staging, "proven"));
    let verify = async |query: &str| api.call(Method::POST, &format!("{path}{query}"), None).await;
    let before = verify("").await?;
    assert_eq!(before["verified"], false, "{before}");
    platform
        .deploy(Staging, "proven", &Script::module(&healthy("ok", 203)))
        .await?;
    for (query, verified) in [
        ("", true),
        ("?probe=/health&expect=203", true),
        ("?probe=/health&expect=200", false),
        ("?probe=/other&expect=200", true),
    ] {
        let answer = verify(query).await?;
        assert_eq!(answer["verified"], verified, "{query}: {answer}");
    }
    Ok(())
}

#[tokio::test]
async fn a_failed_probe_rolls_back_by_itself_and_says_so() -> Result<()> {
    let platform = platform();
    let api = platform.deploy_api();
    let path = worker_path(Development, "guarded");
    let project = Project::new("guarded")?.file("index.js", healthy("good", 200))?;
    project.deploy(platform, Version::V4_152, Development).await?;
    let probe = json!({ "path": "/health", "expect": 200 });
    api.call(Method::PUT, &format!("{path}/probe"), Some(&probe))
        .await?;

    let project = project.file("index.js", healthy("bad", 500))?;
    let run = project
        .wrangler(
            platform,
            Version::V4_152,
            &["deploy", "--dispatch-namespace", Development.namespace()],
        )
        .await?
        .failure()?;
    assert!(run.output.contains("[code: 740156]"), "{}", run.output);
    assert_eq!(text(platform, Development, "guarded").await?, "good");
    let deployments = api.deployments(Development, "guarded").await?;
    let states: Vec<_> = deployments
        .iter()
        .map(|deployment| (&deployment["verb"], &deployment["state"]))
        .collect();
    assert!(
        states.contains(&(&json!("deploy"), &json!("rolled_back"))),
        "{states:?}"
    );
    let entries = api
        .audit("namespace=dotdo-development&worker=guarded&outcome=rolled_back")
        .await?;
    assert_eq!(entries.len(), 1, "{entries:?}");

    let project = project.file("index.js", healthy("better", 200))?;
    project.deploy(platform, Version::V4_152, Development).await?;
    assert_eq!(text(platform, Development, "guarded").await?, "better");
    Ok(())
}
