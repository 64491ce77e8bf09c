//! Verification of a deployed Worker through the dispatch Worker, and the health check that every deployment must pass.

use anyhow::Result;
use dotdo_names::Environment::{Development, Staging};
use end_to_end::{Project, Script, relay::Fault, until, worker_path, wrangler::Version};
use reqwest::Method;
use serde_json::json;

use crate::platforms::{behind_relay, platform, put, text};

/// A Worker that responds to `/health` with a status, and to other paths with 200.
fn healthy(text: &str, status: u16) -> String {
    format!(
        "export default {{ fetch(request) {{
            const is_health = new URL(request.url).pathname === '/health';
            return new Response('{text}', {{ status: is_health ? {status} : 200 }});
        }} }};"
    )
}

#[end_to_end::test]
async fn verifies_a_worker_through_the_dispatch_worker() -> Result<()> {
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
        ("?path=/health&expect=203", true),
        ("?path=/health&expect=200", false),
        ("?path=/other&expect=200", true),
    ] {
        let answer = verify(query).await?;
        assert_eq!(answer["verified"], verified, "{query}: {answer}");
    }
    Ok(())
}

#[end_to_end::test]
async fn a_failed_health_check_rolls_back() -> Result<()> {
    let platform = platform();
    let api = platform.deploy_api();
    let path = worker_path(Development, "guarded");
    let project = Project::new("guarded")?.file("index.js", healthy("good", 200))?;
    project.deploy(platform, Version::V4_152, Development).await?;
    let health_check = json!({ "path": "/health", "expect": 200 });
    api.call(Method::PUT, &format!("{path}/health-check"), Some(&health_check))
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

#[end_to_end::test]
async fn reconciler_checks_the_health_of_a_deploy_whose_response_was_lost() -> Result<()> {
    let relayed = behind_relay();
    let api = relayed.platform.deploy_api();
    let deploy = async |text: &str| put(relayed.platform, "unproven", &Script::answering(text)).await;
    assert_eq!(deploy("1").await?.status, 200);
    let health_check = json!({ "path": "/health", "expect": 204 });
    let path = format!("{}/health-check", worker_path(Staging, "unproven"));
    api.call(Method::PUT, &path, Some(&health_check)).await?;
    // The response is lost, and the upstream cannot be inspected before the request has ended.
    relayed
        .relay
        .plan("PUT", "/scripts/unproven", 1, Fault::LoseAnswerAndReads);
    assert_eq!(deploy("2").await?.status, 502);
    relayed.relay.remove_faults("/scripts/unproven");
    let entries = until("the deploy is rolled back", async || {
        let entries = api.audit("worker=unproven&outcome=rolled_back").await?;
        Ok((!entries.is_empty()).then_some(entries))
    })
    .await?;
    assert_eq!(entries[0]["client"]["request_id"], "reconciler", "{entries:?}");
    assert_eq!(text(relayed.cloudflare, Staging, "unproven").await?, "1");
    let deployments = api.deployments(Staging, "unproven").await?;
    let states: Vec<_> = deployments
        .iter()
        .map(|deployment| &deployment["state"])
        .collect();
    assert_eq!(states, ["succeeded", "rolled_back", "succeeded"]);
    Ok(())
}
