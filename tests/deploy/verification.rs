//! Whether what is on record is there, and is reached; and the probe that every deployment must pass.

use anyhow::Result;
use dotdo_names::Environment::{Development, Staging};
use end_to_end::{Answer, Project, Script, relay::Fault, until, worker_path, wrangler::Version};
use reqwest::Method;
use serde_json::json;

use crate::platforms::{distant, platform, text};

/// Answers `/health` with a status, and everything else with a text.
fn healthy(text: &str, status: u16) -> String {
    format!(
        "export default {{ fetch(request) {{
            const is_health = new URL(request.url).pathname === '/health';
            return new Response('{text}', {{ status: is_health ? {status} : 200 }});
        }} }};"
    )
}

#[end_to_end::test]
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

#[end_to_end::test]
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

#[end_to_end::test]
async fn what_the_sweeper_finds_deployed_is_probed_as_well() -> Result<()> {
    let distant = distant();
    let api = distant.platform.deploy_api();
    let script = distant.platform.script_path(Staging, "unproven");
    let put = async |text: &str| {
        let form = Script::answering(text).to_form();
        let call = distant.platform.api(Method::PUT, &script).multipart(form);
        Answer::read(call.send().await?).await
    };
    assert_eq!(put("1").await?.status, 200);
    let probe = json!({ "path": "/health", "expect": 204 });
    let path = format!("{}/probe", worker_path(Staging, "unproven"));
    api.call(Method::PUT, &path, Some(&probe)).await?;
    // Its answer is lost, and nobody can be asked until the request has ended.
    distant
        .relay
        .plan("PUT", "/scripts/unproven", 1, Fault::LoseAnswer);
    distant
        .relay
        .plan("GET", "/scripts/unproven", 2, Fault::Status(503));
    assert_eq!(put("2").await?.status, 502);
    distant.relay.heal("/scripts/unproven");
    let entries = until("nothing was rolled back", async || {
        let entries = api.audit("worker=unproven&outcome=rolled_back").await?;
        Ok((!entries.is_empty()).then_some(entries))
    })
    .await?;
    assert_eq!(entries[0]["client"]["request_id"], "sweeper", "{entries:?}");
    assert_eq!(text(distant.cloudflare, Staging, "unproven").await?, "1");
    let deployments = api.deployments(Staging, "unproven").await?;
    let states: Vec<_> = deployments
        .iter()
        .map(|deployment| &deployment["state"])
        .collect();
    assert_eq!(states, ["succeeded", "rolled_back", "succeeded"]);
    Ok(())
}
