//! `npm run deploy`: deploys a Worker of this repository to the account. Needs `wrangler login` or `CLOUDFLARE_API_TOKEN`.

use anyhow::{Context, Result, bail};
use clap::Args;

use crate::{check, node_tools, platform_worker::PlatformWorker};

#[derive(Args)]
pub struct Arguments {
    /// Which Worker
    #[arg(value_enum, default_value_t = PlatformWorker::Dispatcher)]
    worker: PlatformWorker,
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
    arguments.worker.build()?;
    let status = node_tools::command("wrangler")?
        .args(["deploy", "--config", arguments.worker.configuration()])
        .args(&arguments.wrangler)
        .status()
        .context("cannot start wrangler")?;
    if !status.success() {
        bail!("wrangler deploy failed ({status})");
    }
    Ok(())
}
