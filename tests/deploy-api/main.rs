//! The deploy API's Worker on the real runtime: body limits, configuration errors, traps of its Wasm, a bundle store that
//! hangs, and the cache of issuers' keys.
#![expect(clippy::indexing_slicing, reason = "a missing element fails the test")]

mod hanging_store;
mod key_cache;

use std::time::Duration;

use anyhow::{Context, Result};
use end_to_end::{Answer, Options, Platform, copy_with_entry, deploy_api_build};
use futures_util::stream;
use reqwest::{Body, Method};
use tempfile::TempDir;

/// A body of 64 KiB without `Content-Length`.
fn body_of_unknown_length() -> Body {
    Body::wrap_stream(stream::iter(
        (0..4).map(|_| Ok::<_, std::io::Error>(vec![b' '; 16 * 1024])),
    ))
}

#[end_to_end::test]
async fn rejects_a_body_over_its_limit_with_and_without_a_content_length() -> Result<()> {
    let platform = Platform::start(Options::new());
    let bodies = [
        (Method::POST, "/v1/policy/explain", body_of_unknown_length()),
        (Method::POST, "/v1/policy/explain", vec![b' '; 33 * 1024].into()),
        (Method::PUT, "/v1/policy", vec![b' '; 257 * 1024].into()),
    ];
    for (method, path, body) in bodies {
        let answer = Answer::read(platform.api(method, path).body(body).send().await?).await?;
        assert_eq!(
            (answer.status.as_u16(), answer.json()["code"].as_str()),
            (413, Some("BODY_TOO_LARGE")),
            "{path}"
        );
    }
    let health = Answer::read(platform.api(Method::GET, "/v1/health").send().await?).await?;
    assert_eq!(health.json()["status"], "ok");
    Ok(())
}

#[end_to_end::test]
async fn an_invalid_variable_stops_the_api_and_only_its_log_names_the_cause() -> Result<()> {
    let valid = Platform::start(Options::new());
    let platform =
        valid.restart_with(Options::new().deploy_api_variable("OIDC_ISSUERS", r#"["http://token.example"]"#));
    for path in ["/v1/health", "/v1/policy"] {
        let answer = Answer::read(platform.api(Method::GET, path).send().await?).await?;
        assert_eq!(
            (answer.status.as_u16(), answer.json()["code"].as_str()),
            (500, Some("MISCONFIGURED"))
        );
        assert!(!answer.text().contains("token.example"), "{}", answer.text());
        let request = answer.json()["request_id"].clone();
        let line = platform
            .log()
            .object("the log line with the cause", |line| {
                line["request_id"] == request
            })
            .await?;
        let cause = line["cause"].as_str().unwrap_or_default();
        assert!(cause.contains("OIDC_ISSUERS"), "{line}");
    }
    Ok(())
}

/// The first start asks the deploy API for the developer's token.
#[end_to_end::test]
async fn a_start_that_fails_because_of_the_deploy_api_prints_the_cause() -> Result<()> {
    let options = Options::new().deploy_api_variable("UPSTREAM_TIMEOUT_SECONDS", "600");
    let failure = Platform::try_start(options).expect_err("the deploy API does not start");
    let printed = format!("{failure:#}");
    assert!(
        printed.contains("UPSTREAM_TIMEOUT_SECONDS is not a number from 1 to 60"),
        "{printed}"
    );
    Ok(())
}

#[end_to_end::test]
async fn after_a_trap_requests_in_flight_get_an_error_and_the_next_one_succeeds() -> Result<()> {
    let build = TempDir::with_prefix("dotdo-build-")?;
    copy_with_entry(
        &deploy_api_build()?,
        build.path(),
        include_str!("trapping_entry.js"),
        "deploy-api.js",
    )?;
    let platform = Platform::start(Options::new().deploy_api_build(build.path()));

    for traps_in in ["gateway", "ledger", "reconciler", "ledger", "gateway"] {
        // Its body never ends, so it is in flight when the Wasm traps.
        let endless = Body::wrap_stream(stream::pending::<Result<Vec<u8>>>());
        let in_flight = platform
            .api(Method::POST, "/v1/policy/explain")
            .body(endless)
            .send();
        let in_flight = tokio::spawn(in_flight);
        wait_until_in_flight(&platform).await?;

        let trapped = platform
            .api(Method::GET, "/v1/health")
            .header("x-test-trap", traps_in)
            .send();
        let trapped = Answer::read(trapped.await?).await?;
        if traps_in == "reconciler" {
            assert_eq!(trapped.text(), "Error: the Wasm trapped");
        } else {
            assert_eq!(
                (trapped.status.as_u16(), trapped.json()["code"].as_str()),
                (500, Some("INTERNAL")),
                "{traps_in}"
            );
        }

        let answered = tokio::time::timeout(Duration::from_secs(20), in_flight)
            .await
            .with_context(|| format!("the request in flight got no response: {traps_in}"))???;
        assert_eq!(
            Answer::read(answered).await?.json()["code"],
            "INTERNAL",
            "{traps_in}"
        );

        let next = Answer::read(platform.api(Method::GET, "/v1/audit/verify").send().await?).await?;
        assert_eq!(next.json()["whole"], true, "{traps_in}: {}", next.text());
    }
    Ok(())
}

/// Waits until the request that was sent before is authenticated, which counts as a use of its token.
async fn wait_until_in_flight(platform: &Platform) -> Result<()> {
    let uses = || async {
        let tokens = Answer::read(platform.api(Method::GET, "/v1/tokens").send().await?).await?;
        tokens.json()["items"][0]["uses"]
            .as_u64()
            .context("no token is listed")
    };
    let before = uses().await?;
    // Each read of the count is a use, too: one more use than reads is the request's.
    let mut reads = 0;
    loop {
        reads += 1;
        if uses().await? > before + reads {
            return Ok(());
        }
        if reads > 40 {
            // The request was authenticated before the first read.
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
}
