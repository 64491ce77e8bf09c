//! `npm run schemathesis`: thousands of generated requests to the deploy API of a platform of its own.
//!
//! schemathesis is a Python program, which nobody needs to build or to test with `npm test`; it is installed into
//! `target/` at the version of `deploy-api/schemathesis/requirements.txt`.

use std::{
    net::{Ipv4Addr, TcpListener},
    path::PathBuf,
    process::Command,
};

use anyhow::{Context, Result, bail};
use clap::Args;
use dotdo_names::Environment;

use crate::{
    build::{self, Worker},
    node_tools,
    platform::{self, Api, Overrides, Platform, Secrets, State},
    workspace,
};

#[derive(Args)]
pub struct Arguments {
    /// Passed on to schemathesis, such as --seed 1
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    schemathesis: Vec<String>,
}

/// Which calls are tried together, and by whom: what one part does must not take away what another needs.
struct Part<'a> {
    name: &'static str,
    bearer: &'a str,
    selection: &'static [&'static str],
}

pub fn run(arguments: &Arguments) -> Result<()> {
    let program = install()?;
    build::build(Worker::Dispatcher, false)?;
    build::build(Worker::DeployApi, false)?;
    let state = State::at(&workspace::target().join("schemathesis/state"))?;
    platform::end_leftover(&state)?;
    state.reset()?;
    let port = free_port()?;
    let platform = platform::start(&state, port, Api::Deploy, &Overrides::default())?;
    deploy_example(&platform)?;
    let secrets = Secrets::load_or_make(&state)?;
    let parts = [
        Part {
            name: "namespaces and Workers, by a developer",
            bearer: &platform.credentials.token,
            selection: &["--include-path-regex", "^/v1/namespaces"],
        },
        // Any policy may come of this, and the end of any token.
        Part {
            name: "policy, tokens and audit log, by the bootstrap administrator",
            bearer: &secrets.bootstrap_token,
            selection: &["--exclude-path-regex", "^/v1/(namespaces|tokens/exchange)"],
        },
        // The last: tokens that no issuer signed lock this machine's address out.
        Part {
            name: "the exchange, by strangers",
            bearer: "",
            selection: &["--include-path", "/v1/tokens/exchange"],
        },
    ];
    let mut failed = Vec::new();
    for part in &parts {
        eprintln!("[schemathesis] {}", part.name);
        if !attempt(&program, port, part, &arguments.schemathesis)? {
            failed.push(part.name);
        }
    }
    if failed.is_empty() {
        Ok(())
    } else {
        bail!("schemathesis found something: {}", failed.join("; "))
    }
}

/// Tries one part, and says whether nothing was found.
fn attempt(program: &PathBuf, port: u16, tried: &Part<'_>, more: &[String]) -> Result<bool> {
    let mut schemathesis = Command::new(program);
    schemathesis
        .arg("--config-file")
        .arg(workspace::path("deploy-api/schemathesis/schemathesis.toml"))
        .arg("run")
        .arg(format!("http://127.0.0.1:{port}/v1/openapi.json"))
        .args(tried.selection)
        .args(["--phases", "examples,coverage,fuzzing", "--continue-on-failure"])
        // It keeps what it found before where it is run.
        .current_dir(workspace::target().join("schemathesis"));
    if !tried.bearer.is_empty() {
        schemathesis.args(["--header", &format!("Authorization: Bearer {}", tried.bearer)]);
    }
    let status = schemathesis
        .args(more)
        .status()
        .context("cannot start schemathesis")?;
    Ok(status.success())
}

/// Installs schemathesis into an environment of its own; does nothing where it is installed.
fn install() -> Result<PathBuf> {
    let folder = workspace::target().join("schemathesis");
    let requirements = workspace::path("deploy-api/schemathesis/requirements.txt");
    let step = |program: PathBuf, arguments: &[&str]| -> Result<()> {
        let status = Command::new(&program)
            .args(arguments)
            .status()
            .with_context(|| format!("cannot run {}: it needs Python 3.10 or later", program.display()))?;
        if !status.success() {
            bail!(
                "{} {} ended with {status}",
                program.display(),
                arguments.join(" ")
            );
        }
        Ok(())
    };
    let in_folder = folder.display().to_string();
    step("python3".into(), &["-m", "venv", &in_folder])?;
    let wanted = requirements.display().to_string();
    step(
        folder.join("bin/pip"),
        &[
            "install",
            "--quiet",
            "--disable-pip-version-check",
            "--requirement",
            &wanted,
        ],
    )?;
    Ok(folder.join("bin/schemathesis"))
}

/// A Worker that is there, so that calls come further than "no such Worker".
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
        bail!("the example could not be deployed");
    }
    Ok(())
}

fn free_port() -> Result<u16> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("no free port")?;
    Ok(listener.local_addr()?.port())
}
