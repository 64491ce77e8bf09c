//! `npm test`: everything that must hold, in the order in which a failure is found soonest.

use std::{
    process::Command,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};
use clap::Args;

use crate::{
    build::{self, Worker},
    workspace,
};

#[derive(Args)]
pub struct Arguments {
    /// Only the end-to-end tests whose names contain this
    filter: Option<String>,
}

/// The package of the end-to-end tests.
const END_TO_END: &str = "end-to-end";

/// Runs every step, and stops at the first that fails.
///
/// # Errors
/// When a step fails; its own output says why.
pub fn run(arguments: &Arguments) -> Result<()> {
    let begin = Instant::now();
    if arguments.filter.is_none() {
        step("format", cargo(&["fmt", "--all", "--check"]))?;
        step(
            "clippy, natively",
            cargo(&[
                "clippy",
                "--workspace",
                "--all-targets",
                "--locked",
                "--",
                "-D",
                "warnings",
            ]),
        )?;
        build::ensure_target()?;
        for worker in [Worker::Dispatcher, Worker::DeployApi] {
            step(
                &format!("clippy, {} as Wasm", worker.package()),
                cargo(&[
                    "clippy",
                    "--lib",
                    "--locked",
                    "--target",
                    build::TARGET,
                    "--package",
                    worker.package(),
                    "--",
                    "-D",
                    "warnings",
                ]),
            )?;
        }
        step(
            "compiling the native tests",
            cargo(&["test", "--workspace", "--locked", "--no-run"]),
        )?;
        step(
            "native tests",
            cargo(&[
                "test",
                "--workspace",
                "--exclude",
                END_TO_END,
                "--locked",
                "--quiet",
            ]),
        )?;
        step(
            "types of the local platform",
            npm(&["run", "--silent", "typecheck"]),
        )?;
        step(
            "tests of the local platform",
            npm(&["run", "--silent", "test:local"]),
        )?;
        step("configuration", xtask(&["check"])?)?;
    }
    build::build(Worker::Dispatcher, true)?;
    build::build(Worker::DeployApi, true)?;
    let mut end_to_end = cargo(&["test", "--package", END_TO_END, "--locked"]);
    if let Some(filter) = &arguments.filter {
        end_to_end.arg("--").arg(filter);
    }
    end_to_end.env("XTASK", workspace::program()?);
    // They mostly wait: for a platform, for wrangler, for each other's turn.
    end_to_end.env("RUST_TEST_THREADS", "8");
    step("end-to-end tests", end_to_end)?;
    say(&format!("all passed in {}", minutes(begin.elapsed())));
    Ok(())
}

fn step(name: &str, mut command: Command) -> Result<()> {
    say(name);
    let begin = Instant::now();
    let status = command
        .status()
        .with_context(|| format!("cannot start the step \"{name}\""))?;
    if !status.success() {
        bail!("the step \"{name}\" failed ({status})");
    }
    say(&format!("{name}: done in {}", minutes(begin.elapsed())));
    Ok(())
}

fn say(text: &str) {
    eprintln!("[test] {text}");
}

fn minutes(time: Duration) -> String {
    format!("{}:{:02} min", time.as_secs() / 60, time.as_secs() % 60)
}

fn cargo(arguments: &[&str]) -> Command {
    let mut command = Command::new("cargo");
    command.current_dir(workspace::root()).args(arguments);
    command
}

fn npm(arguments: &[&str]) -> Command {
    let mut command = Command::new("npm");
    command.current_dir(workspace::root()).args(arguments);
    command
}

fn xtask(arguments: &[&str]) -> Result<Command> {
    let mut command = Command::new(workspace::program()?);
    command.args(arguments);
    Ok(command)
}
