//! A response is lost between wrangler and the deploy API, or between the deploy API and its upstream: a retry of the same
//! upload is the same deployment.

use anyhow::{Context, Result};
use dotdo_names::Environment::{Production, Staging};
use end_to_end::{Project, Relay, Script, relay::Fault, wrangler::Version};
use serde_json::json;

use crate::platforms::{behind_relay, platform, put, text};

#[end_to_end::test]
async fn wrangler_retries_after_a_lost_response_and_deploys_once() -> Result<()> {
    let platform = platform();
    for (version, name) in [(Version::V4_86, "doubted-old"), (Version::V4_152, "doubted-new")] {
        let relay = Relay::start(
            platform
                .base_url()
                .strip_suffix("/client/v4")
                .context("the base URL has another path")?,
        )?;
        relay.plan("PUT", &format!("/scripts/{name}"), 2, Fault::LoseAnswer);
        let project = Project::new(name)?;
        project
            .call(platform, version)
            .at(&format!("{}/client/v4", relay.origin()))
            .run(&["deploy", "--dispatch-namespace", Production.namespace()])
            .await?
            .success()?;
        let puts = relay.requests(&format!("/scripts/{name}?"));
        let puts = puts.iter().filter(|request| request.method == "PUT").count();
        assert_eq!(puts, 3, "two responses are lost, and the third arrives");
        assert_eq!(text(platform, Production, name).await?, "1");
        let deployments = platform.deploy_api().deployments(Production, name).await?;
        assert_eq!(deployments.len(), 1, "{deployments:?}");
        let entries = platform
            .deploy_api()
            .audit(&format!("worker={name}&verb=deploy"))
            .await?;
        let outcomes: Vec<_> = entries.iter().map(|entry| &entry["outcome"]).collect();
        assert_eq!(outcomes, ["intent", "succeeded", "replayed", "replayed"]);
    }
    Ok(())
}

#[end_to_end::test]
async fn finds_the_deployment_whose_response_was_lost() -> Result<()> {
    let relayed = behind_relay();
    relayed
        .relay
        .plan("PUT", "/scripts/unheard", 1, Fault::LoseAnswer);
    let script = Script::answering("done");
    // The deploy API inspects the upstream, and finds its own deployment.
    let first = put(relayed.platform, "unheard", &script).await?;
    assert_eq!(first.status, 200, "{}", first.text());
    let second = put(relayed.platform, "unheard", &script).await?;
    assert_eq!(second.status, 200, "{}", second.text());
    let id = first.json()["result"]["deployment_id"].clone();
    assert_eq!(second.json()["result"]["deployment_id"], id);
    let deployments = relayed
        .platform
        .deploy_api()
        .deployments(Staging, "unheard")
        .await?;
    assert_eq!(deployments.len(), 1, "{deployments:?}");
    assert_eq!(deployments[0]["id"], id);
    let puts = relayed.relay.requests("/scripts/unheard");
    let puts = puts.iter().filter(|request| request.method == "PUT").count();
    assert_eq!(puts, 1, "the retry must not be sent upstream");
    assert_eq!(text(relayed.cloudflare, Staging, "unheard").await?, "done");
    Ok(())
}

#[end_to_end::test]
async fn a_retry_completes_a_deploy_that_did_not_reach_the_upstream() -> Result<()> {
    let relayed = behind_relay();
    relayed.relay.plan("PUT", "/scripts/stalled", 1, Fault::Close);
    let script = Script::answering("at last");
    let first = put(relayed.platform, "stalled", &script).await?;
    assert_eq!(first.status, 502, "{}", first.text());
    assert_eq!(first.json()["errors"][0]["code"], 740_160);
    let second = put(relayed.platform, "stalled", &script).await?;
    assert_eq!(second.status, 200, "{}", second.text());
    let deployments = relayed
        .platform
        .deploy_api()
        .deployments(Staging, "stalled")
        .await?;
    assert_eq!(deployments.len(), 1, "{deployments:?}");
    assert_eq!(text(relayed.cloudflare, Staging, "stalled").await?, "at last");
    Ok(())
}

#[end_to_end::test]
async fn a_different_upload_is_another_deployment() -> Result<()> {
    let platform = platform();
    for answer in ["a", "b", "a"] {
        platform
            .deploy(Staging, "wavering", &Script::answering(answer))
            .await?;
        assert_eq!(text(platform, Staging, "wavering").await?, answer);
    }
    let deployments = platform.deploy_api().deployments(Staging, "wavering").await?;
    assert_eq!(deployments.len(), 3, "{deployments:?}");
    // The same code with another variable is not a retry, either.
    let script = Script::answering("a").with_text("MODE", "x");
    platform.deploy(Staging, "wavering", &script).await?;
    let deployments = platform.deploy_api().deployments(Staging, "wavering").await?;
    assert_eq!(deployments.len(), 4, "{deployments:?}");
    assert_eq!(
        deployments[0]["bundle"]["bindings"],
        json!([{ "name": "MODE", "type": "plain_text" }])
    );
    Ok(())
}
