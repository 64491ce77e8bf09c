//! `npm run bench:deploy`: the cost of the deploy API on this machine, with the targets of its design.
//!
//! Deploys through the deploy API and directly to the same upstream are measured in alternation, with a second direct
//! measurement as the A/A control. Other load on the machine changes the figures: compare only figures of one run.

use std::future::Future;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use clap::Parser;
use dotdo_names::Environment;
use end_to_end::{Issuer, Options, Platform, Script, issuer::OWNER_ID};
use futures_util::{StreamExt, TryStreamExt, stream};
use reqwest::{Method, RequestBuilder};
use serde::Serialize;
use serde_json::{Value, json};

/// Measures the deploy API.
#[derive(Parser)]
#[command(name = "npm run bench:deploy --")]
struct Arguments {
    /// The number of rounds, of which the median is reported
    #[arg(long, default_value_t = 7)]
    rounds: usize,
    /// The number of deploys of each kind in a round
    #[arg(long, default_value_t = 40)]
    deploys: usize,
    /// The length of the audit log, in entries
    #[arg(long, default_value_t = 100_000)]
    entries: usize,
    /// Print the figures as JSON
    #[arg(long)]
    json: bool,
}

/// The number of requests at the same time.
const CLIENTS: usize = 4;

/// The size of the large upload, in bytes.
const LARGE: usize = 30 * 1024 * 1024;

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
    let mut figures = deploys(&platform, upstream, &arguments).await?;
    figures.extend(beside_large_upload(&platform, upstream, &arguments).await?);
    figures.extend(memory(&platform).await?);
    figures.push(exchanges(&platform, &issuer).await?);
    figures.extend(audit_log(&platform, &arguments).await?);
    print(&figures, arguments.json)
}

/// One measured value.
#[derive(Serialize)]
struct Figure {
    what: String,
    value: f64,
    unit: &'static str,
    /// The target, for example `at most 1.5`.
    #[serde(skip_serializing_if = "Option::is_none")]
    target: Option<&'static str>,
}

impl Figure {
    fn new(what: impl Into<String>, value: f64, unit: &'static str, target: Option<&'static str>) -> Self {
        Self {
            what: what.into(),
            value,
            unit,
            target,
        }
    }
}

fn print(figures: &[Figure], json: bool) -> Result<()> {
    if json {
        println!("{}", serde_json::to_string_pretty(figures)?);
        return Ok(());
    }
    println!("| figure | value | target |\n|---|--:|---|");
    for figure in figures {
        let target = figure.target.unwrap_or_default();
        println!(
            "| {} | {:.2} {} | {target} |",
            figure.what, figure.value, figure.unit
        );
    }
    Ok(())
}

async fn deploys(platform: &Platform, upstream: &Platform, arguments: &Arguments) -> Result<Vec<Figure>> {
    let mut rates: [Vec<f64>; 3] = Default::default();
    for round in 0..arguments.rounds {
        for (rates, platform) in rates.iter_mut().zip([upstream, platform, upstream]) {
            let requests = (0..arguments.deploys).map(|number| deploy(platform, number, &round.to_string()));
            let times = timed(requests, CLIENTS).await?;
            rates.push(times.per_second());
        }
        eprintln!("deploys: round {} of {}", round + 1, arguments.rounds);
    }
    let ratios = |other: usize| {
        let pairs = rates
            .first()
            .into_iter()
            .flatten()
            .zip(rates.get(other).into_iter().flatten());
        median(pairs.map(|(direct, other)| other / direct).collect())
    };
    let [direct, through, _] = rates.clone().map(median);
    Ok(vec![
        Figure::new("deploys directly", direct, "/s", None),
        Figure::new("deploys through the API", through, "/s", None),
        Figure::new("through the API : directly", ratios(1), "", Some("at least 0.75")),
        Figure::new("directly : directly (A/A)", ratios(2), "", None),
    ])
}

