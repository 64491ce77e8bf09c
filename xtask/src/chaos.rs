//! `npm run chaos`: kills the deploy API's runtime many times; the kills themselves are made with the end-to-end tests.

use anyhow::{Context, Result, bail};
use clap::Args;

use crate::{
    build::{self, Worker},
    workspace,
};

#[derive(Args)]
pub struct Arguments {
    /// How often
    #[arg(long, default_value_t = 200)]
    kills: u32,
    /// Where chance begins: the same number gives the same kills
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

/// Builds both Workers and hands over to the program `chaos`.
///
/// # Errors
/// When something does not build, or the record is not true after a kill; its own output says why.
pub fn run(arguments: &Arguments) -> Result<()> {
    build::build(Worker::Dispatcher, true)?;
    build::build(Worker::DeployApi, true)?;
    let status = std::process::Command::new("cargo")
        .current_dir(workspace::root())
        .args(["run", "--quiet", "--locked", "--package", "end-to-end"])
        .args(["--bin", "chaos", "--"])
        .args(["--kills", &arguments.kills.to_string()])
        .args(["--seed", &arguments.seed.to_string()])
        .env("XTASK", workspace::program()?)
        .status()
        .context("cannot start cargo")?;
    if !status.success() {
        bail!("the kills ended early ({status})");
    }
    Ok(())
}
