//! The audit log: entries in their chain, which are never changed. The oldest are deleted only after they are stored in
//! the archive; see [`audit_archive`](super::audit_archive).
//!
//! Only the canonical JSON of an entry is stored; the columns that filters use are generated from it, so that they
//! cannot differ from it. A trigger rejects every change of a stored entry.

use serde::Serialize;
use serde::de::DeserializeOwned;
use thiserror::Error;

use super::audit_segments;
use super::batch_limits::{BatchLimits, MAX_PAGE_BYTES, lengths};
use crate::audit::canonical::NotCanonical;
use crate::audit::chain::{Hash, Head, InvalidHash, Link, StoredLink};
use crate::audit::{Entry, Outcome, Query};
use crate::sql::{Row, Sql, SqlError, Value};

pub(super) const TABLES: &[&str] = &[
    "CREATE TABLE audit (
        sequence INTEGER PRIMARY KEY,
        previous TEXT NOT NULL,
        hash TEXT NOT NULL,
        entry TEXT NOT NULL,
        time TEXT GENERATED ALWAYS AS (json_extract(entry, '$.time')) VIRTUAL,
        outcome TEXT GENERATED ALWAYS AS (json_extract(entry, '$.outcome')) VIRTUAL,
        verb TEXT GENERATED ALWAYS AS (json_extract(entry, '$.verb')) VIRTUAL,
        namespace TEXT GENERATED ALWAYS AS (json_extract(entry, '$.namespace')) VIRTUAL,
        worker TEXT GENERATED ALWAYS AS (json_extract(entry, '$.worker')) VIRTUAL,
        deployment TEXT GENERATED ALWAYS AS (json_extract(entry, '$.deployment')) VIRTUAL,
        repository TEXT GENERATED ALWAYS AS (json_extract(entry, '$.identity.repository')) VIRTUAL,
        actor TEXT GENERATED ALWAYS AS (json_extract(entry, '$.identity.actor')) VIRTUAL,
        subject TEXT GENERATED ALWAYS AS (json_extract(entry, '$.identity.subject')) VIRTUAL,
        token TEXT GENERATED ALWAYS AS (json_extract(entry, '$.token')) VIRTUAL,
        rule TEXT GENERATED ALWAYS AS (json_extract(entry, '$.authority.rule')) VIRTUAL,
        client TEXT GENERATED ALWAYS AS (json_extract(entry, '$.client.address')) VIRTUAL,
        request_id TEXT GENERATED ALWAYS AS (json_extract(entry, '$.client.request_id')) VIRTUAL
    )",
    "CREATE TRIGGER audit_is_never_changed BEFORE UPDATE ON audit
     BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END",
    "CREATE TRIGGER audit_is_never_shortened BEFORE DELETE ON audit
     BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END",
    "CREATE INDEX audit_by_time ON audit (time)",
    "CREATE INDEX audit_by_outcome ON audit (outcome)",
    "CREATE INDEX audit_by_verb ON audit (verb)",
    "CREATE INDEX audit_by_worker ON audit (worker, namespace) WHERE worker IS NOT NULL",
    "CREATE INDEX audit_by_deployment ON audit (deployment) WHERE deployment IS NOT NULL",
    "CREATE INDEX audit_by_repository ON audit (repository) WHERE repository IS NOT NULL",
    "CREATE INDEX audit_by_subject ON audit (subject) WHERE subject IS NOT NULL",
    "CREATE INDEX audit_by_token ON audit (token) WHERE token IS NOT NULL",
    "CREATE TABLE open_intents (sequence INTEGER PRIMARY KEY)",
];

/// An index for each filter that had none. They end with the sequence number, as every index does, so that a page is read
/// in its order and no further: `(worker, namespace)` alone gives the entries of a Worker by namespace, to be sorted.
pub(super) const INDEXES: &[&str] = &[
    "CREATE INDEX audit_by_worker_anywhere ON audit (worker) WHERE worker IS NOT NULL",
    "CREATE INDEX audit_by_namespace ON audit (namespace) WHERE namespace IS NOT NULL",
    "CREATE INDEX audit_by_verb_and_outcome ON audit (verb, outcome)",
    "CREATE INDEX audit_by_actor ON audit (actor) WHERE actor IS NOT NULL",
    "CREATE INDEX audit_by_rule ON audit (rule) WHERE rule IS NOT NULL",
    "CREATE INDEX audit_by_client ON audit (client) WHERE client IS NOT NULL",
    "CREATE INDEX audit_by_request_id ON audit (request_id)",
];

