//! `npm run bench:logs`: what the logs cost on the local platform. CPU time and latency of requests without and with logs, the rows that an
//! event writes, and the events that are lost at a high rate.

use std::{
    fs,
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use clap::Parser;
use dotdo_names::Environment::Development;
use end_to_end::{Options, Platform, Script, processes::Process, worker_path};
use futures_util::StreamExt;
use reqwest::Method;
use serde_json::json;
use tokio::{sync::Semaphore, task::JoinSet, time::MissedTickBehavior};

/// The most requests at once. A platform that is slower than the rate makes later requests wait.
const CONCURRENCY: usize = 64;

/// How long the platform is left alone before and after a measurement, so that it has written all events.
const REST: Duration = Duration::from_secs(3);

const WORKER: &str =
    "export default { fetch(request) { console.log('served', request.url); return new Response('ok'); } };";

/// Each request is ten events: its own, and nine calls of another entrypoint. One request for each event would measure how many requests the
/// local platform serves.
const CALLING: &str = "import { WorkerEntrypoint } from 'cloudflare:workers';
    export class Called extends WorkerEntrypoint { call(number) { console.log('called', number); } }
    export default class extends WorkerEntrypoint {
        async fetch() {
            for (let number = 1; number < 10; number += 1) await this.ctx.exports.Called.call(number);
            return new Response('ok');
        }
    }";
const EVENTS_PER_REQUEST: u32 = 10;

/// Measures the cost of logs.
#[derive(Parser)]
#[command(name = "npm run bench:logs --")]
struct Arguments {
    /// The requests per second of the comparison
    #[arg(long, default_value_t = 100)]
    rate: u32,
    /// How long each side of the comparison lasts, in seconds
    #[arg(long, default_value_t = 30)]
    seconds: u32,
    /// The events per second of the last measurement, rounded down to tens
    #[arg(long, default_value_t = 500)]
    high_rate: u32,
    /// How long the last measurement lasts, in seconds
    #[arg(long, default_value_t = 60)]
    high_seconds: u32,
    /// Print the figures as JSON
    #[arg(long)]
    json: bool,
}

/// The requests of a measurement.
struct Load {
    count: u32,
    took: Duration,
    /// Sorted.
    latencies: Vec<Duration>,
}

#[tokio::main]
async fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let mut figures = Vec::new();
    let mut note = |name: String, value: f64, unit: &'static str| {
        eprintln!("{name}: {value:.3} {unit}");
        figures.push((name, value, unit));
    };
    for logs in ["off", "on"] {
        let platform = Platform::try_start(Options::new().deploy_api_variable("WORKER_LOGS", logs))?;
        platform
            .deploy(Development, "measured", &Script::module(WORKER))
            .await?;
        send(&platform, "measured", arguments.rate, 3).await?;
        tokio::time::sleep(REST).await;
        let before = cpu(&platform)?;
        let load = send(&platform, "measured", arguments.rate, arguments.seconds).await?;
        tokio::time::sleep(REST).await;
        let used = cpu(&platform)?.saturating_sub(before);
        let case = format!("{} requests per second, logs {logs}", arguments.rate);
        note(
            format!("{case}: median latency"),
            milliseconds(load.percentile(50)),
            "ms",
        );
        note(
            format!("{case}: 99th percentile"),
            milliseconds(load.percentile(99)),
            "ms",
        );
        let each = milliseconds(used) / f64::from(load.count);
        note(format!("{case}: CPU time of each request"), each, "ms");
        if logs == "on" {
            note(
                format!("{case}: rows written for each event"),
                rows_per_event(&platform)?,
                "rows",
            );
            let (load, lost) = lost(&platform, arguments.high_rate, arguments.high_seconds).await?;
            let case = format!(
                "{} events per second for {} s",
                arguments.high_rate, arguments.high_seconds
            );
            let rate = f64::from(load.count * EVENTS_PER_REQUEST) / load.took.as_secs_f64();
            note(format!("{case}: reached"), rate, "events per second");
            note(format!("{case}: lost"), lost, "events");
        }
    }
    if arguments.json {
        let rows: Vec<_> = figures
            .iter()
            .map(|(name, value, unit)| json!({ "name": name, "value": value, "unit": unit }))
            .collect();
        println!("{}", serde_json::to_string_pretty(&rows)?);
    } else {
        for (name, value, unit) in &figures {
            println!("{name:75} {value:>10.3} {unit}");
        }
    }
    Ok(())
}

