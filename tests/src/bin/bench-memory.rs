//! `npm run bench:memory`: the memory of the local platform's runtime with many Workers, after many redeploys and requests.

use anyhow::{Context, Result, ensure};
use clap::Parser;
use dotdo_names::Environment::Development;
use end_to_end::{Options, Platform, Script, processes::Process};
use futures_util::{StreamExt, TryStreamExt, stream};
use serde_json::json;

/// How many deploys or requests run at once.
const CONCURRENCY: usize = 4;

/// Measures the memory of the local platform.
#[derive(Parser)]
#[command(name = "npm run bench:memory --")]
struct Arguments {
    /// The number of Workers
    #[arg(long, default_value_t = 500)]
    workers: usize,
    /// The number of deploys of Workers that exist
    #[arg(long, default_value_t = 300)]
    redeploys: usize,
    /// The number of requests, distributed over all Workers
    #[arg(long, default_value_t = 20_000)]
    requests: usize,
    /// Print the figures as JSON
    #[arg(long)]
    json: bool,
}

#[tokio::main]
async fn main() -> Result<()> {
    let Arguments {
        workers,
        redeploys,
        requests,
        json,
    } = Arguments::parse();
    ensure!(workers > 0, "--workers must be at least 1");
    let platform = Platform::try_start(Options::new().rest_api())?;
    let mut figures = vec![("empty".to_owned(), memory(&platform)?)];
    let mut measure = |phase: String| -> Result<()> {
        let bytes = memory(&platform)?;
        eprintln!("{phase}: {} MB", bytes / 1_000_000);
        figures.push((phase, bytes));
        Ok(())
    };
    repeat(workers, |index| {
        deploy_and_visit(&platform, index % workers, "first")
    })
    .await?;
    measure(format!("{workers} Workers"))?;
    repeat(redeploys, |index| {
        deploy_and_visit(&platform, index % workers, "second")
    })
    .await?;
    measure(format!("{redeploys} redeploys"))?;
    repeat(requests, |index| visit(&platform, index % workers)).await?;
    measure(format!("{requests} requests"))?;
    if json {
        let rows: Vec<_> = figures
            .iter()
            .map(|(phase, bytes)| json!({ "after": phase, "bytes": bytes }))
            .collect();
        println!("{}", serde_json::to_string_pretty(&rows)?);
    } else {
        println!("{:20} {:>10}", "after", "memory");
        for (phase, bytes) in &figures {
            println!("{phase:20} {:>7} MB", bytes / 1_000_000);
        }
    }
    Ok(())
}

/// Calls `action` with each number below `count`.
async fn repeat<F: Future<Output = Result<()>>>(count: usize, action: impl Fn(usize) -> F) -> Result<()> {
    stream::iter((0..count).map(action))
        .buffer_unordered(CONCURRENCY)
        .try_collect()
        .await
}

fn name(index: usize) -> String {
    format!("worker-{index}")
}

async fn deploy_and_visit(platform: &Platform, index: usize, text: &str) -> Result<()> {
    let module = format!("export default {{ fetch() {{ return new Response('{text}'); }} }};");
    platform
        .deploy(Development, &name(index), &Script::module(&module))
        .await?;
    visit(platform, index).await
}

async fn visit(platform: &Platform, index: usize) -> Result<()> {
    let host = format!("dev.{}.do", name(index));
    let answer = platform.get(&host, "/").await?;
    ensure!(answer.status == 200, "{host}: {}", answer.text());
    Ok(())
}

/// The memory of the runtime's processes, in bytes.
fn memory(platform: &Platform) -> Result<u64> {
    let processes = platform.processes().context("cannot read the processes")?;
    let runtimes = processes.iter().filter(|process| process.name == "workerd");
    Ok(runtimes.map(Process::memory).sum())
}
