//! `npm run bench`: bundles every contender as wrangler would, and starts the comparison (`bench/`) on them.

mod baseline;

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, bail};
use clap::Args;
use serde_json::Value;
use wrangler_config::PlatformWorker;

use self::baseline::Commit;
use crate::{
    build::{self, Worker},
    node_tools, workspace,
};

/// The contender that is a separate Rust Worker, built as worker-build builds it.
const WORKERS_RS: &str = "workers-rs";

#[derive(Args)]
#[command(disable_help_flag = true)]
pub struct Arguments {
    /// Options of the comparison: `--help` lists them
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    options: Vec<String>,
}

/// Builds every contender, and runs the comparison.
///
/// # Errors
/// When a contender does not build, or the comparison fails; its own output says why.
pub fn run(arguments: &Arguments) -> Result<()> {
    let mut options = arguments.options.clone();
    let baseline = take_option(&mut options, "--baseline")?
        .map(|name| Commit::find(&name))
        .transpose()?;
    let folder = workspace::target().join("bench");
    if !options.iter().any(|option| option == "--help" || option == "-h") {
        bundle_peers(&folder)?;
        bundle_workers_rs(&folder.join(WORKERS_RS))?;
        if let Some(commit) = &baseline {
            commit.bundle(&folder.join("baseline"))?;
        }
        build::build(Worker::Dispatcher, false)?;
        bundle_dispatcher(&workspace::path("build"), &folder.join("dispatcher"))?;
    }
    if let Some(commit) = baseline {
        options.extend(["--baseline".to_owned(), commit.id]);
    }
    let configuration = wrangler_config::read(&workspace::path(PlatformWorker::Dispatch.configuration()))?;
    compare(&folder, &configuration, &options)
}

/// Removes `--name value` or `--name=value` from the options of the comparison, and returns the value.
///
/// # Errors
/// When the value is missing.
fn take_option(options: &mut Vec<String>, name: &str) -> Result<Option<String>> {
    let Some(position) = options.iter().position(|option| {
        option == name
            || option
                .strip_prefix(name)
                .is_some_and(|rest| rest.starts_with('='))
    }) else {
        return Ok(None);
    };
    let option = options.remove(position);
    if let Some((_, value)) = option.split_once('=') {
        return Ok(Some(value.to_owned()));
    }
    if position == options.len() {
        bail!("{name} needs a value");
    }
    Ok(Some(options.remove(position)))
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

/// The path of the workerd binary. A wrapper would not do: the figures are read from the started process.
fn workerd() -> Result<PathBuf> {
    let file = workspace::path("node_modules/workerd/bin/workerd");
    let bytes = fs::read(&file).context("workerd is missing: run `npm ci` first")?;
    if bytes.starts_with(b"#!") {
        bail!("workerd's install script has not run: run `npm ci` without --ignore-scripts");
    }
    Ok(file)
}

/// Bundles what `npm run build` wrote into the folder `built`.
fn bundle_dispatcher(built: &Path, out: &Path) -> Result<()> {
    esbuild(&built.join("entry.js"), out, &["--minify"])?;
    fs::copy(built.join("index_bg.wasm"), out.join("index_bg.wasm"))
        .with_context(|| format!("{} has no index_bg.wasm", built.display()))?;
    Ok(())
}

/// Bundles every contender that is one file of TypeScript.
fn bundle_peers(folder: &Path) -> Result<()> {
    // The peers contain the same texts as the dispatch Worker, from the same sources.
    let errors_page = format!("--define:ERRORS_PAGE={}", Value::from(dotdo_names::ERRORS_PAGE));
    for entry in fs::read_dir(workspace::path("bench/peers"))? {
        let file = entry?.path();
        if let (Some(name), Some("ts")) = (file.file_stem(), file.extension().and_then(|kind| kind.to_str()))
            && !name.to_string_lossy().ends_with(".d")
        {
            esbuild(&file, &folder.join(name), &["--loader:.css=text", &errors_page])?;
        }
    }
    Ok(())
}

/// Runs the steps of worker-build 0.8.7 with its options and its shim, and with the tools that `npm ci` installed.
fn bundle_workers_rs(out: &Path) -> Result<()> {
    eprintln!("[bench] bench-workers-rs: compiling to Wasm");
    let wasm = build::compile("bench-workers-rs", build::RELEASE, &[], false)?;
    let staging = workspace::target().join("xtask").join("bench-workers-rs");
    fs::create_dir_all(&staging)?;
    build::bind(&wasm, &staging, build::Glue::Stock)?;
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_baseline_is_taken_out_of_the_other_options() {
        for written in [
            &["--quick", "--baseline", "48bd109", "--json"][..],
            &["--quick", "--baseline=48bd109", "--json"],
        ] {
            let mut options: Vec<_> = written.iter().map(|&option| option.to_owned()).collect();
            let baseline = take_option(&mut options, "--baseline").unwrap();
            assert_eq!(baseline.as_deref(), Some("48bd109"));
            assert_eq!(options, ["--quick", "--json"]);
        }
    }

    #[test]
    fn a_baseline_without_a_commit_is_an_error() {
        let mut options = vec!["--baseline".to_owned()];
        let error = take_option(&mut options, "--baseline").unwrap_err();
        assert_eq!(error.to_string(), "--baseline needs a value");
    }

    #[test]
    fn without_a_baseline_the_options_stay_as_they_are() {
        let mut options = vec!["--baselines".to_owned()];
        assert_eq!(take_option(&mut options, "--baseline").unwrap(), None);
        assert_eq!(options, ["--baselines"]);
    }
}
