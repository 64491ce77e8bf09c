//! `npm run build:archive`: the archives of `dotdo` in a release, as .github/workflows/release.yml builds them with `dist`.

use std::{
    collections::BTreeSet,
    fs,
    process::{Command, Stdio},
};

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use crate::{python_tools, workspace};

const RELEASE: &str = ".github/workflows/release.yml";

/// The tag of a release of this version.
const TAG: &str = concat!("--tag=v", env!("CARGO_PKG_VERSION"));

/// Builds the archive for this machine, and prints where it is.
///
/// # Errors
/// When `dist` cannot be installed, or the build fails.
pub fn build() -> Result<()> {
    let status = dist(&["build", TAG, "--artifacts=host"])?
        .status()
        .context("cannot start dist")?;
    ensure!(status.success(), "dist ended with {status}");
    Ok(())
}

/// Checks that `dist` plans an archive for each target of the release workflow, and for no other.
///
/// # Errors
/// When `dist` cannot be installed, rejects its configuration, or plans other archives.
pub fn check() -> Result<()> {
    let output = dist(&["plan", TAG, "--output-format=json"])?
        .stderr(Stdio::inherit())
        .output()
        .context("cannot start dist")?;
    ensure!(output.status.success(), "dist plan ended with {}", output.status);
    let plan: Value = serde_json::from_slice(&output.stdout).context("cannot read the plan of dist")?;
    let planned = planned_targets(&plan);
    let workflow = fs::read_to_string(workspace::path(RELEASE))?;
    let built = built_targets(&workflow);
    ensure!(
        planned == built,
        "dist-workspace.toml has the targets {planned:?}, and {RELEASE} builds {built:?}"
    );
    Ok(())
}

fn dist(arguments: &[&str]) -> Result<Command> {
    let mut command = Command::new(python_tools::program("dist", "xtask/dist-requirements.txt")?);
    command.current_dir(workspace::root()).args(arguments);
    Ok(command)
}

/// The targets of the archives with `dotdo`.
fn planned_targets(plan: &Value) -> BTreeSet<&str> {
    let artifacts = plan.get("artifacts").and_then(Value::as_object);
    let archives = artifacts
        .into_iter()
        .flat_map(|artifacts| artifacts.values())
        .filter(|artifact| artifact.get("kind").is_some_and(|kind| kind == "executable-zip"));
    archives
        .filter_map(|archive| archive.get("target_triples")?.as_array()?.first()?.as_str())
        .collect()
}

/// The targets in the matrix of the workflow.
fn built_targets(workflow: &str) -> BTreeSet<&str> {
    let entries = workflow
        .lines()
        .filter_map(|line| line.trim().strip_prefix("- { target: "));
    entries
        .filter_map(|entry| Some(entry.split_once(',')?.0))
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_targets_of_a_plan_and_of_a_workflow_are_found() {
        let plan = json!({ "artifacts": {
            "dotdo-a.zip": { "kind": "executable-zip", "target_triples": ["a"] },
            "dotdo-a.zip.sha256": { "kind": "checksum", "target_triples": ["a"] },
        } });
        assert_eq!(planned_targets(&plan), BTreeSet::from(["a"]));
        let workflow =
            "        include:\n          - { target: a, runner: x }\n          - { target: b, runner: y }\n";
        assert_eq!(built_targets(workflow), BTreeSet::from(["a", "b"]));
    }
}