/// Sends requests to a Worker at a rate.
async fn send(platform: &Platform, worker: &str, rate: u32, seconds: u32) -> Result<Load> {
    let permits = Arc::new(Semaphore::new(CONCURRENCY));
    let mut ticks = tokio::time::interval(Duration::from_secs(1) / rate);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
    let mut requests = JoinSet::new();
    let began = Instant::now();
    let count = rate * seconds;
    for number in 0..count {
        ticks.tick().await;
        let permit = Arc::clone(&permits).acquire_owned().await?;
        let request = platform.request(Method::GET, &format!("dev.{worker}.do"), &format!("/{number}"));
        requests.spawn(async move {
            let sent = Instant::now();
            let response = request.send().await?;
            let status = response.status();
            response.bytes().await?;
            drop(permit);
            ensure!(status == 200, "the response has the status {status}");
            Ok(sent.elapsed())
        });
    }
    let latencies: Result<Vec<Duration>> = requests.join_all().await.into_iter().collect();
    let took = began.elapsed();
    let mut latencies = latencies?;
    latencies.sort_unstable();
    Ok(Load {
        count,
        took,
        latencies,
    })
}

impl Load {
    fn percentile(&self, percent: usize) -> Duration {
        let index = self.latencies.len().saturating_sub(1) * percent / 100;
        self.latencies.get(index).copied().unwrap_or_default()
    }
}

/// Sends requests that cause events at a rate, and counts the events that a client that follows the log does not get.
async fn lost(platform: &Platform, rate: u32, seconds: u32) -> Result<(Load, f64)> {
    platform
        .deploy(Development, "calling", &Script::module(CALLING))
        .await?;
    let path = format!("{}/logs?follow=true", worker_path(Development, "calling"));
    let response = platform.deploy_api().request(Method::GET, &path).send().await?;
    ensure!(response.status() == 200, "{}", response.text().await?);
    let wanted = rate / EVENTS_PER_REQUEST * EVENTS_PER_REQUEST * seconds;
    let counting = tokio::spawn(async move {
        let mut chunks = response.bytes_stream();
        let (mut received, mut rest) = (0, String::new());
        while received < wanted {
            let Ok(Some(Ok(chunk))) = tokio::time::timeout(REST * 4, chunks.next()).await else {
                break;
            };
            rest.push_str(&String::from_utf8_lossy(&chunk));
            while let Some((event, following)) = rest.split_once("\n\n") {
                received += u32::from(event.contains("event: log\n"));
                rest = following.to_owned();
            }
        }
        received
    });
    let load = send(platform, "calling", rate / EVENTS_PER_REQUEST, seconds).await?;
    let received = counting.await?;
    Ok((load, f64::from(wanted - received)))
}

/// The rows that the log of the Worker wrote for each event: one when it was stored, and one when its block is removed.
fn rows_per_event(platform: &Platform) -> Result<f64> {
    let folder = platform.state().join("workers/v3/do/logs-WorkerLog");
    let (mut rows, mut events) = (0.0, 0.0);
    for entry in fs::read_dir(&folder).with_context(|| format!("cannot read {}", folder.display()))? {
        let path = entry?.path();
        if path.extension().is_none_or(|extension| extension != "sqlite") {
            continue;
        }
        let database =
            rusqlite::Connection::open_with_flags(&path, rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY)?;
        let count = |sql: &str| database.query_row(sql, [], |row| row.get::<_, f64>(0));
        // A file of the runtime itself has no such table.
        if let (Ok(blocks), Ok(stored)) = (
            count("SELECT CAST(count(*) AS REAL) FROM blocks"),
            count("SELECT CAST(coalesce(sum(count), 0) AS REAL) FROM blocks"),
        ) {
            rows += blocks;
            events += stored;
        }
    }
    ensure!(events > 0.0, "no event was stored");
    Ok(2.0 * rows / events)
}

/// The CPU time that the processes of the runtime have used.
fn cpu(platform: &Platform) -> Result<Duration> {
    let processes = platform.processes().context("cannot read the processes")?;
    let runtimes = processes.iter().filter(|process| process.name == "workerd");
    Ok(runtimes.map(Process::cpu).sum())
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}
