//! `npm run fuzz`: runs every fuzz target, or one, for some time. New inputs are stored in `target/`; inputs worth
//! keeping go to `fuzz/corpus`, which the ordinary tests replay.

use std::{
    fs,
    process::{Command, Stdio},
};

use anyhow::{Context, Result, bail};
use clap::Args;

use crate::workspace;

#[derive(Args)]
pub struct Arguments {
    /// One target; by default all, one after the other
    target: Option<String>,
    /// Seconds for each target
    #[arg(default_value_t = 60)]
    seconds: u32,
}

/// Fuzzes.
///
/// # Errors
/// When a tool is not installed, or an input violates a property.
pub fn run(arguments: &Arguments) -> Result<()> {
    let targets = select(targets()?, arguments.target.as_deref())?;
    ensure_tools()?;
    for target in targets {
        fuzz(&target, arguments.seconds)?;
    }
    Ok(())
}

/// The names of the targets. Each target is a file.
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

fn select(targets: Vec<String>, only: Option<&str>) -> Result<Vec<String>> {
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

/// A command of the nightly toolchain. The variables that cargo sets for the programs it runs would select its own
/// toolchain.
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
    // The fuzzer reads inputs from both folders, and writes new ones to the first.
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
            "{target}: an input violates a property, or the target does not build ({status}). The input is in \
             fuzz/artifacts/{target}; `rustup run nightly cargo fuzz run {target} FILE` repeats it. After the fix, move \
             the input to fuzz/corpus/{target}."
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_target_is_declared_and_has_a_corpus() {
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
    fn rejects_an_unknown_target_and_lists_the_known_ones() {
        let all = || vec!["routes".to_owned(), "url".to_owned()];
        assert_eq!(select(all(), Some("url")).unwrap(), ["url"]);
        assert_eq!(select(all(), None).unwrap(), all());
        let error = select(all(), Some("urls")).unwrap_err().to_string();
        assert!(
            error.contains("`urls`") && error.contains("routes, url"),
            "{error}"
        );
    }
}
