//! `dotdo audit verify`: checks that the hash chain of the log is intact, that its archived segments are signed, and that it
//! continues the log that was signed in earlier checkpoints.
//!
//! An exported log is checked with only the deploy API's public key, and without the deploy API. So a third party that stores
//! checkpoints can prove that no entry before them was changed or removed.

use std::io::BufRead as _;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use clap::Args;
use deploy_api::audit::{Checkpoint, Segment, SegmentHeader};
use deploy_api::v1::types::AuditVerification;
use serde_json::json;

use super::chain::{Chain, Report};
use super::export::open;
use crate::client::{Answer, with_parameters};
use crate::failure::{Exit, Failure};
use crate::progress;
use crate::session::Session;

/// The arguments of `dotdo audit verify`.
#[derive(Args, Debug)]
#[command(
    after_help = "JSON: {\"intact\": true, \"size\", \"head\"}, and of an exported log also \"segments\", \"signed\" and \"checkpoint\". The exit code is 1, with the reason, if the log is not intact.\n\nExample, without the deploy API: dotdo audit verify --log audit/log.ndjson --checkpoint checkpoint.json --key 61d5… audit/segment-*.ndjson"
)]
pub struct VerifyArguments {
    /// The entries that are not archived, as `dotdo audit export` stores them
    #[arg(long, value_name = "FILE")]
    log: Option<PathBuf>,
    /// A checkpoint, as `dotdo audit checkpoint` printed it; can be repeated
    #[arg(long, value_name = "FILE", requires = "key")]
    checkpoint: Vec<PathBuf>,
    /// The public key of the checkpoints and segments, 64 hexadecimal digits. Do not take it from a checkpoint or a segment itself. Without
    /// it, signatures are not verified
    #[arg(long, value_name = "HEX", value_parser = public_key)]
    key: Option<String>,
    /// The archived segments from the first entry on, in any order
    #[arg(value_name = "SEGMENT")]
    segments: Vec<PathBuf>,
}

/// A key that has no form of one would verify nothing.
fn public_key(text: &str) -> Result<String, String> {
    let is_key = text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_key
        .then(|| text.to_owned())
        .ok_or_else(|| "write the 64 hexadecimal digits of \"key\" of a checkpoint".to_owned())
}

/// A file that cannot be read says nothing about the log.
fn files_exist(arguments: &VerifyArguments) -> Result<(), Failure> {
    let files = arguments
        .log
        .iter()
        .chain(&arguments.checkpoint)
        .chain(&arguments.segments);
    for file in files {
        std::fs::File::open(file).map_err(|error| {
            Failure::usage(
                format!("{} cannot be read: {error}", file.display()),
                "Export the log: dotdo audit export FOLDER. A checkpoint is the output of `dotdo audit checkpoint`.",
            )
        })?;
    }
    Ok(())
}

/// Verifies the files, or the log in the deploy API if there are none.
pub fn verify(arguments: &VerifyArguments, session: &Session) -> Result<Exit, Failure> {
    let is_offline = arguments.log.is_some() || !arguments.segments.is_empty();
    if !is_offline {
        if !arguments.checkpoint.is_empty() || arguments.key.is_some() {
            return Err(Failure::usage(
                "--log is missing",
                "Export the log first: dotdo audit export FOLDER",
            ));
        }
        return online(session);
    }
    files_exist(arguments)?;
    let report = offline(arguments).map_err(|error| {
        Failure::refused(
            format!("{error:#}"),
            "If the export is complete, the log was changed: compare it with earlier exports.",
        )
    })?;
    session
        .output
        .either(&report.json(), |output| output.line(report.to_string()))?;
    Ok(Exit::Success)
}

/// Verifies the log in the deploy API, step by step.
fn online(session: &Session) -> Result<Exit, Failure> {
    let client = session.client()?;
    let mut cursor = None;
    progress::during("verifying the log", || {
        loop {
            let path = with_parameters("/v1/audit/verify", &[("cursor", cursor.take())]);
            let answer: Answer<AuditVerification> = client.get(&path)?;
            match answer.value {
                AuditVerification::Whole {
                    cursor: Some(next), ..
                } => cursor = Some(next),
                AuditVerification::Whole {
                    first, size, head, ..
                } => return Ok((first, size, head)),
                AuditVerification::Broken { broken_at, how, .. } => {
                    return Err(Failure::refused(
                        format!("the log is broken at entry {broken_at}: {how}"),
                        "Export it, and compare it with earlier exports: dotdo audit export FOLDER",
                    ));
                }
            }
        }
    })
    .and_then(|(first, size, head)| {
        session.output.either(
            &json!({ "intact": true, "first": first, "size": size, "head": head }),
            |output| {
                output.line(format!(
                    "The log is intact: entries {first} to {size}, head {head}."
                ))
            },
        )
    })?;
    Ok(Exit::Success)
}

fn offline(arguments: &VerifyArguments) -> Result<Report> {
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
        chain.add_log(open(path).with_context(file)?).with_context(file)?;
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
    open(path)?.read_line(&mut line)?;
    serde_json::from_str(&line)
        .context("this is not an archived segment: store them with `dotdo audit export`")
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
        .context("this is not a checkpoint: store the output of `dotdo audit checkpoint`")
        .with_context(file)?;
    checkpoint.verify(key).with_context(file)?;
    Ok(checkpoint)
}
