//! `dotdo completions`.

use clap::{Args, CommandFactory as _};
use clap_complete::{Shell, generate};

use crate::failure::{Exit, Failure};
use crate::session::Session;

/// The arguments of `dotdo completions`.
#[derive(Args, Debug)]
#[command(
    after_help = "Example: dotdo completions bash > ~/.local/share/bash-completion/completions/dotdo\n\nIt has no JSON: --json changes nothing."
)]
pub struct CompletionsArguments {
    /// The shell
    shell: Shell,
}

/// Prints the script.
pub fn run(arguments: &CompletionsArguments, session: &Session) -> Result<Exit, Failure> {
    let mut script = Vec::new();
    generate(
        arguments.shell,
        &mut crate::Arguments::command(),
        "dotdo",
        &mut script,
    );
    session.output.text(&String::from_utf8_lossy(&script))?;
    Ok(Exit::Success)
}
