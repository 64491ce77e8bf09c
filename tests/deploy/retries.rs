//! An answer that is lost on the way, on either side of the deploy API: the same upload again is the same deployment.

use anyhow::{Context, Result};
use dotdo_names::Environment::{Production, Staging};
use end_to_end::{Answer, Project, Relay, Script, relay::Fault, wrangler::Version};
use reqwest::Method;
use serde_json::json;

use crate::platforms::{distant, platform, text};

#[end_to_end::test]
async fn wrangler_tries_again_after_a_lost_answer_and_deploys_once() -> Result<()> {
    let platform = platform();
    for (version, name) in [(Version::V4_86, "doubted-old"), (Version::V4_152, "doubted-new")] {
        let relay = Relay::start(
            platform
                .base_url()
                .strip_suffix("/client/v4")
                .context("an address")?,
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
        assert_eq!(puts, 3, "two lost answers and one that came");
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
async fn the_upstream_does_it_and_its_answer_is_lost() -> Result<()> {
    let distant = distant();
    let path = distant.platform.script_path(Staging, "unheard");
    distant
        .relay
        .plan("PUT", "/scripts/unheard", 1, Fault::LoseAnswer);
    let script = Script::answering("done");
    let put = async || -> Result<Answer> {
        let call = distant.platform.api(Method::PUT, &path);
        Answer::read(call.multipart(script.to_form()).send().await?).await
    };
    // The deploy API asks the upstream what is there, and finds its own deployment.
    let first = put().await?;
    assert_eq!(first.status, 200, "{}", first.text());
    let second = put().await?;
    assert_eq!(second.status, 200, "{}", second.text());
    let id = first.json()["result"]["deployment_id"].clone();
    assert_eq!(second.json()["result"]["deployment_id"], id);
    let deployments = distant
        .platform
        .deploy_api()
        .deployments(Staging, "unheard")
        .await?;
    assert_eq!(deployments.len(), 1, "{deployments:?}");
    assert_eq!(deployments[0]["id"], id);
    let puts = distant.relay.requests("/scripts/unheard");
    let puts = puts.iter().filter(|request| request.method == "PUT").count();
    assert_eq!(puts, 1, "the retry does not go upstream");
    assert_eq!(text(distant.cloudflare, Staging, "unheard").await?, "done");
    Ok(())
}

#[end_to_end::test]
async fn the_upstream_never_got_it_and_the_retry_takes_it_up() -> Result<()> {
    let distant = distant();
    let path = distant.platform.script_path(Staging, "stalled");
    distant.relay.plan("PUT", "/scripts/stalled", 1, Fault::Close);
    let script = Script::answering("at last");
    let put = async || -> Result<Answer> {
        let call = distant.platform.api(Method::PUT, &path);
        Answer::read(call.multipart(script.to_form()).send().await?).await
    };
    let first = put().await?;
    assert_eq!(first.status, 502, "{}", first.text());
    assert_eq!(first.json()["errors"][0]["code"], 740_160);
    let second = put().await?;
    assert_eq!(second.status, 200, "{}", second.text());
    let deployments = distant
        .platform
        .deploy_api()
        .deployments(Staging, "stalled")
        .await?;
    assert_eq!(deployments.len(), 1, "{deployments:?}");
    assert_eq!(text(distant.cloudflare, Staging, "stalled").await?, "at last");
    Ok(())
}

#[end_to_end::test]
async fn another_upload_is_another_deployment_and_so_is_the_same_after_it() -> Result<()> {
    let platform = platform();
    for answer in ["a", "b", "a"] {
        platform
            .deploy(Staging, "wavering", &Script::answering(answer))
            .await?;
        assert_eq!(text(platform, Staging, "wavering").await?, answer);
    }
    let deployments = platform.deploy_api().deployments(Staging, "wavering").await?;
    assert_eq!(deployments.len(), 3, "{deployments:?}");
    // The same code with another variable is no retry either.
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
