//! The records of the archived segments of the audit log.
//!
//! An archived segment is an object in the object store. A trigger allows the deletion of exactly the entries that a stored
//! record covers; [`audit_archive`](super::audit_archive) makes both in one transaction.

use jiff::Timestamp;

use crate::audit::chain::{Hash, Head};
use crate::audit::{SegmentHeader, SegmentRecord, SegmentSignature};
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

/// Stores the record of a segment.
pub(super) fn store(sql: &impl Sql, segment: &SegmentRecord, now: Timestamp) -> Result<(), SqlError> {
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
