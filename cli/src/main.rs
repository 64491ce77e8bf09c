//! `dotdo`: the command line of the platform. It calls the deploy API, and shares its request and response types.
//!
//! - `commands/`: one file for each subject; `commands/mod.rs` lists them
//! - `client`: HTTP; `cloudflare`: the same for `setup` and `migrate cutover`, which call Cloudflare; `event_stream`: server-sent events; `credentials`: the address and the token; `failure`: errors and exit codes
//! - `output`, `table`, `count`, `progress`, `confirm`: what people see

mod arguments;
mod client;
mod clone;
mod cloudflare;
mod commands;
mod configuration;
mod confirm;
mod count;
mod credentials;
mod event_stream;
mod failure;
mod output;
mod private_file;
mod progress;
mod replaced_file;
mod session;
mod table;
mod terminal;
mod times;

use std::env;
use std::io::ErrorKind;
use std::process::ExitCode;

use clap::Parser;
use commands::Command;
use failure::{Exit, Failure};
use output::Output;
use session::Session;

/// What `--help` says after the commands.
const AFTER_HELP: &str = "\
Exit codes:
  0  the command succeeded
  1  it was refused: by the policy, by a lock, by a check, or by you
  2  the command line or an input is wrong, or there are no credentials
  3  the deploy API, or Cloudflare, cannot be reached, or cannot do its work now

Credentials: DOTDO_API and DOTDO_TOKEN, or else the platform of `npm run dev`, or else `dotdo login`.";

/// The command line of the .do platform
#[derive(Debug, Parser)]
#[command(name = "dotdo", version, after_help = AFTER_HELP, disable_help_subcommand = true)]
struct Arguments {
    /// Write the result as JSON, and an error as JSON on the standard error
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    command: Command,
}

fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) if error.use_stderr() && env::args_os().any(|argument| argument == "--json") => {
            let failure = failure::command_line(&error);
            eprintln!("{:#}", failure.json());
            return failure.exit().into();
        }
        Err(error) => error.exit(),
    };
    let session = Session {
        output: Output::new(arguments.json),
    };
    let exit = match commands::run(arguments.command, &session) {
        Ok(exit) => exit,
        // The reader of the output has seen enough, as `head` does.
        Err(Failure::Output(error)) if error.kind() == ErrorKind::BrokenPipe => Exit::Success,
        Err(failure) => {
            session.output.failure(&failure);
            failure.exit()
        }
    };
    exit.into()
}

#[cfg(test)]
mod documentation;
