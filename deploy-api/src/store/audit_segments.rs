//! The archived segments of the audit log, and which entries are archived next.
//!
//! An archived segment is an object in the object store. The ledger stores its record and deletes its entries in one
//! transaction; a trigger allows the deletion of exactly the entries that a stored record covers.

use jiff::Timestamp;
use serde_json::value::RawValue;
use thiserror::Error;

use super::audit_batch::{self, BatchLimits};
use super::audit_log::{self, AppendError};
use crate::audit::chain::{Broken, Hash, Head};
use crate::audit::{InvalidSegment, SegmentHeader, SegmentRecord, SegmentSignature};
use crate::sql::{Row, Sql, SqlError, Value};

pub(super) const TABLES: &[&str] = &[
    "CREATE TABLE audit_segments (
        first INTEGER PRIMARY KEY, last INTEGER NOT NULL, previous TEXT NOT NULL, hash TEXT NOT NULL,
        format INTEGER NOT NULL, object TEXT NOT NULL, sha256 TEXT NOT NULL, key TEXT NOT NULL,
        signature TEXT NOT NULL, confirmed INTEGER NOT NULL
    )",
    "CREATE TRIGGER audit_segments_are_never_changed BEFORE UPDATE ON audit_segments
     BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END",
    "CREATE TRIGGER audit_segments_are_never_removed BEFORE DELETE ON audit_segments
     BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END",
    "DROP TRIGGER audit_is_never_shortened",
    "CREATE TRIGGER audit_is_never_shortened BEFORE DELETE ON audit
     WHEN coalesce((SELECT last FROM audit_segments WHERE first <= OLD.sequence ORDER BY first DESC LIMIT 1), 0)
         < OLD.sequence
     BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END",
];

const COLUMNS: &str = "format, first, last, previous, hash, object, sha256, key, signature";

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

/// The head of the chain at the end of the archive: the last archived entry, or [`Head::GENESIS`].
///
/// # Errors
/// When the database fails.
pub fn end(sql: &impl Sql) -> Result<Head, SqlError> {
    let rows = sql.exec(
        "SELECT last, hash FROM audit_segments ORDER BY first DESC LIMIT 1",
        &[],
    )?;
    rows.first().map_or(Ok(Head::GENESIS), |row| {
        Ok(Head {
            size: row.unsigned(0)?,
            hash: read_hash(row, 1)?,
        })
    })
}

/// The archived segment that begins with this entry, or `None`.
///
/// # Errors
/// When the database fails.
pub fn segment(sql: &impl Sql, first: u64) -> Result<Option<SegmentRecord>, SqlError> {
    let rows = sql.exec(
        &format!("SELECT {COLUMNS} FROM audit_segments WHERE first = ?"),
        &[Value::integer(first)?],
    )?;
    rows.first().map(read).transpose()
}

/// Archived segments, the newest first: at most `limit`, all of which begin before the entry `before`.
///
/// # Errors
/// When the database fails.
pub fn list(sql: &impl Sql, before: Option<u32>, limit: u32) -> Result<Vec<SegmentRecord>, SqlError> {
    let (condition, mut bindings) = match before {
        Some(before) => ("WHERE first < ?", vec![Value::from(before)]),
        None => ("", Vec::new()),
    };
    bindings.push(Value::from(limit));
    let rows = sql.exec(
        &format!("SELECT {COLUMNS} FROM audit_segments {condition} ORDER BY first DESC LIMIT ?"),
        &bindings,
    )?;
    rows.iter().map(read).collect()
}

/// The next segment to archive, with its links as NDJSON, or `None` if there are not enough old entries for a complete
/// one. The chain is verified on the way.
///
/// # Errors
/// When the database fails, or the chain is broken.
pub fn due(sql: &impl Sql, rules: ArchiveRules) -> Result<Option<(SegmentHeader, String)>, ArchiveError> {
    let before = end(sql)?;
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
    let extent = audit_batch::extent(sql, end(sql)?.size, last_due(sql, rules)?, rules.segment)?;
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
        if let Some(stored) = self::segment(sql, header.first)? {
            // The signature can differ: a repeated step may have another key.
            if stored.header == *header && stored.signature.sha256 == signature.sha256 {
                return Ok(());
            }
            return mismatch("another segment with the same first entry is stored");
        }
        let before = end(sql)?;
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
        store(sql, segment, now)?;
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

fn store(sql: &impl Sql, segment: &SegmentRecord, now: Timestamp) -> Result<(), SqlError> {
    let SegmentRecord {
        header,
        signature,
        object,
    } = segment;
    sql.exec(
        &format!("INSERT INTO audit_segments ({COLUMNS}, confirmed) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"),
        &[
            Value::from(header.format),
            Value::integer(header.first)?,
            Value::integer(header.last)?,
            Value::from(header.previous.to_string()),
            Value::from(header.hash.to_string()),
            Value::from(object.as_str()),
            Value::from(signature.sha256.as_str()),
            Value::from(signature.key.as_str()),
            Value::from(signature.signature.as_str()),
            Value::from(now),
        ],
    )
    .map(drop)
}

fn read(row: &Row) -> Result<SegmentRecord, SqlError> {
    let text = |column| row.text(column).map(str::to_owned);
    Ok(SegmentRecord {
        header: SegmentHeader {
            format: u32::try_from(row.unsigned(0)?)
                .map_err(|error| super::content("format of an audit segment", &error))?,
            first: row.unsigned(1)?,
            last: row.unsigned(2)?,
            previous: read_hash(row, 3)?,
            hash: read_hash(row, 4)?,
        },
        object: text(5)?,
        signature: SegmentSignature {
            sha256: text(6)?,
            key: text(7)?,
            signature: text(8)?,
        },
    })
}

fn read_hash(row: &Row, column: usize) -> Result<Hash, SqlError> {
    Hash::from_hex(row.text(column)?).map_err(|error| super::content("hash of an audit segment", &error))
}
