//! Failures of the upstream, of the bundle store and of the runtime: the response names the failure, and the records are
//! correct.

use std::{fs, path::PathBuf, time::Duration};

use anyhow::{Context, Result};
use dotdo_names::Environment::Staging;
use end_to_end::{
    Answer, Options, Platform, Project, Script,
    chaos::{Chaos, Moment},
    relay::Fault,
    until,
    wrangler::Version,
};

use crate::platforms::{BehindRelay, behind_relay, put, served, text};

/// Waits until no deployment of a Worker is pending, and returns the states of its deployments, newest first.
async fn states(relayed: &BehindRelay, name: &str) -> Result<Vec<String>> {
    until("no deployment is pending", async || {
        let deployments = relayed.platform.deploy_api().deployments(Staging, name).await?;
        let states: Vec<_> = deployments
            .iter()
            .map(|deployment| deployment["state"].as_str().unwrap_or_default().to_owned())
            .collect();
        Ok((!states.iter().any(|state| state == "pending")).then_some(states))
    })
    .await
}

/// Asserts that the first version stays when the deploy of the second one fails, and that the third deploy succeeds.
async fn assert_keeps_the_first_version(name: &str, fault: Fault, status: u16, code: u32) -> Result<Answer> {
    let relayed = behind_relay();
    put(relayed.platform, name, &Script::answering("1")).await?;
    relayed.relay.plan("PUT", &format!("/scripts/{name}"), 1, fault);
    let answer = put(relayed.platform, name, &Script::answering("2")).await?;
    assert_eq!(answer.status, status, "{name}: {}", answer.text());
    let body = answer.json();
    let codes: Vec<_> = body["errors"].as_array().map_or(Vec::new(), |errors| {
        errors.iter().map(|error| error["code"].clone()).collect()
    });
    assert!(codes.contains(&code.into()), "{name}: {body}");
    assert_eq!(states(&relayed, name).await?, ["failed", "succeeded"], "{name}");
    assert_eq!(text(relayed.cloudflare, Staging, name).await?, "1", "{name}");
    let third = put(relayed.platform, name, &Script::answering("3")).await?;
    assert_eq!(third.status, 200, "{name}: {}", third.text());
    assert_eq!(text(relayed.cloudflare, Staging, name).await?, "3", "{name}");
    assert_eq!(
        states(&relayed, name).await?,
        ["succeeded", "failed", "succeeded"],
        "{name}"
    );
    Ok(answer)
}

#[end_to_end::test]
async fn upstream_responds_with_500() -> Result<()> {
    assert_keeps_the_first_version("fault-500", Fault::Status(500), 502, 740_160)
        .await
        .map(drop)
}

#[end_to_end::test]
async fn upstream_limits_the_rate() -> Result<()> {
    let fault = Fault::RateLimit { retry_after: 17 };
    let answer = assert_keeps_the_first_version("fault-429", fault, 429, 740_162).await?;
    assert_eq!(answer.header("retry-after"), "17");
    Ok(())
}

#[end_to_end::test]
async fn upstream_responds_with_html() -> Result<()> {
    assert_keeps_the_first_version("fault-html", Fault::Html(502), 502, 740_160).await?;
    assert_keeps_the_first_version("fault-ok-html", Fault::Html(200), 502, 740_160).await?;
    Ok(())
}

#[end_to_end::test]
async fn upstream_closes_without_a_response() -> Result<()> {
    assert_keeps_the_first_version("fault-close", Fault::Close, 502, 740_160)
        .await
        .map(drop)
}

#[end_to_end::test]
async fn upstream_hangs() -> Result<()> {
    assert_keeps_the_first_version("fault-hang", Fault::Hang, 504, 740_161)
        .await
        .map(drop)
}

#[end_to_end::test]
async fn upstream_rejects_the_deploy_apis_token() -> Result<()> {
    assert_keeps_the_first_version("fault-403", Fault::Status(403), 502, 740_163)
        .await
        .map(drop)
}

#[end_to_end::test]
async fn upstream_closes_in_the_middle_of_its_response() -> Result<()> {
    let relayed = behind_relay();
    relayed
        .relay
        .plan("PUT", "/scripts/fault-cut", 1, Fault::CloseMidway);
    // The upstream made the change; the deploy API inspects it and finds the deployment.
    let answer = put(relayed.platform, "fault-cut", &Script::answering("1")).await?;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(states(&relayed, "fault-cut").await?, ["succeeded"]);
    assert_eq!(text(relayed.cloudflare, Staging, "fault-cut").await?, "1");
    Ok(())
}

