//! The audit log: entries in their chain, never changed and never removed.
//!
//! Only the canonical JSON of an entry is stored; the columns that filters use are generated from it, so that they
//! cannot say anything else. A trigger refuses every change of a stored entry.

use thiserror::Error;

use crate::audit::canonical::NotCanonical;
use crate::audit::chain::{Break, Broken, Hash, Head, InvalidHash, Link, Verified};
use crate::audit::{Entry, Outcome, Query, Verb};
use crate::sql::{Row, Sql, SqlError, Value};
use crate::target::Target;

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

/// How many entries are read at a time when the whole chain is walked.
const STRIDE: u32 = 500;

/// Why an entry could not be put on record. What it is about must then not happen.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum AppendError {
    /// The database failed.
    #[error(transparent)]
    Sql(#[from] SqlError),
    /// The entry has what the canonical form does not have.
    #[error("the entry cannot be written: {0}")]
    Form(#[from] NotCanonical),
    /// The entry closes an intent that is not open: it was closed before, or never written.
    #[error("entry {0} is no open intent")]
    IntentNotOpen(u64),
    /// The last entry on record has no readable hash.
    #[error(transparent)]
    Head(#[from] InvalidHash),
}

/// Appends an entry and gives its sequence number. An intent stays open until an entry that names it is appended; it
/// is closed once.
///
/// # Errors
/// When the entry is not on record; nothing of it is then.
pub fn append(sql: &impl Sql, entry: &Entry) -> Result<u64, AppendError> {
    sql.transaction(|| {
        let before = head(sql)?;
        let (after, canonical) = before.append(entry)?;
        let sequence = Value::integer(after.size)?;
        sql.exec(
            "INSERT INTO audit (sequence, previous, hash, entry) VALUES (?, ?, ?, ?)",
            &[
                sequence.clone(),
                Value::from(before.hash.to_string()),
                Value::from(after.hash.to_string()),
                Value::from(canonical),
            ],
        )?;
        if entry.outcome == Outcome::Intent {
            sql.exec("INSERT INTO open_intents (sequence) VALUES (?)", &[sequence])?;
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
        Ok(after.size)
    })
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
    rows.first().map_or(Ok(Head::GENESIS), |row| {
        Ok(Head {
            size: row.unsigned(0)?,
            hash: Hash::from_hex(row.text(1)?)?,
        })
    })
}

/// The intents that no entry has closed yet, the oldest first.
///
/// # Errors
/// When the database fails.
pub fn open_intents(sql: &impl Sql) -> Result<Vec<Link>, SqlError> {
    let rows = sql.exec(
        "SELECT sequence, previous, hash, entry FROM audit
         WHERE sequence IN (SELECT sequence FROM open_intents) ORDER BY sequence",
        &[],
    )?;
    rows.iter().map(read).collect()
}

/// The intents to change a Worker that no entry has closed yet, the oldest first. Those about static assets are none:
/// they may be under way while it is changed.
///
/// # Errors
/// When the database fails.
pub fn open_changes_of(sql: &impl Sql, target: &Target) -> Result<Vec<Link>, SqlError> {
    let rows = sql.exec(
        "SELECT sequence, previous, hash, entry FROM audit
         WHERE sequence IN (SELECT sequence FROM open_intents) AND namespace = ? AND worker = ? ORDER BY sequence",
        &[
            Value::from(target.namespace()),
            Value::from(target.worker.as_str()),
        ],
    )?;
    let mut links: Vec<Link> = rows.iter().map(read).collect::<Result<_, _>>()?;
    links.retain(|link| !link.verb().is_some_and(Verb::is_of_assets));
    Ok(links)
}

/// One entry; nothing where the log is not that long.
///
/// # Errors
/// When the database fails.
pub fn get(sql: &impl Sql, sequence: u64) -> Result<Option<Link>, SqlError> {
    let rows = sql.exec(
        "SELECT sequence, previous, hash, entry FROM audit WHERE sequence = ?",
        &[Value::integer(sequence)?],
    )?;
    rows.first().map(read).transpose()
}

/// Whether no entry has closed an intent yet.
///
/// # Errors
/// When the database fails.
pub fn is_open(sql: &impl Sql, intent: u64) -> Result<bool, SqlError> {
    let rows = sql.exec(
        "SELECT 1 FROM open_intents WHERE sequence = ?",
        &[Value::integer(intent)?],
    )?;
    Ok(!rows.is_empty())
}

/// One page of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// The entries.
    pub links: Vec<Link>,
    /// What to ask for the next page with; nothing on the last.
    pub cursor: Option<u64>,
}

/// The entries that a query is about.
///
/// # Errors
/// When the database fails.
pub fn find(sql: &impl Sql, query: &Query) -> Result<Page, SqlError> {
    let (condition, bindings) = query.to_sql();
    let rows = sql.exec(
        &format!("SELECT sequence, previous, hash, entry FROM audit {condition}"),
        &bindings,
    )?;
    let limit = usize::try_from(query.limit()).unwrap_or(usize::MAX);
    let links: Vec<Link> = rows.iter().take(limit).map(read).collect::<Result<_, _>>()?;
    let cursor = if rows.len() > limit {
        links.last().map(|link| link.sequence)
    } else {
        None
    };
    Ok(Page { links, cursor })
}

/// Walks the whole chain.
///
/// # Errors
/// When the database fails. A broken chain is an answer, not an error.
pub fn verify(sql: &impl Sql) -> Result<Result<Verified, Broken>, SqlError> {
    let mut head = Head::GENESIS;
    loop {
        let rows = sql.exec(
            "SELECT sequence, previous, hash, entry FROM audit WHERE sequence > ? ORDER BY sequence LIMIT ?",
            &[Value::integer(head.size)?, Value::from(STRIDE)],
        )?;
        if rows.is_empty() {
            return Ok(Ok(Verified {
                size: head.size,
                head: head.hash,
            }));
        }
        for row in &rows {
            let followed = match read(row) {
                Ok(link) => head.follow(&link),
                Err(_) => Err(Broken {
                    sequence: head.size + 1,
                    how: Break::Unreadable,
                }),
            };
            match followed {
                Ok(next) => head = next,
                Err(broken) => return Ok(Err(broken)),
            }
        }
    }
}

fn read(row: &Row) -> Result<Link, SqlError> {
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
