//! `npm run test:apps`: larger projects with current packages, on the local platform.

use std::{process::Command, time::Instant};

use anyhow::Result;

use super::{Arguments, build_workers, compile, end_to_end, minutes, programs::Selection, run_step, say};
use crate::{node_tools, workspace};

/// The folder with the projects and their lock file.
const FOLDER: &str = "tests/apps";

/// Installs and builds the projects, and runs their tests.
///
/// # Errors
/// When a step fails; its own output says why.
pub fn run(arguments: &Arguments) -> Result<()> {
    let begin = Instant::now();
    run_step(
        "installing the projects",
        npm(&["ci", "--no-audit", "--no-fund"])?,
    )?;
    run_step("building the projects", npm(&["run", "build", "--workspaces"])?)?;
    let programs = compile(Selection::Apps)?;
    build_workers()?;
    end_to_end(&programs, arguments.filter.as_deref())?;
    say(&format!("all passed in {}", minutes(begin.elapsed())));
    Ok(())
}

/// npm in the folder of the projects.
fn npm(arguments: &[&str]) -> Result<Command> {
    let mut command = node_tools::npm(&workspace::path(FOLDER))?;
    // A build of Next.js neither asks nor reports anything.
    command
        .args(arguments)
        .envs([("CI", "true"), ("NEXT_TELEMETRY_DISABLED", "1")]);
    Ok(command)
}
