//! `npm run schemathesis`: thousands of generated requests to the deploy API of a separate platform.
//!
//! schemathesis is a Python program. Neither the build nor `npm test` needs it; it is installed into `target/` at the
//! version of `deploy-api/schemathesis/requirements.txt`.

use std::{path::Path, process::Command, time::Duration};

use anyhow::{Context, Result, bail};
use clap::Args;
use dotdo_names::Environment;

use crate::{
    build::{self, Worker},
    node_tools,
    platform::{self, Api, Guard, Overrides, Platform, Secrets, State, StateLock, Stop},
    python_tools, workspace,
};

#[derive(Args)]
pub struct Arguments {
    /// Options of schemathesis, such as --seed 1
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    schemathesis: Vec<String>,
}

/// Calls that are tested together, with one token. No part may remove what a later part needs.
struct Part<'a> {
    name: &'static str,
    bearer: &'a str,
    selection: &'static [&'static str],
}

/// Installs schemathesis, starts a platform, and tests it part by part.
///
/// # Errors
/// When something cannot be installed or started, or schemathesis finds a failure.
pub fn run(arguments: &Arguments) -> Result<()> {
    let program = python_tools::program("schemathesis", "deploy-api/schemathesis/requirements.txt")?;
    build::build(Worker::Dispatcher, false)?;
    build::build(Worker::DeployApi, false)?;
    let lock = StateLock::acquire(State::at(&workspace::target().join("schemathesis/state"))?)?;
    lock.reset()?;
    let stop = Stop::default();
    stop.on_signals(lock.group())?;
    let guard = Guard::bind(0)?;
    let port = guard.port()?;
    let platform = platform::start(&lock, guard, Api::Deploy, &Overrides::default(), &stop)?;
    deploy_example(&platform)?;
    let secrets = Secrets::load_or_generate(lock.state())?;
    let parts = [
        Part {
            name: "namespaces and Workers, as a developer",
            bearer: &platform.credentials.token,
            selection: &["--include-path-regex", "^/v1/namespaces"],
        },
        // This replaces the policy and revokes tokens.
        Part {
            name: "policy, tokens and audit log, as the bootstrap administrator",
            bearer: &secrets.bootstrap_token,
            selection: &["--exclude-path-regex", "^/v1/(namespaces|tokens/exchange)"],
        },
        // Last, because tokens that no issuer signed block this machine's address.
        Part {
            name: "the token exchange, without a token",
            bearer: "",
            selection: &["--include-path", "/v1/tokens/exchange"],
        },
    ];
    let mut failed = Vec::new();
    for part in &parts {
        eprintln!("[schemathesis] {}", part.name);
        if !passes(&program, port, part, &arguments.schemathesis)? {
            failed.push(part.name);
        }
        if stop.wait(Duration::ZERO) {
            bail!("stopped");
        }
    }
    if failed.is_empty() {
        Ok(())
    } else {
        bail!("schemathesis found failures: {}", failed.join("; "))
    }
}

/// Tests one part, and returns whether schemathesis found no failure.
fn passes(schemathesis: &Path, port: u16, tested: &Part<'_>, more: &[String]) -> Result<bool> {
    let mut command = Command::new(schemathesis);
    command
        .arg("--config-file")
        .arg(workspace::path("deploy-api/schemathesis/schemathesis.toml"))
        .arg("run")
        .arg(format!("http://127.0.0.1:{port}/v1/openapi.json"))
        .args(tested.selection)
        .args(["--phases", "examples,coverage,fuzzing", "--continue-on-failure"])
        // It stores its findings in the current folder.
        .current_dir(workspace::target().join("schemathesis"));
    if !tested.bearer.is_empty() {
        command.args(["--header", &format!("Authorization: Bearer {}", tested.bearer)]);
    }
    let status = command.args(more).status().context("cannot start schemathesis")?;
    Ok(status.success())
}

/// Deploys a Worker, so that calls reach more than "no such Worker".
fn deploy_example(platform: &Platform) -> Result<()> {
    let credentials = &platform.credentials;
    let status = node_tools::command("wrangler")?
        .current_dir(workspace::path("examples/hello"))
        .args([
            "deploy",
            "--dispatch-namespace",
            Environment::Development.namespace(),
        ])
        .env("CLOUDFLARE_API_BASE_URL", &credentials.base_url)
        .env("CLOUDFLARE_API_TOKEN", &credentials.token)
        .env("CLOUDFLARE_ACCOUNT_ID", credentials.account)
        .status()
        .context("cannot start wrangler")?;
    if !status.success() {
        bail!("cannot deploy the example");
    }
    Ok(())
}
