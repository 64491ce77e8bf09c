//! `npm test`: every check and every test, in the order in which a failure is found soonest.

pub mod apps;
mod programs;

use std::{
    fs,
    os::unix::fs::MetadataExt,
    process::Command,
    thread,
    time::{Duration, Instant, SystemTime},
};

use anyhow::{Context, Result, anyhow, bail, ensure};
use clap::Args;

use crate::{
    archives,
    build::{self, Worker},
    cargo, workflows, workspace,
};
use programs::{Selection, TestProgram};

/// How many end-to-end tests run at once. Most of the time they wait: for a platform, for wrangler, for a lock.
const END_TO_END_THREADS: &str = "8";

#[derive(Args)]
pub struct Arguments {
    /// Run only the end-to-end tests whose names contain this
    filter: Option<String>,
}

/// Runs every step, and stops at the first that fails.
///
/// # Errors
/// When a step fails; its own output says why.
pub fn run(arguments: &Arguments) -> Result<()> {
    let begin = Instant::now();
    let build_tool = BuildTool::now()?;
    let programs = if arguments.filter.is_none() {
        everything_but_end_to_end()?
    } else {
        let programs = compile(Selection::EndToEnd)?;
        build_workers()?;
        programs
    };
    end_to_end(&programs, arguments.filter.as_deref())?;
    build_tool.check()?;
    say(&format!("all passed in {}", minutes(begin.elapsed())));
    Ok(())
}

/// Runs every other step, and returns the compiled test programs.
fn everything_but_end_to_end() -> Result<Vec<TestProgram>> {
    run_step("format", cargo::command(&["fmt", "--all", "--check"]))?;
    at_once(typescript, lints)?;
    let programs = compile(Selection::All)?;
    at_once(build_workers, || {
        native_tests(&programs)?;
        let mut check = Command::new(workspace::program()?);
        check.arg("check");
        run_step("configuration", check)?;
        step("workflows", workflows::lint)?;
        step("plan of a release", archives::check)
    })?;
    Ok(programs)
}

fn lints() -> Result<()> {
    run_step(
        "clippy, natively",
        clippy(&["--workspace", "--all-targets", "--locked"]),
    )?;
    build::ensure_target()?;
    let mut arguments = vec!["--lib", "--locked", "--target", build::TARGET];
    for worker in [Worker::Dispatcher, Worker::DeployApi] {
        arguments.extend(["--package", worker.package()]);
    }
    run_step("clippy, the Workers as Wasm", clippy(&arguments))
}

fn typescript() -> Result<()> {
    run_step("types of the TypeScript programs", npm("typecheck"))?;
    run_step("tests of the local platform", npm("test:local"))?;
    run_step("tests of the actions", npm("test:actions"))
}

fn native_tests(programs: &[TestProgram]) -> Result<()> {
    step("native tests", || {
        for program in programs.iter().filter(|program| !program.is_end_to_end) {
            let mut command = program.command();
            command.arg("--quiet");
            succeed(&program.name, command)?;
        }
        succeed(
            "tests in the documentation",
            cargo::command(&["test", "--workspace", "--doc", "--locked", "--quiet"]),
        )
    })
}

fn compile(selection: Selection) -> Result<Vec<TestProgram>> {
    let mut programs = Vec::new();
    step("compiling the tests", || {
        programs = programs::compile(selection)?;
        Ok(())
    })?;
    Ok(programs)
}

fn build_workers() -> Result<()> {
    step("building the Workers", || {
        at_once(
            || build::build(Worker::Dispatcher, true),
            || build::build(Worker::DeployApi, true),
        )
    })
}

/// Runs two steps at the same time: each uses one core for some of it, such as the optimisation of a Worker or the TypeScript compiler.
fn at_once(first: impl FnOnce() -> Result<()> + Send, second: impl FnOnce() -> Result<()>) -> Result<()> {
    thread::scope(|scope| {
        let first = scope.spawn(first);
        let second = second();
        first.join().map_err(|_| anyhow!("a step panicked"))?.and(second)
    })
}

fn end_to_end(programs: &[TestProgram], filter: Option<&str>) -> Result<()> {
    let mut count = 0;
    for program in programs.iter().filter(|program| program.is_end_to_end) {
        let mut command = program.command();
        if let Some(filter) = filter {
            match program.count(filter)? {
                0 => continue,
                matching => count += matching,
            }
            command.arg(filter);
        }
        command
            .env("XTASK", workspace::program()?)
            .env("RUST_TEST_THREADS", END_TO_END_THREADS);
        run_step(&format!("end-to-end tests, {}", program.name), command)?;
    }
    if let Some(filter) = filter {
        ensure!(count > 0, "no end-to-end test has {filter:?} in its name");
    }
    Ok(())
}

/// The file of this program. A build that replaces it while tests run uses another selection of packages than
/// `xtask/run`, and makes cargo compile everything twice.
#[derive(Debug, PartialEq, Eq)]
struct BuildTool {
    inode: u64,
    linked: SystemTime,
}

impl BuildTool {
    fn now() -> Result<Self> {
        let path = cargo::built("xtask");
        let metadata = fs::metadata(&path).with_context(|| format!("cannot find {}", path.display()))?;
        Ok(Self {
            inode: metadata.ino(),
            linked: metadata.modified()?,
        })
    }

    fn check(&self) -> Result<()> {
        ensure!(
            *self == Self::now()?,
            "{} was rebuilt while the tests ran. If no file of the repository was edited, a command builds it with \
             other options than xtask/run",
            cargo::built("xtask").display()
        );
        Ok(())
    }
}

fn run_step(name: &str, command: Command) -> Result<()> {
    step(name, || succeed(name, command))
}

fn step(name: &str, action: impl FnOnce() -> Result<()>) -> Result<()> {
    say(name);
    let begin = Instant::now();
    action()?;
    say(&format!("{name}: done in {}", minutes(begin.elapsed())));
    Ok(())
}

fn succeed(name: &str, mut command: Command) -> Result<()> {
    let status = command
        .status()
        .with_context(|| format!("cannot start \"{name}\""))?;
    if !status.success() {
        bail!("\"{name}\" failed ({status})");
    }
    Ok(())
}

fn say(text: &str) {
    eprintln!("[test] {text}");
}

fn minutes(time: Duration) -> String {
    format!("{}:{:02} min", time.as_secs() / 60, time.as_secs() % 60)
}

fn clippy(arguments: &[&str]) -> Command {
    let mut command = cargo::command(&["clippy"]);
    command.args(arguments).args(["--", "-D", "warnings"]);
    command
}

fn npm(script: &str) -> Command {
    let mut command = Command::new("npm");
    command
        .current_dir(workspace::root())
        .args(["run", "--silent", script]);
    command
}
