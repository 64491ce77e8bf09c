//! `npm run bench`: bundles every contender as wrangler would, and starts the comparison (`bench/`) on them.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, bail};
use clap::Args;
use serde_json::Value;

use crate::{
    build::{self, Worker},
    node_tools, workspace, wrangler_config,
};

/// The peer that is a Rust Worker of its own, built as worker-build builds it.
const WORKERS_RS: &str = "workers-rs";

#[derive(Args)]
#[command(disable_help_flag = true)]
pub struct Arguments {
    /// Options of the comparison: `--help` lists them
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    options: Vec<String>,
}

/// Builds everything, and runs the comparison.
///
/// # Errors
/// When a contender does not build, or the comparison fails; its own output says why.
pub fn run(arguments: &Arguments) -> Result<()> {
    let folder = workspace::target().join("bench");
    bundle_peers(&folder)?;
    bundle_workers_rs(&folder.join(WORKERS_RS))?;
    build::build(Worker::Dispatcher, false)?;
    bundle_dispatcher(&folder.join("dispatcher"))?;
    let configuration = wrangler_config::read(&workspace::path(Worker::Dispatcher.configuration()))?;
    compare(&folder, &configuration, &arguments.options)
}

fn compare(folder: &Path, configuration: &Value, options: &[String]) -> Result<()> {
    let date = configuration["compatibility_date"]
        .as_str()
        .context("wrangler.jsonc has no compatibility_date")?;
    let flags = configuration["compatibility_flags"].as_array();
    let flags: Vec<_> = flags.into_iter().flatten().filter_map(Value::as_str).collect();
    let mut comparison = Command::new("cargo");
    comparison
        .current_dir(workspace::root())
        .args([
            "run",
            "--quiet",
            "--locked",
            "--release",
            "--package",
            "dotdo-bench",
            "--",
        ])
        .arg("--folder")
        .arg(folder)
        .arg("--workerd")
        .arg(workerd()?)
        .args(["--compatibility-date", date]);
    if !flags.is_empty() {
        comparison.args(["--compatibility-flags", &flags.join(",")]);
    }
    if !comparison
        .args(options)
        .status()
        .context("cannot run cargo")?
        .success()
    {
        bail!("the comparison failed");
    }
    Ok(())
}

/// The binary itself: the figures are read from the process that is started.
fn workerd() -> Result<PathBuf> {
    let file = workspace::path("node_modules/workerd/bin/workerd");
    let bytes = fs::read(&file).context("workerd is missing: run `npm ci` first")?;
    if bytes.starts_with(b"#!") {
        bail!("workerd's install script has not run: run `npm ci` without --ignore-scripts");
    }
    Ok(file)
}

fn bundle_dispatcher(out: &Path) -> Result<()> {
    let built = workspace::path("build");
    esbuild(&built.join("entry.js"), out, &["--minify"])?;
    fs::copy(built.join("index_bg.wasm"), out.join("index_bg.wasm"))?;
    Ok(())
}

/// Every peer that is one file of TypeScript.
fn bundle_peers(folder: &Path) -> Result<()> {
    for entry in fs::read_dir(workspace::path("bench/peers"))? {
        let file = entry?.path();
        if let (Some(name), Some("ts")) = (file.file_stem(), file.extension().and_then(|kind| kind.to_str()))
        {
            esbuild(&file, &folder.join(name), &[])?;
        }
    }
    Ok(())
}

/// The steps, the options and the shim of worker-build 0.8.7, with the tools that are installed anyway.
fn bundle_workers_rs(out: &Path) -> Result<()> {
    eprintln!("[bench] bench-workers-rs: compiling to Wasm");
    let wasm = build::compile("bench-workers-rs", build::RELEASE, false)?;
    let staging = workspace::target().join("xtask").join("bench-workers-rs");
    fs::create_dir_all(&staging)?;
    build::bind(&wasm, &staging, true)?;
    build::optimise(&staging.join("index_bg.wasm"), &["-O", "--debuginfo"])?;
    fs::copy(
        workspace::path("bench/peers/workers-rs/shim.js"),
        staging.join("shim.js"),
    )?;
    esbuild(&staging.join("shim.js"), out, &["--minify"])?;
    fs::copy(staging.join("index_bg.wasm"), out.join("index_bg.wasm"))?;
    Ok(())
}

/// Bundles an entry and what it imports into `index.js`, with wrangler's settings.
fn esbuild(entry: &Path, out: &Path, options: &[&str]) -> Result<()> {
    fs::create_dir_all(out)?;
    let status = node_tools::command("esbuild")?
        .arg(entry)
        .args([
            "--bundle",
            "--format=esm",
            "--target=es2024",
            "--log-level=warning",
        ])
        .args([
            "--external:*.wasm",
            "--external:cloudflare:*",
            "--conditions=workerd,worker,browser",
        ])
        .args(options)
        .arg(format!("--outfile={}", out.join("index.js").display()))
        .status()
        .context("cannot run esbuild")?;
    if !status.success() {
        bail!("esbuild cannot bundle {}", entry.display());
    }
    Ok(())
}
