//! Checks an exported audit log of the deploy API: that its hash chain is intact, that its archived segments are signed,
//! and that it continues the log that was signed in earlier checkpoints.
//!
//! ```text
//! audit-verify --log audit.ndjson --checkpoint checkpoint.json --key 61d5… segment-*.ndjson
//! ```
//!
//! It needs only the deploy API's public key, not the deploy API. So a third party that stores checkpoints can prove
//! that no entry before them was changed or removed. The exit code is 0 for an intact log, and 1, with the reason,
//! for any other.

mod check;

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result};
use check::{Chain, Report};
use clap::Parser;
use deploy_api::audit::{Checkpoint, Segment, SegmentHeader};

/// Checks an exported audit log of the deploy API, with its archived segments, against signed checkpoints.
#[derive(Debug, Parser)]
#[command(version)]
struct Arguments {
    /// The entries that are not archived, one JSON line per entry: all pages of
    /// `GET /v1/audit?format=ndjson&order=oldest`.
    #[arg(long, value_name = "FILE", required_unless_present = "segments")]
    log: Option<PathBuf>,
    /// A checkpoint, as `GET /v1/audit/checkpoint` returned it. Can be repeated.
    #[arg(long, value_name = "FILE", requires = "key")]
    checkpoint: Vec<PathBuf>,
    /// The public key of the checkpoints and segments, 64 hexadecimal digits. Do not take it from a checkpoint or a segment
    /// itself. Without it, signatures are not verified.
    #[arg(long, value_name = "HEX")]
    key: Option<String>,
    /// The archived segments from the first entry on, in any order, as `GET /v1/audit/segments/{first}` returned them.
    #[arg(value_name = "SEGMENT")]
    segments: Vec<PathBuf>,
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

fn run(arguments: &Arguments) -> Result<Report> {
    let key = arguments.key.as_deref();
    // The command line requires a key for checkpoints.
    let checkpoints = arguments
        .checkpoint
        .iter()
        .map(|path| read_checkpoint(path, key.unwrap_or_default()))
        .collect::<Result<Vec<_>>>()?;
    let mut chain = Chain::new(checkpoints)?;
    for path in in_order(&arguments.segments)? {
        add_segment(&mut chain, path, key).with_context(|| path.display().to_string())?;
    }
    if let Some(path) = &arguments.log {
        let file = || path.display().to_string();
        let log = File::open(path).with_context(file)?;
        chain.add_log(BufReader::new(log)).with_context(file)?;
    }
    Ok(chain.finish(key.is_some())?)
}

/// The files of segments in the order of their first entries. Only one segment at a time is read as a whole.
fn in_order(paths: &[PathBuf]) -> Result<Vec<&Path>> {
    let mut segments = paths
        .iter()
        .map(|path| {
            let header = read_header(path).with_context(|| path.display().to_string())?;
            Ok((header.first, path.as_path()))
        })
        .collect::<Result<Vec<_>>>()?;
    segments.sort();
    Ok(segments.into_iter().map(|(_, path)| path).collect())
}

fn read_header(path: &Path) -> Result<SegmentHeader> {
    let mut line = String::new();
    BufReader::new(File::open(path)?).read_line(&mut line)?;
    serde_json::from_str(&line)
        .context("this is not an archived segment: store the response of GET /v1/audit/segments/{first}")
}

fn add_segment(chain: &mut Chain, path: &Path, key: Option<&str>) -> Result<()> {
    let segment = Segment::read(&std::fs::read_to_string(path)?)?;
    if let Some(key) = key {
        segment.verify(key)?;
    }
    Ok(chain.add_segment(&segment)?)
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