/// How much uploads of 30 MiB delay the deploys of another client: through the API, and directly as the control. Both share the
/// cores of one machine with the uploads.
async fn beside_large_upload(
    platform: &Platform,
    upstream: &Platform,
    arguments: &Arguments,
) -> Result<Vec<Figure>> {
    let through = "through the API";
    let mut measured = [(through, platform), ("directly", upstream)].map(|(name, platform)| SmallDeploys {
        name,
        platform,
        alone: Vec::new(),
        beside: Vec::new(),
        control: Vec::new(),
    });
    for round in 0..arguments.rounds {
        for measured in &mut measured {
            measured.round(round, arguments.deploys).await?;
        }
        eprintln!("large uploads: round {} of {}", round + 1, arguments.rounds);
    }
    let figures = measured.into_iter().flat_map(|measured| {
        let SmallDeploys { name, .. } = measured;
        let [alone, beside, control] =
            [measured.alone, measured.beside, measured.control].map(|times| percentile(times, 99));
        let target = (name == through).then_some("at most 1.5");
        [
            Figure::new(format!("p99 of a deploy {name}"), alone, "ms", None),
            Figure::new(format!("p99 {name} during uploads of 30 MiB"), beside, "ms", None),
            Figure::new(
                format!("during uploads : alone, {name}"),
                beside / alone,
                "",
                target,
            ),
            Figure::new(format!("alone : alone (A/A), {name}"), control / alone, "", None),
        ]
    });
    Ok(figures.collect())
}

/// The times of small deploys to one platform, alone and beside uploads of 30 MiB.
struct SmallDeploys<'a> {
    name: &'static str,
    platform: &'a Platform,
    alone: Vec<Duration>,
    beside: Vec<Duration>,
    /// Alone once more, as the A/A control.
    control: Vec<Duration>,
}

impl SmallDeploys<'_> {
    async fn round(&mut self, round: usize, deploys: usize) -> Result<()> {
        let platform = self.platform;
        let small = |salt: String| {
            let requests = (0..deploys).map(move |number| deploy(platform, number, &salt));
            timed(requests, 1)
        };
        self.alone.extend(small(format!("a{round}")).await?.each);
        let beside = during(small(format!("b{round}")), upload_large(platform)).await?;
        self.beside.extend(beside.each);
        self.control.extend(small(format!("c{round}")).await?.each);
        Ok(())
    }
}

/// Runs a measurement while uploads repeat.
async fn during(
    measured: impl Future<Output = Result<Times>>,
    load: impl Future<Output = Result<()>>,
) -> Result<Times> {
    tokio::select! {
        times = measured => times,
        ended = load => {
            ended?;
            anyhow::bail!("the uploads ended before the measurement")
        }
    }
}

async fn upload_large(platform: &Platform) -> Result<()> {
    let path = platform.script_path(Environment::Staging, "bench-large");
    for number in 0_u64.. {
        let content: Vec<u8> = number.to_le_bytes().into_iter().cycle().take(LARGE).collect();
        let script = Script::answering("large").with_module("large.bin", "application/octet-stream", content);
        send(platform.api(Method::PUT, &path).multipart(script.to_form())).await?;
    }
    Ok(())
}

async fn memory(platform: &Platform) -> Result<Vec<Figure>> {
    let health = send(platform.deploy_api().request(Method::GET, "/v1/health")).await?;
    let health: Value = serde_json::from_str(&health)?;
    ["gateway", "ledger"]
        .into_iter()
        .map(|instance| {
            let bytes = health
                .pointer(&format!("/wasm_memory_bytes/{instance}"))
                .and_then(Value::as_u64)
                .and_then(|bytes| u32::try_from(bytes).ok())
                .context("health does not show the memory")?;
            let mebibytes = f64::from(bytes) / f64::from(1 << 20);
            Ok(Figure::new(
                format!("peak Wasm memory, {instance}"),
                mebibytes,
                "MiB",
                Some("below 96"),
            ))
        })
        .collect()
}

