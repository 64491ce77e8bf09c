//! A bundle store whose writes of some bundles never end.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use dotdo_names::Environment::Staging;
use end_to_end::{Answer, Options, Platform, Script, copy_with_entry, deploy_api_build};
use reqwest::{Method, RequestBuilder};
use tempfile::TempDir;
use tokio::time::{sleep, timeout};

/// What the bytes of a write contain that never ends.
const MARKER: &str = "this write hangs";

/// More than the deploy API buffers, so it is uploaded in parts.
const LARGE: usize = 20 * 1024 * 1024;

#[end_to_end::test]
async fn a_hanging_write_of_a_bundle_fails_its_own_deploy_and_no_other() -> Result<()> {
    let build = TempDir::with_prefix("dotdo-build-")?;
    copy_with_entry(
        &deploy_api_build()?,
        build.path(),
        include_str!("hanging_store_entry.js"),
        "deploy-api.js",
    )?;
    let platform = Platform::start(Options::new().deploy_api_build(build.path()));

    let small = Script::answering(MARKER);
    // The marker is in the last part, which is written after the body was read.
    let large = Script::answering("large").with_module(
        "large.bin",
        "application/octet-stream",
        [&vec![b' '; LARGE], MARKER.as_bytes()].concat(),
    );
    let small = tokio::spawn(deploy(&platform, "hangs-small", &small).send());
    let large = tokio::spawn(deploy(&platform, "hangs-large", &large).send());
    wait_until_hanging(&platform, 2).await?;

    let other = timeout(
        Duration::from_secs(10),
        deploy(&platform, "other", &Script::answering("1")).send(),
    );
    let other = Answer::read(other.await.context("another deploy waits")??).await?;
    assert_eq!(other.status, 200, "{}", other.text());
    let health = Answer::read(platform.api(Method::GET, "/v1/health").send().await?).await?;
    assert_eq!(health.json()["status"], "ok", "{}", health.text());
    assert!(!small.is_finished(), "the write ended before the other deploy");

    for (worker, deploy) in [("hangs-small", small), ("hangs-large", large)] {
        let answer = timeout(Duration::from_secs(15), deploy)
            .await
            .with_context(|| format!("the deploy of {worker} has no time limit"))???;
        let answer = Answer::read(answer).await?;
        assert_eq!(
            (
                answer.status.as_u16(),
                answer.json()["errors"][0]["code"].as_u64()
            ),
            (503, Some(740_166)),
            "{worker}: {}",
            answer.text()
        );
    }
    // Both Workers have no lease any more.
    for worker in ["hangs-small", "hangs-large"] {
        let next = deploy(&platform, worker, &Script::answering("2"));
        let next = Answer::read(next.send().await?).await?;
        assert_eq!(next.status, 200, "{worker}: {}", next.text());
    }
    Ok(())
}

fn deploy(platform: &Platform, worker: &str, script: &Script) -> RequestBuilder {
    platform
        .api(Method::PUT, &platform.script_path(Staging, worker))
        .multipart(script.to_form())
}

/// Waits until that many writes hang.
async fn wait_until_hanging(platform: &Platform, writes: u32) -> Result<()> {
    for _ in 0..400 {
        let request = platform
            .api(Method::GET, "/v1/health")
            .header("x-test-hanging", "");
        let hanging = Answer::read(request.send().await?).await?.text();
        if hanging.parse::<u32>()? >= writes {
            return Ok(());
        }
        sleep(Duration::from_millis(25)).await;
    }
    ensure!(false, "no write hangs");
    Ok(())
}
