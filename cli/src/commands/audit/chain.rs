//! The hash chain of an exported log.

use std::fmt;
use std::io::{self, BufRead};

use crate::count::counted;
use deploy_api::audit::chain::{Break, Broken, Hash, Head, Link};
use deploy_api::audit::{Checkpoint, Segment, Verified};
use serde_json::{Value, json};
use thiserror::Error;

/// The result for an intact log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    verified: Verified,
    /// The number of archived segments.
    segments: usize,
    /// Whether the signatures of the segments are verified.
    is_signed: bool,
    /// The checkpoint with the most entries.
    last_checkpoint: Option<Checkpoint>,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            verified,
            segments,
            is_signed,
            last_checkpoint,
        } = self;
        write!(
            f,
            "The log is intact: {}, head {}.",
            counted(verified.size, "entry", "entries"),
            verified.head
        )?;
        if *segments > 0 {
            write!(f, "\nArchived segments: {segments}")?;
            f.write_str(if *is_signed {
                ", all signed by the key."
            } else {
                "; their signatures were not verified, because no key was given."
            })?;
        }
        if let Some(checkpoint) = last_checkpoint {
            let newer = verified.size.saturating_sub(checkpoint.size);
            write!(
                f,
                "\nThe first {} the checkpoint that was signed at {}.",
                counted(checkpoint.size, "entry matches", "entries match"),
                checkpoint.time
            )?;
            if newer > 0 {
                write!(f, " Later entries, which no checkpoint covers: {newer}.")?;
            }
        }
        Ok(())
    }
}

impl Report {
    /// The report for a program.
    #[must_use]
    pub fn json(&self) -> Value {
        json!({
            "intact": true,
            "size": self.verified.size,
            "head": self.verified.head,
            "segments": self.segments,
            "signed": self.is_signed,
            "checkpoint": self.last_checkpoint,
        })
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
    /// The file does not begin with the next entry.
    #[error(
        "the file begins with entry {found}, but entry {expected} is missing: export the log with order=oldest and \
         without filters, and add the archived segments from the first entry on"
    )]
    Missing {
        /// The first missing entry.
        expected: u64,
        /// The first entry of the file.
        found: u64,
    },
    /// An entry does not continue the hash chain.
    #[error(transparent)]
    Chain(#[from] Broken),
    /// Two files have different entries with the same sequence number.
    #[error("entry {0} differs from the one in an archived segment")]
    Different(u64),
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
        "the log has {}, but the checkpoint that was signed at {time} has {signed}: the last entries are missing",
        counted(*found, "entry", "entries")
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

/// The hash chain from the first entry on, as far as it is verified. Files are added in the order of their entries; each
/// must begin with the next entry, or with an earlier one whose copy is the same.
#[derive(Debug)]
pub struct Chain {
    /// The hashes before the first entry and of each verified entry.
    hashes: Vec<Hash>,
    segments: usize,
    checkpoints: Vec<Checkpoint>,
}

impl Chain {
    /// An empty chain, to be compared with these checkpoints. Their signatures must be verified already.
    ///
    /// # Errors
    /// [`InvalidLog::Rewritten`] if a checkpoint of the empty log has another head.
    pub fn new(checkpoints: Vec<Checkpoint>) -> Result<Self, InvalidLog> {
        let chain = Self {
            hashes: vec![Hash::GENESIS],
            segments: 0,
            checkpoints,
        };
        chain.compare(Head::GENESIS)?;
        Ok(chain)
    }

    /// Adds the entries of an archived segment. Its signature must be verified already.
    ///
    /// # Errors
    /// The first problem.
    pub fn add_segment(&mut self, segment: &Segment) -> Result<(), InvalidLog> {
        let mut previous = None;
        for link in &segment.links {
            self.add(link, previous)?;
            previous = Some(link.sequence);
        }
        self.segments += 1;
        Ok(())
    }

    /// Adds the entries of an export, one JSON line for each.
    ///
    /// # Errors
    /// The first problem.
    pub fn add_log(&mut self, log: impl BufRead) -> Result<(), InvalidLog> {
        let mut previous = None;
        for (line, text) in (1..).zip(log.lines()) {
            let text = text?;
            if text.is_empty() {
                continue;
            }
            let link: Link =
                serde_json::from_str(&text).map_err(|reason| InvalidLog::Line { line, reason })?;
            self.add(&link, previous)?;
            previous = Some(link.sequence);
        }
        Ok(())
    }

    /// The report about all added entries.
    ///
    /// # Errors
    /// [`InvalidLog::Truncated`] if a checkpoint covers more entries.
    pub fn finish(self, is_signed: bool) -> Result<Report, InvalidLog> {
        let head = self.head();
        if let Some(checkpoint) = self
            .checkpoints
            .iter()
            .find(|checkpoint| checkpoint.size > head.size)
        {
            return Err(InvalidLog::Truncated {
                found: head.size,
                signed: checkpoint.size,
                time: checkpoint.time.to_string(),
            });
        }
        Ok(Report {
            verified: Verified {
                size: head.size,
                head: head.hash,
            },
            segments: self.segments,
            is_signed,
            last_checkpoint: self
                .checkpoints
                .into_iter()
                .max_by_key(|checkpoint| checkpoint.size),
        })
    }

    /// Adds an entry. `previous` is the sequence number of the entry before it in the same file.
    fn add(&mut self, link: &Link, previous: Option<u64>) -> Result<(), InvalidLog> {
        let head = self.head();
        let expected = previous.unwrap_or(head.size) + 1;
        match previous {
            None if link.sequence > expected => {
                return Err(InvalidLog::Missing {
                    expected,
                    found: link.sequence,
                });
            }
            Some(_) if link.sequence != expected => {
                return Err(InvalidLog::Chain(Broken {
                    sequence: expected,
                    how: Break::Sequence(link.sequence),
                }));
            }
            _ => {}
        }
        let before = self.before(link.sequence).unwrap_or(head);
        let after = before.follow(link)?;
        match self.before(after.size + 1) {
            Some(known) if known != after => Err(InvalidLog::Different(after.size)),
            Some(_) => Ok(()),
            None => {
                self.hashes.push(after.hash);
                self.compare(after)
            }
        }
    }

    /// The head of the chain.
    fn head(&self) -> Head {
        let size = u64::try_from(self.hashes.len() - 1).unwrap_or(u64::MAX);
        self.before(size + 1).unwrap_or(Head::GENESIS)
    }

    /// The head before an entry, or `None` if the entry before it is not verified.
    fn before(&self, sequence: u64) -> Option<Head> {
        let size = sequence.checked_sub(1)?;
        let hash = *self.hashes.get(usize::try_from(size).ok()?)?;
        Some(Head { size, hash })
    }

    /// Compares a head with the checkpoints of the same size.
    fn compare(&self, head: Head) -> Result<(), InvalidLog> {
        let different = self
            .checkpoints
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
}
