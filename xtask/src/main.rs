//! The project's own commands, behind the npm scripts. `cargo run -p xtask -- --help` lists them.

mod build;
mod node_tools;
mod workspace;
mod wrangler_config;

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
    /// Build a Worker to Wasm (wrangler calls this; see `build` in wrangler.jsonc)
    Build(build::Arguments),
}

fn main() -> anyhow::Result<()> {
    match Arguments::parse().command {
        Command::Build(arguments) => build::run(&arguments),
    }
}
