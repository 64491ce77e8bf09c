//! The program that wrangler starts in place of the Workers runtime, with the runtime's arguments and its configuration on standard
//! input.
//!
//! It starts the runtime, and starts it again with the same configuration when it ends. That takes a second, a new start of wrangler
//! several. It tells the supervisor of the platform before each start, after it, and when the runtime serves: [`RuntimeReport`].
//!
//! The runtime gets no inspector: that port accepts every client, and web pages of every origin, and gives it the memory of all Workers.
//! `wrangler dev` has no option to close it, and waits for the message with its port, so this program sends one.

use std::{
    io::{self, BufRead, BufReader, Read, Write},
    os::unix::process::CommandExt,
    process::{Command, Stdio},
};

use anyhow::{Context, Result, bail};
use clap::Args;
use serde::Deserialize;
use serde_json::json;

use crate::{
    node_tools,
    platform::{RUNTIME_LAUNCHER, RUNTIME_PROGRAM, RuntimeReport, RuntimeReports},
    workspace,
};

/// The argument by which the runtime of the Workers differs from that of wrangler's own proxy.
const INSPECTOR: &str = "--inspector-addr=";
/// The name of the socket that serves requests.
const ENTRY: &str = "entry";

#[derive(Args)]
pub struct Arguments {
    /// The arguments of the runtime
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    arguments: Vec<String>,
}

/// Runs the runtime until it ends before it serves, or the supervisor does not want another start.
///
/// # Errors
/// When the runtime cannot be started, or the supervisor does not answer.
pub fn run(Arguments { arguments }: &Arguments) -> Result<()> {
    let (inspector, arguments): (Vec<_>, Vec<_>) = arguments
        .iter()
        .partition(|argument| argument.starts_with(INSPECTOR));
    let mut command = Command::new(workspace::path(RUNTIME_LAUNCHER));
    command
        .arg(node_tools::workerd()?)
        .args(arguments)
        .env_remove(RUNTIME_PROGRAM);
    if inspector.is_empty() {
        return Err(command.exec()).context("cannot start the runtime of wrangler's proxy");
    }
    let reports = RuntimeReports::from_environment()?;
    let mut configuration = Vec::new();
    io::stdin().lock().read_to_end(&mut configuration)?;
    RuntimeReports::hide_from(&mut command);
    command.stdin(Stdio::piped()).stdout(Stdio::piped());
    send_to_wrangler(&json!({ "event": "listen-inspector", "port": 1 }).to_string())?;
    let mut is_first = true;
    loop {
        reports.send(RuntimeReport::Begin { again: !is_first })?;
        let mut child = command.spawn().context("cannot start the runtime")?;
        let process = i32::try_from(child.id()).context("the process id is out of range")?;
        reports.send(RuntimeReport::Process { process })?;
        if let Some(mut input) = child.stdin.take() {
            // An error means that the runtime ended, and the loop below sees that.
            let _ = input.write_all(&configuration);
        }
        let mut serves = false;
        for line in child
            .stdout
            .take()
            .into_iter()
            .flat_map(|output| BufReader::new(output).lines())
        {
            let line = line?;
            if is_first {
                send_to_wrangler(&line)?;
            }
            if let Some(port) = entry_port(&line) {
                serves = true;
                reports.send(RuntimeReport::Port { process, port })?;
            }
        }
        let status = child.wait()?;
        if !serves {
            bail!("the runtime ended before it served ({status})");
        }
        is_first = false;
    }
}

/// Sends a control message to wrangler.
fn send_to_wrangler(message: &str) -> io::Result<()> {
    let mut output = io::stdout().lock();
    writeln!(output, "{message}")?;
    output.flush()
}

/// The port in the control message of the runtime that it serves requests.
fn entry_port(message: &str) -> Option<u16> {
    #[derive(Deserialize)]
    struct Listen {
        event: String,
        socket: String,
        port: u16,
    }
    let Listen { event, socket, port } = serde_json::from_str(message).ok()?;
    (event == "listen" && socket == ENTRY).then_some(port)
}