#[end_to_end::test]
async fn reconciler_records_a_deploy_whose_response_was_lost() -> Result<()> {
    let relayed = behind_relay();
    put(relayed.platform, "fault-mute", &Script::answering("1")).await?;
    relayed
        .relay
        .plan("PUT", "/scripts/fault-mute", 1, Fault::LoseAnswerAndReads);
    let answer = put(relayed.platform, "fault-mute", &Script::answering("2")).await?;
    assert_eq!(answer.status, 502, "{}", answer.text());
    relayed.relay.remove_faults("/scripts/fault-mute");
    // Without another deploy, the reconciler records the outcome.
    assert_eq!(states(&relayed, "fault-mute").await?, ["succeeded", "succeeded"]);
    assert_eq!(text(relayed.cloudflare, Staging, "fault-mute").await?, "2");
    let entries = relayed
        .platform
        .deploy_api()
        .audit("worker=fault-mute&verb=deploy")
        .await?;
    let outcomes: Vec<_> = entries.iter().map(|entry| &entry["outcome"]).collect();
    assert_eq!(outcomes, ["intent", "succeeded"].repeat(2), "{entries:?}");
    assert_eq!(entries[3]["client"]["request_id"], "reconciler");
    Ok(())
}

#[end_to_end::test]
async fn wrangler_retries_after_a_server_error() -> Result<()> {
    let relayed = behind_relay();
    relayed
        .relay
        .plan("PUT", "/scripts/fault-twice", 2, Fault::Status(500));
    Project::new("fault-twice")?
        .deploy(relayed.platform, Version::V4_152, Staging)
        .await?;
    assert_eq!(text(relayed.cloudflare, Staging, "fault-twice").await?, "1");
    assert_eq!(states(&relayed, "fault-twice").await?[0], "succeeded");
    Ok(())
}

#[end_to_end::test]
async fn a_failed_deploy_is_never_served() -> Result<()> {
    let relayed = behind_relay();
    relayed
        .relay
        .plan("PUT", "/scripts/fault-first", 1, Fault::Status(500));
    put(relayed.platform, "fault-first", &Script::answering("1")).await?;
    assert_eq!(states(&relayed, "fault-first").await?, ["failed"]);
    assert_eq!(
        served(relayed.cloudflare, Staging, "fault-first")
            .await?
            .header("x-dispatch-error"),
        "WORKER_NOT_DEPLOYED"
    );
    Ok(())
}

/// The folder in which the runtime stores the objects of the bundle store.
fn blobs(platform: &Platform) -> Result<PathBuf> {
    let mut folders = vec![platform.state().to_owned()];
    while let Some(folder) = folders.pop() {
        if folder.ends_with("dotdo-bundles/blobs") {
            return Ok(folder);
        }
        for entry in fs::read_dir(&folder)? {
            let entry = entry?;
            if entry.file_type()?.is_dir() {
                folders.push(entry.path());
            }
        }
    }
    None.context("the state folder contains no bucket")
}

#[end_to_end::test]
async fn deploys_nothing_when_the_bundle_store_fails() -> Result<()> {
    const WORKER: &str = "bundled";
    let platform = Platform::start(Options::new());
    assert_eq!(put(&platform, WORKER, &Script::answering("1")).await?.status, 200);
    let blobs = blobs(&platform)?;
    let aside = blobs.with_extension("aside");
    fs::rename(&blobs, &aside)?;
    fs::write(&blobs, "a file where a folder should be")?;

    let answer = put(&platform, WORKER, &Script::answering("2")).await?;
    assert_eq!(answer.status, 503, "{}", answer.text());
    assert_eq!(answer.json()["errors"][0]["code"], 740_166, "{}", answer.text());
    assert_eq!(text(&platform, Staging, WORKER).await?, "1");
    let states: Vec<_> = platform
        .deploy_api()
        .deployments(Staging, WORKER)
        .await?
        .iter()
        .map(|deployment| deployment["state"].clone())
        .collect();
    assert!(!states.contains(&"pending".into()), "{states:?}");
    let entries = platform
        .deploy_api()
        .audit(&format!("worker={WORKER}&verb=deploy"))
        .await?;
    let outcomes: Vec<_> = entries.iter().map(|entry| entry["outcome"].clone()).collect();
    assert_eq!(outcomes.last(), Some(&"failed".into()), "{entries:?}");

    fs::remove_file(&blobs)?;
    fs::rename(&aside, &blobs)?;
    assert_eq!(put(&platform, WORKER, &Script::answering("3")).await?.status, 200);
    assert_eq!(text(&platform, Staging, WORKER).await?, "3");
    Ok(())
}

/// A few kills; `npm run chaos` makes hundreds.
#[end_to_end::test]
async fn a_killed_runtime_loses_no_change_and_records_none_twice() -> Result<()> {
    let mut chaos = Chaos::start(Platform::shared(), 1)?;
    for moment in [
        Moment::After(Duration::from_secs(2)),
        Moment::BeforeTheUpstream,
        Moment::AfterTheUpstream,
        Moment::WhileTheUpstreamIsLate,
        Moment::After(Duration::from_millis(60)),
    ] {
        chaos.kill(moment).await?;
    }
    let summary = chaos.summary().await?;
    assert!(summary.acknowledged >= 3, "{summary:?}");
    assert!(
        summary.found_done >= 1 && summary.found_undone >= 1,
        "{summary:?}"
    );
    Ok(())
}
