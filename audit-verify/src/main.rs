//! Checks an exported audit log of the deploy API: that its hash chain is intact, and that it continues the log that
//! was signed in earlier checkpoints.
//!
//! ```text
//! audit-verify --log audit.ndjson --checkpoint checkpoint.json --key 61d5…
//! ```
//!
//! It needs only the deploy API's public key, not the deploy API. So a third party that stores checkpoints can prove
//! that no entry before them was changed or removed. The exit code is 0 for an intact log, and 1, with the reason,
//! for any other.

mod check;

use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::Parser;
use deploy_api::audit::Checkpoint;

/// Checks an exported audit log of the deploy API against signed checkpoints.
#[derive(Debug, Parser)]
#[command(version)]
struct Arguments {
    /// The log from its first entry, one JSON line per entry: all pages of `GET /v1/audit?format=ndjson&order=oldest`.
    #[arg(long, value_name = "FILE")]
    log: PathBuf,
    /// A checkpoint, as `GET /v1/audit/checkpoint` returned it. Can be repeated.
    #[arg(long, value_name = "FILE", required = true)]
    checkpoint: Vec<PathBuf>,
    /// The public key of the checkpoints, 64 hexadecimal digits. Do not take it from the checkpoint itself.
    #[arg(long, value_name = "HEX")]
    key: String,
}

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(report) => {
            println!("{report}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("{error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> Result<check::Report> {
    let checkpoints = arguments
        .checkpoint
        .iter()
        .map(|path| read_checkpoint(path, &arguments.key))
        .collect::<Result<Vec<_>>>()?;
    let file = || arguments.log.display().to_string();
    let log = File::open(&arguments.log).with_context(file)?;
    check::check(BufReader::new(log), &checkpoints).with_context(file)
}

fn read_checkpoint(path: &Path, key: &str) -> Result<Checkpoint> {
    let file = || path.display().to_string();
    let text = std::fs::read_to_string(path).with_context(file)?;
    let checkpoint: Checkpoint = serde_json::from_str(&text)
        .context("this is not a checkpoint: store the response of GET /v1/audit/checkpoint")
        .with_context(file)?;
    checkpoint.verify(key).with_context(file)?;
    Ok(checkpoint)
}
