//! `npm run chaos`: kills the deploy API's runtime many times, and checks its record after each.

use std::time::Instant;

use anyhow::Result;
use clap::Parser;
use end_to_end::{Platform, chaos::Chaos};

/// Kills the deploy API's runtime while it deploys, and checks that its record is true afterwards.
#[derive(Parser)]
#[command(name = "npm run chaos --")]
struct Arguments {
    /// How often
    #[arg(long, default_value_t = 200)]
    kills: u32,
    /// Where chance begins: the same number gives the same kills
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
    let survived = chaos.survived().await?;
    println!(
        "\n{} kills (seed {seed}) in {} min: {} changes acknowledged, all on record once; of those that were not, {} had \
         been carried out and {} had not, as the sweeper found; {} entries in the audit log, its chain whole; what is \
         on record serves.",
        survived.kills,
        begin.elapsed().as_secs() / 60,
        survived.acknowledged,
        survived.found_done,
        survived.found_undone,
        survived.entries
    );
    Ok(())
}
