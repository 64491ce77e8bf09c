use std::fmt;
use std::io::{self, BufRead};

use deploy_api::audit::chain::{Broken, Hash, Head, Link};
use deploy_api::audit::{Checkpoint, Verified};
use thiserror::Error;

/// What a log that is whole says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    verified: Verified,
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
            "The chain is whole: {} entries, head {}.",
            verified.size, verified.head
        )?;
        if let Some(checkpoint) = last_checkpoint {
            let newer = verified.size.saturating_sub(checkpoint.size);
            write!(
                f,
                "The first {} are those that were signed at {}",
                checkpoint.size, checkpoint.time
            )?;
            match newer {
                0 => f.write_str("."),
                _ => write!(f, "; {newer} came later, and no checkpoint vouches for them yet."),
            }?;
        }
        Ok(())
    }
}

/// What is wrong with a log.
#[derive(Debug, Error)]
pub enum Wrong {
    /// The file cannot be read.
    #[error(transparent)]
    File(#[from] io::Error),
    /// A line is no entry.
    #[error("line {line} is no exported entry: {reason}")]
    Line {
        /// From 1.
        line: u64,
        /// Why.
        reason: serde_json::Error,
    },
    /// The log is a part only.
    #[error("the log begins with entry {0}; export it from the first, oldest first and without filters")]
    Beginning(u64),
    /// The chain is broken.
    #[error(transparent)]
    Chain(#[from] Broken),
    /// The log was rewritten from some entry on, hashes and all.
    #[error("entry {size} has the hash {found}, but {signed} was signed at {time}: the log was rewritten")]
    Rewritten {
        /// The checkpoint's size.
        size: u64,
        /// The log's hash there.
        found: Hash,
        /// The checkpoint's.
        signed: Hash,
        /// When it was signed.
        time: String,
    },
    /// The log's end is missing.
    #[error(
        "the log has {found} entries, but {signed} were signed at {time}: entries are missing at its end"
    )]
    Shortened {
        /// How many there are.
        found: u64,
        /// How many there were.
        signed: u64,
        /// When they were signed.
        time: String,
    },
}

/// Walks a log, one JSON line for each entry, and compares its heads with checkpoints whose signatures are good.
///
/// # Errors
/// The first thing that is wrong.
pub fn check(log: impl BufRead, checkpoints: &[Checkpoint]) -> Result<Report, Wrong> {
    let mut head = Head::GENESIS;
    compare(head, checkpoints)?;
    for (line, text) in (1..).zip(log.lines()) {
        let text = text?;
        if text.is_empty() {
            continue;
        }
        let link: Link = serde_json::from_str(&text).map_err(|reason| Wrong::Line { line, reason })?;
        if head == Head::GENESIS && link.sequence != 1 {
            return Err(Wrong::Beginning(link.sequence));
        }
        head = head.follow(&link)?;
        compare(head, checkpoints)?;
    }
    if let Some(checkpoint) = checkpoints.iter().find(|checkpoint| checkpoint.size > head.size) {
        let time = checkpoint.time.to_string();
        return Err(Wrong::Shortened {
            found: head.size,
            signed: checkpoint.size,
            time,
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

fn compare(head: Head, checkpoints: &[Checkpoint]) -> Result<(), Wrong> {
    match checkpoints
        .iter()
        .find(|checkpoint| checkpoint.size == head.size && checkpoint.head != head.hash)
    {
        None => Ok(()),
        Some(checkpoint) => Err(Wrong::Rewritten {
            size: head.size,
            found: head.hash,
            signed: checkpoint.head,
            time: checkpoint.time.to_string(),
        }),
    }
}
