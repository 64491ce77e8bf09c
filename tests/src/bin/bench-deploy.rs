//! `npm run bench:deploy`: the cost of the deploy API on this machine.
//!
//! It measures deploys through the deploy API and directly to the same upstream, appends to the audit log, a page of a
//! long log, and exchanges of OIDC tokens. Other load on the machine changes the figures: compare only figures of one run.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use clap::Parser;
use dotdo_names::Environment;
use end_to_end::{DeployApi, Issuer, Options, Platform, Script, issuer::OWNER_ID};
use futures_util::{StreamExt, TryStreamExt, stream};
use reqwest::{Method, RequestBuilder};
use serde_json::json;

/// Measures the deploy API.
#[derive(Parser)]
#[command(name = "npm run bench:deploy --")]
struct Arguments {
    /// The number of deploys through the deploy API, and directly
    #[arg(long, default_value_t = 200)]
    deploys: usize,
    /// The length of the audit log, in entries
    #[arg(long, default_value_t = 100_000)]
    entries: usize,
    /// The number of OIDC tokens that are exchanged
    #[arg(long, default_value_t = 200)]
    exchanges: usize,
}

/// The number of requests at the same time.
const CLIENTS: usize = 4;

#[tokio::main]
async fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let issuer = Issuer::start()?;
    let issuers = json!([issuer.address()]).to_string();
    let upstream = Platform::shared();
    let platform = Platform::try_start(
        Options::new()
            .upstream(upstream.base_url())
            .deploy_api_variable("CLOUDFLARE_API_TOKEN", upstream.token())
            .deploy_api_variable("OIDC_ISSUERS", &issuers),
    )?;
    for (name, platform) in [("directly", upstream), ("through the deploy API", &platform)] {
        let times = timed((0..arguments.deploys).map(|number| deploy(platform, number))).await?;
        report(&format!("deploys {name}"), &times);
    }
    exchanges(&platform, &issuer, arguments.exchanges).await?;
    let entries = arguments.entries;
    let times = timed((0..entries).map(|number| append(&platform, number))).await?;
    report("audit appends, a request each", &times);
    let api = platform.deploy_api();
    for (path, times) in [
        ("/v1/audit?limit=100", 40),
        ("/v1/audit?limit=1000", 40),
        ("/v1/audit?limit=100&worker=bench-3", 40),
        ("/v1/audit?limit=100&verb=token_exchange", 40),
        ("/v1/audit/verify", 3),
    ] {
        page(&api, path, times, entries).await?;
    }
    Ok(())
}

fn deploy(platform: &Platform, number: usize) -> RequestBuilder {
    let path = platform.script_path(Environment::Staging, &format!("bench-{}", number % 16));
    let script = Script::answering(&format!("{number}"));
    platform.api(Method::PUT, &path).multipart(script.to_form())
}

fn append(platform: &Platform, number: usize) -> RequestBuilder {
    platform.api(Method::POST, "/v1/audit/break-glass").json(&json!({
        "namespace": "dotdo-staging", "worker": format!("bench-{}", number % 16),
        "at": "2026-01-01T00:00:00Z", "why": "a benchmark",
    }))
}

async fn exchanges(platform: &Platform, issuer: &Issuer, count: usize) -> Result<()> {
    let rule = json!({
        "name": "bench",
        "who": { "github": {
            "issuer": issuer.address(), "repository": "drivly/bench", "repository_id": "1",
            "repository_owner_id": OWNER_ID, "ref": "refs/heads/main",
        } },
        "namespaces": ["dotdo-staging"], "workers": ["bench"], "actions": ["deploy"],
    });
    platform.deploy_api().allow(rule).await?;
    // Signing is the issuer's work, so it is not measured.
    let requests: Vec<_> = (0..count)
        .map(|_| {
            let token = issuer.token(&issuer.claims("drivly/bench", 1));
            platform
                .anonymous(Method::POST, "/v1/tokens/exchange")
                .json(&json!({ "token": token }))
        })
        .collect();
    let times = timed(requests.into_iter()).await?;
    report("exchanges of an OIDC token", &times);
    Ok(())
}

async fn page(api: &DeployApi<'_>, path: &str, times: usize, entries: usize) -> Result<()> {
    let times = timed((0..times).map(|_| api.request(Method::GET, path))).await?;
    report(&format!("GET {path}, {entries} entries"), &times);
    Ok(())
}

/// The durations of requests: of each, sorted, and of all together.
struct Times {
    each: Vec<Duration>,
    all: Duration,
}

async fn timed(requests: impl Iterator<Item = RequestBuilder>) -> Result<Times> {
    let begin = Instant::now();
    let mut each: Vec<Duration> = stream::iter(requests)
        .map(|request| async {
            let begin = Instant::now();
            let answer = request.send().await?;
            let status = answer.status();
            let body = answer.text().await?;
            ensure!(status.is_success(), "{status}: {body}");
            Ok(begin.elapsed())
        })
        .buffer_unordered(CLIENTS)
        .try_collect()
        .await
        .context("a request failed")?;
    each.sort_unstable();
    Ok(Times {
        each,
        all: begin.elapsed(),
    })
}

fn report(what: &str, times: &Times) {
    let at = |hundredths: usize| {
        let index = (times.each.len() * hundredths / 100).min(times.each.len().saturating_sub(1));
        let time = times.each.get(index).copied().unwrap_or_default();
        time.as_secs_f64() * 1000.0
    };
    let count = u32::try_from(times.each.len()).unwrap_or(u32::MAX);
    println!(
        "{what}: {:.0} a second, median {:.1} ms, p99 {:.1} ms",
        f64::from(count) / times.all.as_secs_f64(),
        at(50),
        at(99)
    );
}
