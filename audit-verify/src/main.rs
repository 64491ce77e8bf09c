//! Checks an exported audit log of the deploy API: that its chain is whole, and that it is the one whose head was
//! signed at some time.
//!
//! ```text
//! audit-verify --log audit.ndjson --checkpoint checkpoint.json --key 61d5…
//! ```
//!
//! It needs nothing of the deploy API but its public key, so that an outsider who keeps checkpoints can prove that
//! nothing before them was rewritten or removed. It ends with 0 when all is well, and with 1 and the reason when not.

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
    /// The log from its first entry, one JSON line each: `GET /v1/audit?format=ndjson&order=oldest`, page by page.
    #[arg(long, value_name = "FILE")]
    log: PathBuf,
    /// A checkpoint, as `GET /v1/audit/checkpoint` answered it. May be given several times.
    #[arg(long, value_name = "FILE", required = true)]
    checkpoint: Vec<PathBuf>,
    /// The public key that signs checkpoints, as 64 hexadecimal digits, from a source other than the checkpoint.
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
    let log = File::open(&arguments.log).with_context(|| arguments.log.display().to_string())?;
    check::check(BufReader::new(log), &checkpoints).with_context(|| arguments.log.display().to_string())
}

fn read_checkpoint(path: &Path, key: &str) -> Result<Checkpoint> {
    let file = || path.display().to_string();
    let text = std::fs::read_to_string(path).with_context(file)?;
    let checkpoint: Checkpoint = serde_json::from_str(&text)
        .context("not a checkpoint")
        .with_context(file)?;
    checkpoint.verify(key).with_context(file)?;
    Ok(checkpoint)
}