/// The repository, project or pipeline of each job by its name, and its id if the service has numeric ids.
pub(super) const SOURCES: &[&str] = &[
    "ALTER TABLE audit ADD COLUMN source TEXT GENERATED ALWAYS AS (coalesce(
        json_extract(entry, '$.identity.repository'),
        json_extract(entry, '$.identity.project_path'),
        json_extract(entry, '$.identity.organization_slug') || '/' || json_extract(entry, '$.identity.pipeline_slug')
     )) VIRTUAL",
    "ALTER TABLE audit ADD COLUMN source_id TEXT GENERATED ALWAYS AS (coalesce(
        json_extract(entry, '$.identity.repository_id'), json_extract(entry, '$.identity.project_id')
     )) VIRTUAL",
    "CREATE INDEX audit_by_source ON audit (source) WHERE source IS NOT NULL",
    "CREATE INDEX audit_by_source_id ON audit (source_id) WHERE source_id IS NOT NULL",
    "DROP INDEX audit_by_repository",
];

/// The columns that [`read`] reads.
pub(super) const COLUMNS: &str = "sequence, previous, hash, entry";

/// Why an entry could not be recorded. The action that it describes must then not be executed.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum AppendError {
    /// The database failed.
    #[error(transparent)]
    Sql(#[from] SqlError),
    /// The entry has a value without canonical JSON.
    #[error("the entry cannot be written: {0}")]
    Form(#[from] NotCanonical),
    /// The entry closes an intent that is not open: it was closed before, or never written.
    #[error("entry {0} is not an open intent")]
    IntentNotOpen(u64),
    /// The hash of the last recorded entry cannot be read.
    #[error(transparent)]
    Head(#[from] InvalidHash),
}

/// Appends an entry and returns its sequence number. An intent stays open until an entry that names it is appended; it
/// is closed once.
///
/// # Errors
/// If the entry is not recorded. Nothing is stored then.
pub fn append(sql: &impl Sql, entry: &Entry) -> Result<u64, AppendError> {
    sql.transaction(|| {
        let size = write(sql, entry)?;
        if entry.outcome == Outcome::Intent {
            sql.exec(
                "INSERT INTO open_intents (sequence) VALUES (?)",
                &[Value::integer(size)?],
            )?;
        }
        if let Some(intent) = entry.intent {
            let closed = sql.exec(
                "DELETE FROM open_intents WHERE sequence = ? RETURNING sequence",
                &[Value::integer(intent)?],
            )?;
            if closed.is_empty() {
                return Err(AppendError::IntentNotOpen(intent));
            }
        }
        Ok(size)
    })
}

/// Stores an entry, which is an [`Entry`] or its JSON, at the end of the chain and returns its sequence number. Intents
/// are not opened or closed.
pub(super) fn write(sql: &impl Sql, entry: &impl Serialize) -> Result<u64, AppendError> {
    let before = head(sql)?;
    let (after, canonical) = before.append(entry)?;
    sql.exec(
        "INSERT INTO audit (sequence, previous, hash, entry) VALUES (?, ?, ?, ?)",
        &[
            Value::integer(after.size)?,
            Value::from(before.hash.to_string()),
            Value::from(after.hash.to_string()),
            Value::from(canonical),
        ],
    )?;
    Ok(after.size)
}

/// The head of the chain.
///
/// # Errors
/// When the database fails, or the last hash cannot be read.
pub fn head(sql: &impl Sql) -> Result<Head, AppendError> {
    let rows = sql.exec(
        "SELECT sequence, hash FROM audit ORDER BY sequence DESC LIMIT 1",
        &[],
    )?;
    let Some(row) = rows.first() else {
        return Ok(audit_segments::end(sql)?);
    };
    Ok(Head {
        size: row.unsigned(0)?,
        hash: Hash::from_hex(row.text(1)?)?,
    })
}

/// One entry, or `None` if the log is not that long or the entry is archived.
///
/// # Errors
/// When the database fails.
pub fn get(sql: &impl Sql, sequence: u64) -> Result<Option<Link>, SqlError> {
    let rows = sql.exec(
        &format!("SELECT {COLUMNS} FROM audit WHERE sequence = ?"),
        &[Value::integer(sequence)?],
    )?;
    rows.first().map(read).transpose()
}

/// One page of the log.
#[derive(Clone, Debug)]
pub struct Page {
    /// The entries.
    pub links: Vec<StoredLink>,
    /// The cursor of the next page; `None` on the last page.
    pub cursor: Option<u64>,
}

/// How many entries a page may pass over that its caller may not read.
pub const WINDOW: u64 = 10_000;

/// The entries that match a query: at most its limit and [`MAX_PAGE_BYTES`]. Archived entries are not found. For a caller who may
/// read only some Workers, a page covers at most [`WINDOW`] entries, so it can have fewer entries than its limit, or none.
///
/// # Errors
/// When the database fails.
pub fn find(sql: &impl Sql, query: &Query) -> Result<Page, SqlError> {
    let window = Window::of(sql, query)?;
    let range = window.as_ref().map(|window| (window.first, window.last));
    let (condition, bindings) = query.to_sql_within(range)?;
    // The lengths come first, because the entries of a page of 1,000 can have more bytes than the Worker has memory.
    let found = sql.exec(
        &format!("SELECT sequence, octet_length(entry) FROM audit {condition}"),
        &bindings,
    )?;
    let limits = BatchLimits {
        entries: query.limit(),
        bytes: MAX_PAGE_BYTES,
    };
    let count = limits.fitting(lengths(&found, 1)?);
    let sequences: Vec<u64> = found
        .iter()
        .take(count)
        .map(|row| row.unsigned(0))
        .collect::<Result<_, _>>()?;
    let order = if query.is_oldest_first() { "ASC" } else { "DESC" };
    let rows = sql.exec(
        &format!(
            "SELECT {COLUMNS} FROM audit WHERE sequence IN (SELECT value FROM json_each(?)) ORDER BY sequence {order}"
        ),
        &[super::write_json("page of the audit log", &sequences)?],
    )?;
    Ok(Page {
        links: rows.iter().map(read).collect::<Result<_, _>>()?,
        cursor: if found.len() > count {
            sequences.last().copied()
        } else {
            window.and_then(|window| window.next)
        },
    })
}

/// The part of the log that a page covers.
struct Window {
    first: u64,
    last: u64,
    /// The cursor of the part after it; `None` if it is the last one.
    next: Option<u64>,
}

impl Window {
    /// `None` if the page needs no window.
    fn of(sql: &impl Sql, query: &Query) -> Result<Option<Self>, SqlError> {
        if !query.needs_window() {
            return Ok(None);
        }
        let place = |question: Option<(&str, Value)>| -> Result<Option<u64>, SqlError> {
            let Some((statement, time)) = question else {
                return Ok(None);
            };
            let rows = sql.exec(statement, &[time])?;
            rows.first().map(|row| row.unsigned(0)).transpose()
        };
        let ends = sql.exec(
            "SELECT coalesce(min(sequence), 1), coalesce(max(sequence), 0) FROM audit",
            &[],
        )?;
        let (mut first, mut last) = match ends.first() {
            Some(row) => (row.unsigned(0)?, row.unsigned(1)?),
            None => (1, 0),
        };
        if let Some(before) = place(query.before_since())? {
            first = first.max(before + 1);
        }
        if let Some(after) = place(query.after_until())? {
            last = last.min(after.saturating_sub(1));
        }
        let cursor = query.cursor().map(u64::from);
        Ok(Some(if query.is_oldest_first() {
            let first = cursor.map_or(first, |cursor| first.max(cursor + 1));
            let end = last.min(first.saturating_add(WINDOW - 1));
            Self {
                first,
                last: end,
                next: (end < last).then_some(end),
            }
        } else {
            let last = cursor.map_or(last, |cursor| last.min(cursor.saturating_sub(1)));
            let begin = first.max((last + 1).saturating_sub(WINDOW));
            Self {
                first: begin,
                last,
                next: (begin > first).then_some(begin),
            }
        }))
    }
}

pub(super) fn read<E: DeserializeOwned>(row: &Row) -> Result<Link<E>, SqlError> {
    let content = |reason: String| SqlError::Content {
        what: "audit entry",
        reason,
    };
    let hash = |column| Hash::from_hex(row.text(column)?).map_err(|error| content(error.to_string()));
    Ok(Link {
        sequence: row.unsigned(0)?,
        previous: hash(1)?,
        hash: hash(2)?,
        entry: serde_json::from_str(row.text(3)?).map_err(|error| content(error.to_string()))?,
    })
}
