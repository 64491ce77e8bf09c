//! The project's own commands, behind the npm scripts. `sh xtask/run --help` lists them.

mod archives;
mod bench;
mod build;
mod cargo;
mod chaos;
mod check;
mod deploy;
mod dev;
mod fuzz;
mod node_tools;
mod platform;
mod python_tools;
mod runtime;
mod schemathesis;
mod test;
mod workflows;
mod workspace;
mod wrangler_output;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(
    name = "npm run",
    about = "The .do platform's commands",
    disable_help_subcommand = true
)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Compare the dispatch Worker with its alternatives under load
    Bench(bench::Arguments),
    /// Build a Worker to Wasm (wrangler calls this; see `build` in wrangler.jsonc)
    Build(build::Arguments),
    /// Validate the configuration of the Workers
    Check(check::Arguments),
    /// Kill the deploy API's runtime repeatedly, and check its record
    Chaos(chaos::Arguments),
    /// Start the whole platform on this machine
    Dev(dev::Arguments),
    /// Check the configuration, then deploy a Worker of this repository with wrangler
    Deploy(deploy::Arguments),
    /// Fuzz every parser of external input (needs nightly Rust and cargo-fuzz)
    Fuzz(fuzz::Arguments),
    /// Run the Workers runtime for wrangler (the local platform calls this)
    #[command(hide = true)]
    Runtime(runtime::Arguments),
    /// Send generated requests to the deploy API (needs Python)
    Schemathesis(schemathesis::Arguments),
    /// Build the archive of `dotdo` for this machine, as a release has it (needs Python)
    BuildArchive,
    /// Check the GitHub workflows, also those in the documentation, with actionlint (needs Python)
    LintWorkflows,
    /// Run every test, except those of the larger projects
    Test(test::Arguments),
    /// Install, build and deploy the larger projects of `tests/apps`, and use them
    TestApps(test::Arguments),
}

fn main() -> ExitCode {
    workspace::find_program();
    match run(Arguments::parse().command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(command: Command) -> anyhow::Result<()> {
    match command {
        Command::Bench(arguments) => bench::run(&arguments),
        Command::Build(arguments) => build::run(&arguments),
        Command::Check(arguments) => check::run(&arguments),
        Command::Chaos(arguments) => chaos::run(&arguments),
        Command::Dev(arguments) => dev::run(&arguments),
        Command::Deploy(arguments) => deploy::run(&arguments),
        Command::Fuzz(arguments) => fuzz::run(&arguments),
        Command::Runtime(arguments) => runtime::run(&arguments),
        Command::BuildArchive => archives::build(),
        Command::LintWorkflows => workflows::lint(),
        Command::Schemathesis(arguments) => schemathesis::run(&arguments),
        Command::Test(arguments) => test::run(&arguments),
        Command::TestApps(arguments) => test::apps::run(&arguments),
    }
}
