//! `npm run chaos`: kills the deploy API's runtime many times, and checks its records after each kill.

use std::time::Instant;

use anyhow::Result;
use clap::Parser;
use end_to_end::{Platform, chaos::Chaos};

/// Kills the deploy API's runtime while it deploys, and checks its records afterwards.
#[derive(Parser)]
#[command(name = "npm run chaos --")]
struct Arguments {
    /// The number of kills
    #[arg(long, default_value_t = 200)]
    kills: u32,
    /// The seed of the random numbers: the same seed gives the same kills
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

#[tokio::main]
async fn main() -> Result<()> {
    let Arguments { kills, seed } = Arguments::parse();
    let begin = Instant::now();
    let cloudflare = Platform::shared();
    let mut chaos = Chaos::start(cloudflare, seed)?;
    for kill in 1..=kills {
        let moment = chaos.kill_at_random().await?;
        println!("{kill}/{kills} {:>4} s {moment:?}", begin.elapsed().as_secs());
    }
    let summary = chaos.summary().await?;
    println!(
        "\n{} kills (seed {seed}) in {} min: {} acknowledged changes, each recorded once. The reconciler found {} of the \
         other changes made and {} not made. The audit log has {} entries and its chain is valid. The recorded \
         deployments are served.",
        summary.kills,
        begin.elapsed().as_secs() / 60,
        summary.acknowledged,
        summary.found_done,
        summary.found_undone,
        summary.entries
    );
    Ok(())
}
