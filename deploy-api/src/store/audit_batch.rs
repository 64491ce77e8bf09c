//! Batches of consecutive entries of the audit log, which are read within limits, and their verification.

use super::audit_log::{self, AppendError, COLUMNS};
use super::audit_segments;
use super::batch_limits::{BatchLimits, lengths};
use crate::audit::chain::{Break, Broken, Head};
use crate::sql::{Row, Sql, SqlError, Value};

/// The largest sequence number.
const MAX_SEQUENCE: u64 = 9_007_199_254_740_991;

/// How many consecutive entries fit in the limits of a batch.
#[derive(Clone, Copy)]
pub(super) struct Extent {
    /// The number of entries.
    pub count: usize,
    /// Whether one more entry would exceed the limits.
    pub is_full: bool,
    /// Whether there are more entries.
    pub more: bool,
}

/// How many of the entries after `after` up to `last` fit in the limits.
pub(super) fn extent(sql: &impl Sql, after: u64, last: u64, limits: BatchLimits) -> Result<Extent, SqlError> {
    let found = sql.exec(
        "SELECT octet_length(entry) FROM audit WHERE sequence > ? AND sequence <= ? ORDER BY sequence LIMIT ?",
        &[
            Value::integer(after)?,
            Value::integer(last)?,
            Value::from(limits.entries.saturating_add(1)),
        ],
    )?;
    let count = limits.fitting(lengths(&found, 0)?);
    let more = found.len() > count;
    Ok(Extent {
        count,
        is_full: more || u32::try_from(count) == Ok(limits.entries),
        more,
    })
}

/// The rows of so many entries after `after`, the oldest first, for [`audit_log::read`] and [`follow`].
pub(super) fn rows(sql: &impl Sql, after: u64, count: usize) -> Result<Vec<Row>, SqlError> {
    sql.exec(
        &format!("SELECT {COLUMNS} FROM audit WHERE sequence > ? ORDER BY sequence LIMIT ?"),
        &[
            Value::integer(after)?,
            Value::from(u32::try_from(count).unwrap_or(u32::MAX)),
        ],
    )
}

/// The result of one step of a verification that found no broken entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    /// The sequence number of the first entry that is not archived.
    pub first: u64,
    /// The last entry that is verified. The next step continues from it.
    pub head: Head,
    /// Whether this is the end of the log.
    pub is_last: bool,
}

/// Verifies the hash chain from `from` on, which is the head of the step before, or from the first entry that is not
/// archived, which must continue the newest archived segment. Reads at most 1,000 entries or 1 MiB.
///
/// If the entry of `from` has been archived since the step before, the step continues after the archive.
///
/// # Errors
/// When the database fails. A broken chain is a result, not an error.
pub fn verify_step(sql: &impl Sql, from: Option<Head>) -> Result<Result<Step, Broken>, AppendError> {
    let archived = audit_segments::end(sql)?;
    let mut head = from.filter(|from| from.size > archived.size).unwrap_or(archived);
    let extent = extent(sql, head.size, MAX_SEQUENCE, BatchLimits::STEP)?;
    if extent.count == 0 && head != audit_log::head(sql)? {
        return Ok(Err(Broken {
            sequence: head.size,
            how: Break::Replaced,
        }));
    }
    for row in &rows(sql, head.size, extent.count)? {
        match follow(head, row) {
            Ok(next) => head = next,
            Err(broken) => return Ok(Err(broken)),
        }
    }
    Ok(Ok(Step {
        first: archived.size + 1,
        head,
        is_last: !extent.more,
    }))
}

/// Checks that the entry of a row comes after a head, and returns the head after it.
pub(super) fn follow(head: Head, row: &Row) -> Result<Head, Broken> {
    match audit_log::read(row) {
        Ok(link) => head.follow(&link),
        Err(_) => Err(Broken {
            sequence: head.size + 1,
            how: Break::Unreadable,
        }),
    }
}
