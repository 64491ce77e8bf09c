//! `npm run deploy`: deploys a Worker of this repository to the account. Needs `wrangler login` or `CLOUDFLARE_API_TOKEN`.

use anyhow::{Context, Result, bail};
use clap::Args;

use crate::{
    build::{self, Worker},
    check, node_tools,
};

#[derive(Args)]
pub struct Arguments {
    /// Which Worker
    #[arg(value_enum, default_value_t = Worker::Dispatcher)]
    worker: Worker,
    /// Options for wrangler, such as --dry-run
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    wrangler: Vec<String>,
}

/// Checks the configuration, then deploys with wrangler.
///
/// # Errors
/// If the configuration has a problem, or wrangler fails.
pub fn run(arguments: &Arguments) -> Result<()> {
    check::run(&check::Arguments::default())?;
    build::build(arguments.worker, false)?;
    let configuration = arguments.worker.configuration();
    let status = node_tools::command("wrangler")?
        .args(["deploy", "--config", &configuration])
        .args(&arguments.wrangler)
        .status()
        .context("cannot start wrangler")?;
    if !status.success() {
        bail!("wrangler deploy failed ({status})");
    }
    Ok(())
}
