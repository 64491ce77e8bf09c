//! `npm run deploy`: deploys a Worker of this repository to the account. Needs `wrangler login` or `CLOUDFLARE_API_TOKEN`.

use anyhow::{Context, Result, bail};
use clap::{
    Args,
    builder::{PossibleValuesParser, TypedValueParser},
};
use wrangler_config::PlatformWorker;

use crate::{
    build::{self, Worker},
    check, node_tools,
};

#[derive(Args)]
pub struct Arguments {
    /// Which Worker
    #[arg(value_parser = worker(), default_value = PlatformWorker::Dispatch.argument())]
    worker: PlatformWorker,
    /// Options for wrangler, such as --dry-run
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    wrangler: Vec<String>,
}

fn worker() -> impl TypedValueParser<Value = PlatformWorker> {
    PossibleValuesParser::new(PlatformWorker::ALL.map(PlatformWorker::argument))
        .try_map(|argument| PlatformWorker::of_argument(&argument).ok_or("no Worker has this name"))
}

/// Builds a Worker. wrangler bundles the TypeScript of the logs Worker itself.
fn build(worker: PlatformWorker) -> Result<()> {
    match worker {
        PlatformWorker::Dispatch => build::build(Worker::Dispatcher, false),
        PlatformWorker::DeployApi => build::build(Worker::DeployApi, false),
        PlatformWorker::Logs => Ok(()),
    }
}

/// Checks the configuration, then deploys with wrangler.
///
/// # Errors
/// If the configuration has a problem, or wrangler fails.
pub fn run(arguments: &Arguments) -> Result<()> {
    check::run(&check::Arguments::default())?;
    build(arguments.worker)?;
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
