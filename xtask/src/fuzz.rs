//! `npm run fuzz`: every fuzz target, or one, for some time. New inputs stay in `target/`; those that find something new
//! for good belong into `fuzz/corpus`, which the ordinary tests replay.

use std::{
    fs,
    process::{Command, Stdio},
};

use anyhow::{Context, Result, bail};
use clap::Args;

use crate::workspace;

#[derive(Args)]
pub struct Arguments {
    /// One target; without it, all of them one after the other
    target: Option<String>,
    /// For how long each
    #[arg(default_value_t = 60)]
    seconds: u32,
}

/// Fuzzes.
///
/// # Errors
/// When a tool is missing (the message says how to install it), or an input breaks what must hold.
pub fn run(arguments: &Arguments) -> Result<()> {
    let targets = chosen(targets()?, arguments.target.as_deref())?;
    ensure_tools()?;
    for target in targets {
        fuzz(&target, arguments.seconds)?;
    }
    Ok(())
}

/// The names of the targets: each is a file.
fn targets() -> Result<Vec<String>> {
    let folder = workspace::path("fuzz/fuzz_targets");
    let mut targets = Vec::new();
    for entry in fs::read_dir(&folder).with_context(|| format!("cannot read {}", folder.display()))? {
        let path = entry?.path();
        if let (Some(name), Some("rs")) = (path.file_stem(), path.extension().and_then(|end| end.to_str())) {
            targets.push(name.to_string_lossy().into_owned());
        }
    }
    targets.sort();
    Ok(targets)
}

fn chosen(targets: Vec<String>, only: Option<&str>) -> Result<Vec<String>> {
    match only {
        None => Ok(targets),
        Some(only) if targets.iter().any(|target| target == only) => Ok(vec![only.to_owned()]),
        Some(only) => bail!(
            "there is no fuzz target `{only}`; there are: {}",
            targets.join(", ")
        ),
    }
}

fn ensure_tools() -> Result<()> {
    if !succeeds(&["rustc", "--version"]) {
        bail!("fuzzing needs nightly Rust: run `rustup toolchain install nightly`");
    }
    if !succeeds(&["cargo", "fuzz", "--version"]) {
        bail!("fuzzing needs cargo-fuzz: run `cargo install cargo-fuzz --locked`");
    }
    Ok(())
}

fn succeeds(command: &[&str]) -> bool {
    let status = nightly(command)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    status.is_ok_and(|status| status.success())
}

/// A command of the nightly toolchain. This program itself runs under a stable cargo, whose choice would stick.
fn nightly(command: &[&str]) -> Command {
    let mut rustup = Command::new("rustup");
    rustup
        .current_dir(workspace::root())
        .env_remove("RUSTUP_TOOLCHAIN")
        .env_remove("CARGO")
        .args(["run", "nightly"])
        .args(command);
    rustup
}

fn fuzz(target: &str, seconds: u32) -> Result<()> {
    let found = workspace::target().join("fuzz").join(target);
    fs::create_dir_all(&found)?;
    let kept = workspace::path("fuzz/corpus").join(target);
    let dictionary = workspace::path("fuzz/dictionaries").join(format!("{target}.dict"));
    eprintln!(
        "[fuzz] {target} for {seconds} seconds; new inputs go to {}",
        found.display()
    );
    let mut command = nightly(&["cargo", "fuzz", "run", target]);
    // Inputs are read from both folders, and new ones are written to the first.
    command
        .arg(&found)
        .arg(&kept)
        .arg("--")
        .arg(format!("-max_total_time={seconds}"));
    if dictionary.is_file() {
        command.arg(format!("-dict={}", dictionary.display()));
    }
    let status = command.status().context("cannot start cargo-fuzz")?;
    if !status.success() {
        bail!(
            "{target}: an input breaks what must hold, or the target did not build ({status}). The input is in \
             fuzz/artifacts/{target}; `rustup run nightly cargo fuzz run {target} FILE` repeats it. Once it is \
             corrected, keep the input in fuzz/corpus/{target}."
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_target_is_built_and_has_inputs_to_start_from() {
        let manifest = fs::read_to_string(workspace::path("fuzz/Cargo.toml")).unwrap();
        let targets = targets().unwrap();
        assert!(targets.contains(&"url".to_owned()) && targets.contains(&"routes".to_owned()));
        for target in targets {
            assert!(
                manifest.contains(&format!("fuzz_targets/{target}.rs")),
                "{target}"
            );
            let corpus = workspace::path("fuzz/corpus").join(&target);
            assert!(fs::read_dir(corpus).unwrap().count() > 0, "{target}");
        }
    }

    #[test]
    fn an_unknown_target_is_refused_with_those_that_exist() {
        let all = || vec!["routes".to_owned(), "url".to_owned()];
        assert_eq!(chosen(all(), Some("url")).unwrap(), ["url"]);
        assert_eq!(chosen(all(), None).unwrap(), all());
        let error = chosen(all(), Some("urls")).unwrap_err().to_string();
        assert!(
            error.contains("`urls`") && error.contains("routes, url"),
            "{error}"
        );
    }
}
