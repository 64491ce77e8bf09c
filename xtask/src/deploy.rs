//! `npm run deploy` and `npm run dev:remote`: the dispatch Worker with the account's own namespaces. Both need a
//! Cloudflare login or `CLOUDFLARE_API_TOKEN`.

use anyhow::{Context, Result, bail};
use clap::Args;
use dotdo_names::Environment;
use serde_json::{Value, json};

use crate::{
    build::{self, Worker},
    check, node_tools, workspace, wrangler_config,
};

#[derive(Args)]
pub struct Arguments {
    /// Which Worker
    #[arg(value_enum, default_value_t = Worker::Dispatcher)]
    worker: Worker,
    /// Passed on to wrangler, such as --dry-run
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    wrangler: Vec<String>,
}

#[derive(Args)]
pub struct RemoteArguments {
    /// Passed on to wrangler, such as --port
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    wrangler: Vec<String>,
}

/// Checks the configuration, then deploys with wrangler.
///
/// # Errors
/// When the configuration does not hold, or wrangler fails.
pub fn run(arguments: &Arguments) -> Result<()> {
    check::run(&check::Arguments::default())?;
    build::build(arguments.worker, false)?;
    let configuration = arguments.worker.configuration();
    wrangler(&["deploy", "--config", &configuration], &arguments.wrangler)
}

/// Runs the dispatch Worker on this machine, with the account's namespace of the development environment.
///
/// # Errors
/// When wrangler fails.
pub fn run_remote(arguments: &RemoteArguments) -> Result<()> {
    build::build(Worker::Dispatcher, false)?;
    let path = workspace::path(".wrangler/remote.json");
    std::fs::create_dir_all(workspace::path(".wrangler"))?;
    std::fs::write(&path, serde_json::to_string_pretty(&remote_configuration()?)?)?;
    wrangler(
        &["dev", "--config", &path.display().to_string()],
        &arguments.wrangler,
    )
}

/// The deployed configuration, with every binding but the development namespace's left out.
fn remote_configuration() -> Result<Value> {
    let mut configuration = wrangler_config::read(&workspace::path(Worker::Dispatcher.configuration()))?;
    let development = Environment::Development;
    let fields = configuration
        .as_object_mut()
        .context("wrangler.jsonc is not a JSON object")?;
    fields.remove("routes");
    fields.remove("$schema");
    fields.insert("main".to_owned(), json!(workspace::path("build/entry.js")));
    fields.insert(
        "dispatch_namespaces".to_owned(),
        json!([{ "binding": development.binding(), "namespace": development.namespace(), "remote": true }]),
    );
    fields.insert("vars".to_owned(), json!({ "LOCALHOST": "do" }));
    if let Some(Value::Object(build)) = fields.get_mut("build") {
        build.insert("cwd".to_owned(), json!(workspace::root()));
        build.insert("watch_dir".to_owned(), json!(Worker::Dispatcher.sources()));
    }
    Ok(configuration)
}

fn wrangler(arguments: &[&str], more: &[String]) -> Result<()> {
    let status = node_tools::command("wrangler")?
        .args(arguments)
        .args(more)
        .status()
        .context("cannot start wrangler")?;
    if !status.success() {
        bail!("wrangler {} ended with {status}", arguments.join(" "));
    }
    Ok(())
}
