use std::fmt;
use std::io::{self, BufRead};

use deploy_api::audit::chain::{Broken, Hash, Head, Link};
use deploy_api::audit::{Checkpoint, Verified};
use thiserror::Error;

/// The result for an intact log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    verified: Verified,
    /// The checkpoint with the most entries.
    last_checkpoint: Option<Checkpoint>,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            verified,
            last_checkpoint,
        } = self;
        writeln!(
            f,
            "The log is intact: {} entries, head {}.",
            verified.size, verified.head
        )?;
        if let Some(checkpoint) = last_checkpoint {
            let newer = verified.size.saturating_sub(checkpoint.size);
            write!(
                f,
                "The first {} match the checkpoint that was signed at {}.",
                checkpoint.size, checkpoint.time
            )?;
            if newer > 0 {
                write!(f, " Later entries, which no checkpoint covers: {newer}.")?;
            }
        }
        Ok(())
    }
}

/// Why a log is not the one that was signed.
#[derive(Debug, Error)]
pub enum InvalidLog {
    /// The file cannot be read.
    #[error(transparent)]
    File(#[from] io::Error),
    /// A line does not parse as an entry.
    #[error("line {line} is not an exported entry ({reason}): export the log with format=ndjson")]
    Line {
        /// The number of the line, from 1.
        line: u64,
        /// The parser's error.
        reason: serde_json::Error,
    },
    /// The export does not begin with the first entry.
    #[error(
        "the log begins with entry {0}: export it from the first entry, with order=oldest and without filters"
    )]
    Beginning(u64),
    /// An entry does not continue the hash chain.
    #[error(transparent)]
    Chain(#[from] Broken),
    /// The chain is intact, but its head is not the signed one: entries and all later hashes were replaced.
    #[error("entry {size} has the hash {found}, but {signed} was signed at {time}: the log was rewritten")]
    Rewritten {
        /// The number of entries that the checkpoint covers.
        size: u64,
        /// The hash of the last of these entries in the log.
        found: Hash,
        /// Its hash in the checkpoint.
        signed: Hash,
        /// When the checkpoint was signed.
        time: String,
    },
    /// The log has fewer entries than a checkpoint.
    #[error(
        "the log has {found} entries, but the checkpoint that was signed at {time} has {signed}: the last entries are \
         missing"
    )]
    Truncated {
        /// The number of entries in the log.
        found: u64,
        /// The number of entries that the checkpoint covers.
        signed: u64,
        /// When the checkpoint was signed.
        time: String,
    },
}

/// Verifies the hash chain of a log, one JSON line for each entry, and compares its heads with the checkpoints. The
/// signatures of the checkpoints must be verified already.
///
/// # Errors
/// The first problem.
pub fn check(log: impl BufRead, checkpoints: &[Checkpoint]) -> Result<Report, InvalidLog> {
    let mut head = Head::GENESIS;
    compare(head, checkpoints)?;
    for (line, text) in (1..).zip(log.lines()) {
        let text = text?;
        if text.is_empty() {
            continue;
        }
        let link: Link = serde_json::from_str(&text).map_err(|reason| InvalidLog::Line { line, reason })?;
        if head == Head::GENESIS && link.sequence != 1 {
            return Err(InvalidLog::Beginning(link.sequence));
        }
        head = head.follow(&link)?;
        compare(head, checkpoints)?;
    }
    if let Some(checkpoint) = checkpoints.iter().find(|checkpoint| checkpoint.size > head.size) {
        return Err(InvalidLog::Truncated {
            found: head.size,
            signed: checkpoint.size,
            time: checkpoint.time.to_string(),
        });
    }
    let last_checkpoint = checkpoints
        .iter()
        .max_by_key(|checkpoint| checkpoint.size)
        .cloned();
    Ok(Report {
        verified: Verified {
            size: head.size,
            head: head.hash,
        },
        last_checkpoint,
    })
}

/// Compares a head of the log with the checkpoints of the same size.
fn compare(head: Head, checkpoints: &[Checkpoint]) -> Result<(), InvalidLog> {
    let different = checkpoints
        .iter()
        .find(|checkpoint| checkpoint.size == head.size && checkpoint.head != head.hash);
    match different {
        None => Ok(()),
        Some(checkpoint) => Err(InvalidLog::Rewritten {
            size: head.size,
            found: head.hash,
            signed: checkpoint.head,
            time: checkpoint.time.to_string(),
        }),
    }
}
