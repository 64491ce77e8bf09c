//! Which entries of the audit log are archived next, and their deletion after they are stored in the archive.
//!
//! The ledger stores the record of a segment and deletes its entries in one transaction.

use jiff::Timestamp;
use serde_json::value::RawValue;
use thiserror::Error;

use super::audit_log::{self, AppendError};
use super::batch_limits::BatchLimits;
use super::{audit_batch, audit_segments};
use crate::audit::chain::Broken;
use crate::audit::{InvalidSegment, SegmentHeader, SegmentRecord};
use crate::sql::{Sql, SqlError, Value};

/// When entries are archived.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ArchiveRules {
    /// How many of the newest entries are never archived.
    pub kept: u64,
    /// The size of a segment. It is complete when one entry more would exceed the limits.
    pub segment: BatchLimits,
}

impl ArchiveRules {
    /// The newest 100,000 entries are kept. A segment has 1,000 entries or 1 MiB of stored JSON: to delete 1,000 entries
    /// with their indexes takes SQLite about 30 ms, in which the ledger answers nothing else.
    pub const DEFAULT: Self = Self {
        kept: 100_000,
        segment: BatchLimits::STEP,
    };
}

/// Why entries are not archived.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ArchiveError {
    /// The database failed.
    #[error(transparent)]
    Sql(#[from] SqlError),
    /// The newest entry cannot be read.
    #[error(transparent)]
    Head(#[from] AppendError),
    /// The chain is broken. Its entries stay where they are.
    #[error(transparent)]
    Broken(#[from] Broken),
    /// The segment is not the one that is due.
    #[error("the segment {object} does not fit the audit log: {reason}")]
    Mismatch {
        /// The key of the segment's object.
        object: String,
        /// What differs.
        reason: &'static str,
    },
    /// The segment is not signed by the key that it names.
    #[error(transparent)]
    Signature(#[from] InvalidSegment),
}

/// The next segment to archive, with its links as NDJSON, or `None` if there are not enough old entries for a complete
/// one. The chain is verified on the way.
///
/// # Errors
/// When the database fails, or the chain is broken.
pub fn due(sql: &impl Sql, rules: ArchiveRules) -> Result<Option<(SegmentHeader, String)>, ArchiveError> {
    let before = audit_segments::end(sql)?;
    let extent = audit_batch::extent(sql, before.size, last_due(sql, rules)?, rules.segment)?;
    if !extent.is_full || extent.count == 0 {
        return Ok(None);
    }
    let mut head = before;
    let mut lines = String::new();
    for row in &audit_batch::rows(sql, before.size, extent.count)? {
        head = audit_batch::follow(head, row)?;
        let line = serde_json::to_string(&audit_log::read::<Box<RawValue>>(row)?)
            .map_err(|error| super::content("audit entry", &error))?;
        lines.push_str(&line);
        lines.push('\n');
    }
    Ok(Some((SegmentHeader::new(before, head), lines)))
}

/// Whether a complete segment can be archived. Reads no entries.
///
/// # Errors
/// When the database fails.
pub fn is_due(sql: &impl Sql, rules: ArchiveRules) -> Result<bool, ArchiveError> {
    let extent = audit_batch::extent(
        sql,
        audit_segments::end(sql)?.size,
        last_due(sql, rules)?,
        rules.segment,
    )?;
    Ok(extent.is_full && extent.count > 0)
}

/// Stores the record of a segment whose object is stored, and deletes its entries. A segment that is confirmed already is
/// left as it is.
///
/// # Errors
/// When the segment is not the next one of this log, or the database fails. Nothing is stored or deleted then.
pub fn confirm(
    sql: &impl Sql,
    segment: &SegmentRecord,
    rules: ArchiveRules,
    now: Timestamp,
) -> Result<(), ArchiveError> {
    let SegmentRecord {
        header,
        signature,
        object,
    } = segment;
    let mismatch = |reason| {
        Err(ArchiveError::Mismatch {
            object: object.clone(),
            reason,
        })
    };
    sql.transaction(|| {
        if let Some(stored) = audit_segments::segment(sql, header.first)? {
            // The signature can differ: a repeated step may have another key.
            if stored.header == *header && stored.signature.sha256 == signature.sha256 {
                return Ok(());
            }
            return mismatch("another segment with the same first entry is stored");
        }
        let before = audit_segments::end(sql)?;
        if (header.first, header.previous) != (before.size + 1, before.hash) {
            return mismatch("it does not continue the segment before it");
        }
        if header.last < header.first || header.last > last_due(sql, rules)? {
            return mismatch("its last entry is not to be archived yet");
        }
        if *object != header.object() {
            return mismatch("its object has another key");
        }
        segment.verify(&signature.key)?;
        let last = audit_log::get(sql, header.last)?;
        if last.is_none_or(|last| last.hash != header.hash) {
            return mismatch("its last entry has another hash");
        }
        let last = Value::integer(header.last)?;
        let counted = sql.exec(
            "SELECT count(*) FROM audit WHERE sequence <= ?",
            std::slice::from_ref(&last),
        )?;
        let count = counted.first().map_or(Ok(0), |row| row.unsigned(0))?;
        if count != header.last - before.size {
            return mismatch("the log does not have all of its entries");
        }
        audit_segments::store(sql, segment, now)?;
        sql.exec("DELETE FROM audit WHERE sequence <= ?", &[last])?;
        Ok(())
    })
}

/// The last entry that may be archived, or 0. Entries at or after one that is still needed are not archived: the intents
/// of changes and of pending health checks say on whose behalf they are completed.
fn last_due(sql: &impl Sql, rules: ArchiveRules) -> Result<u64, ArchiveError> {
    let rows = sql.exec(
        "SELECT min(sequence) FROM (
             SELECT min(sequence) AS sequence FROM open_intents
             UNION ALL SELECT min(intent) FROM deployments WHERE id IN (SELECT deployment FROM health_checks)
         )",
        &[],
    )?;
    let needed = match rows.first() {
        Some(row) if row.optional_integer(0)?.is_some() => Some(row.unsigned(0)?),
        _ => None,
    };
    let last = audit_log::head(sql)?.size.saturating_sub(rules.kept);
    Ok(needed.map_or(last, |needed| last.min(needed.saturating_sub(1))))
}