async fn exchanges(platform: &Platform, issuer: &Issuer) -> Result<Figure> {
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
    let requests: Vec<_> = (0..200)
        .map(|_| {
            let token = issuer.token(&issuer.claims("drivly/bench", 1));
            platform
                .anonymous(Method::POST, "/v1/tokens/exchange")
                .json(&json!({ "token": token }))
        })
        .collect();
    let times = timed(requests.into_iter(), CLIENTS).await?;
    Ok(Figure::new(
        "exchanges of an OIDC token",
        times.per_second(),
        "/s",
        None,
    ))
}

async fn audit_log(platform: &Platform, arguments: &Arguments) -> Result<Vec<Figure>> {
    let mut figures = Vec::new();
    eprintln!("writing {} audit entries", arguments.entries);
    let times = timed(
        (0..arguments.entries).map(|number| append(platform, number)),
        CLIENTS,
    )
    .await?;
    figures.push(Figure::new(
        "audit appends, a request each",
        times.per_second(),
        "/s",
        None,
    ));
    let api = platform.deploy_api();
    for (path, target) in [
        // A request that does not reach the ledger: what the local platform costs alone.
        ("/v1/policy/schema.json", None),
        ("/v1/health", None),
        ("/v1/audit?limit=100", Some("at most 8")),
        ("/v1/audit?limit=1000", None),
        ("/v1/audit?limit=100&worker=bench-3", None),
        ("/v1/audit?limit=100&verb=token_exchange", None),
        ("/v1/audit/verify", Some("at most 50")),
    ] {
        let times = timed((0..100).map(|_| api.request(Method::GET, path)), 1).await?;
        figures.push(Figure::new(
            format!("GET {path}"),
            percentile(times.each, 50),
            "ms",
            target,
        ));
    }
    Ok(figures)
}

fn deploy(platform: &Platform, number: usize, salt: &str) -> RequestBuilder {
    let path = platform.script_path(Environment::Staging, &format!("bench-{}", number % 16));
    let script = Script::answering(&format!("{salt}-{number}"));
    platform.api(Method::PUT, &path).multipart(script.to_form())
}

fn append(platform: &Platform, number: usize) -> RequestBuilder {
    platform.api(Method::POST, "/v1/audit/break-glass").json(&json!({
        "namespace": "dotdo-staging", "worker": format!("bench-{}", number % 16),
        "at": "2026-01-01T00:00:00Z", "why": "a benchmark",
    }))
}

/// The durations of requests: of each, and of all together.
struct Times {
    each: Vec<Duration>,
    all: Duration,
}

impl Times {
    fn per_second(&self) -> f64 {
        f64::from(u32::try_from(self.each.len()).unwrap_or(u32::MAX)) / self.all.as_secs_f64()
    }
}

async fn timed(requests: impl Iterator<Item = RequestBuilder>, clients: usize) -> Result<Times> {
    let begin = Instant::now();
    let each = stream::iter(requests)
        .map(|request| async {
            let begin = Instant::now();
            send(request).await?;
            Ok::<_, anyhow::Error>(begin.elapsed())
        })
        .buffer_unordered(clients)
        .try_collect()
        .await
        .context("a request failed")?;
    Ok(Times {
        each,
        all: begin.elapsed(),
    })
}

async fn send(request: RequestBuilder) -> Result<String> {
    let answer = request.send().await?;
    let status = answer.status();
    let body = answer.text().await?;
    ensure!(status.is_success(), "{status}: {body}");
    Ok(body)
}

/// A percentile, in milliseconds.
fn percentile(mut times: Vec<Duration>, hundredths: usize) -> f64 {
    times.sort_unstable();
    let index = (times.len() * hundredths / 100).min(times.len().saturating_sub(1));
    times.get(index).copied().unwrap_or_default().as_secs_f64() * 1000.0
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or_default()
}
