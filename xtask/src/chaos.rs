//! `npm run chaos`: kills the deploy API's runtime many times. The program `chaos` of the end-to-end tests does the work.

use std::process::Command;

use anyhow::{Context, Result, bail};
use clap::Args;

use crate::{
    build::{self, Worker},
    cargo, workspace,
};

#[derive(Args)]
pub struct Arguments {
    /// The number of kills
    #[arg(long, default_value_t = 200)]
    kills: u32,
    /// The seed of the random numbers: the same seed gives the same kills
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

/// Builds both Workers and runs the program `chaos`.
///
/// # Errors
/// When something does not build, or the deploy API's record is wrong after a kill; the program's own output says why.
pub fn run(arguments: &Arguments) -> Result<()> {
    build::build(Worker::Dispatcher, true)?;
    build::build(Worker::DeployApi, true)?;
    let status = Command::new(cargo::program("chaos")?)
        .args(["--kills", &arguments.kills.to_string()])
        .args(["--seed", &arguments.seed.to_string()])
        .env("XTASK", workspace::program()?)
        .status()
        .context("cannot start the program `chaos`")?;
    if !status.success() {
        bail!("the program `chaos` failed ({status})");
    }
    Ok(())
}
