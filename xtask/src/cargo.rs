//! Cargo, run in the repository with the selection of `xtask/run`.

use std::{path::PathBuf, process::Command};

use anyhow::{Context, Result, bail};

use crate::workspace;

/// What selects the same features of shared dependencies in every build.
const SELECTION: [&str; 3] = ["--workspace", "--test", "npm_scripts"];

/// A cargo command in the repository's root folder.
pub fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new("cargo");
    command.current_dir(workspace::root()).args(arguments);
    command
}

/// Builds a program of the workspace and returns its path.
///
/// # Errors
/// When it does not compile; cargo's own output says why.
pub fn program(name: &str) -> Result<PathBuf> {
    let status = command(&["build", "--quiet", "--locked", "--bin", name])
        .args(SELECTION)
        .status()
        .context("cannot run cargo")?;
    if !status.success() {
        bail!("{name} does not compile");
    }
    Ok(built(name))
}

/// The path of a built program.
pub fn built(name: &str) -> PathBuf {
    workspace::target().join("debug").join(name)
}
