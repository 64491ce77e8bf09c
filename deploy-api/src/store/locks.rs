//! Locks of Workers and of whole namespaces.

use dotdo_names::Namespace;
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::code::Code;
use crate::problem::Problem;
use crate::schema::{NamespaceName, Time, WorkerName};
use crate::sql::{Row, Sql, SqlError, Value};
use crate::target::Target;

pub(super) const TABLE: &str = "CREATE TABLE locks (
    namespace TEXT NOT NULL, worker TEXT NOT NULL, why TEXT NOT NULL, locked_by TEXT NOT NULL, since INTEGER NOT NULL,
    until INTEGER, PRIMARY KEY (namespace, worker)
) WITHOUT ROWID";

/// A lock that is in effect.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Lock {
    /// The namespace.
    #[schemars(with = "NamespaceName")]
    pub namespace: String,
    /// The Worker; `None` for a lock of the whole namespace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<WorkerName>")]
    pub worker: Option<String>,
    /// The caller who locked it.
    pub by: String,
    /// The reason that the caller gave.
    pub why: String,
    /// When it was locked.
    #[schemars(with = "Time")]
    pub since: Timestamp,
    /// The end; `None` for a lock without an end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<Time>")]
    pub until: Option<Timestamp>,
}

fn read(row: &Row) -> Result<Lock, SqlError> {
    let worker = row.text(1)?;
    Ok(Lock {
        namespace: row.text(0)?.to_owned(),
        worker: (!worker.is_empty()).then(|| worker.to_owned()),
        why: row.text(2)?.to_owned(),
        by: row.text(3)?.to_owned(),
        since: row.time(4)?,
        until: row.optional_time(5)?,
    })
}

/// The locked Worker, or the locked namespace.
#[derive(Clone, Copy, Debug)]
pub struct Place<'a> {
    /// The namespace.
    pub namespace: Namespace,
    /// The Worker.
    pub worker: Option<&'a str>,
}

impl<'a> Place<'a> {
    /// One Worker.
    #[must_use]
    pub fn worker(target: &'a Target) -> Self {
        Self {
            namespace: target.namespace,
            worker: Some(target.worker.as_str()),
        }
    }

    /// A whole namespace.
    #[must_use]
    pub const fn namespace(namespace: Namespace) -> Self {
        Self {
            namespace,
            worker: None,
        }
    }

    fn key(self) -> [Value; 2] {
        [
            Value::from(self.namespace.name()),
            Value::from(self.worker.unwrap_or_default()),
        ]
    }
}

/// The lock that is in effect for a place: the lock of its namespace, or of the place itself.
///
/// # Errors
/// When the database fails.
pub fn holding(sql: &impl Sql, place: Place<'_>, now: Timestamp) -> Result<Option<Lock>, SqlError> {
    let [namespace, worker] = place.key();
    let rows = sql.exec(
        "SELECT namespace, worker, why, locked_by, since, until FROM locks
         WHERE namespace = ? AND (worker = '' OR worker = ?) AND (until IS NULL OR until > ?)
         ORDER BY worker LIMIT 1",
        &[namespace, worker, Value::from(now)],
    )?;
    rows.first().map(read).transpose()
}

/// The locks in effect in a namespace: that of the namespace first, then those of its Workers by name.
///
/// # Errors
/// When the database fails.
pub fn in_namespace(sql: &impl Sql, namespace: Namespace, now: Timestamp) -> Result<Vec<Lock>, SqlError> {
    let rows = sql.exec(
        "SELECT namespace, worker, why, locked_by, since, until FROM locks
         WHERE namespace = ? AND (until IS NULL OR until > ?) ORDER BY worker",
        &[Value::from(namespace.name()), Value::from(now)],
    )?;
    rows.iter().map(read).collect()
}

/// Locks a place, in place of the lock that it may have.
///
/// # Errors
/// When the database fails.
pub fn put(
    sql: &impl Sql,
    place: Place<'_>,
    by: &str,
    why: &str,
    since: Timestamp,
    until: Option<Timestamp>,
) -> Result<(), SqlError> {
    let [namespace, worker] = place.key();
    sql.exec(
        "INSERT OR REPLACE INTO locks (namespace, worker, why, locked_by, since, until) VALUES (?, ?, ?, ?, ?, ?)",
        &[
            namespace,
            worker,
            Value::from(why),
            Value::from(by),
            Value::from(since),
            Value::from(until),
        ],
    )
    .map(drop)
}

/// Removes the lock of a place, and returns the removed lock.
///
/// # Errors
/// When the database fails.
pub fn remove(sql: &impl Sql, place: Place<'_>) -> Result<Option<Lock>, SqlError> {
    let rows = sql.exec(
        "DELETE FROM locks WHERE namespace = ? AND worker = ?
         RETURNING namespace, worker, why, locked_by, since, until",
        &place.key(),
    )?;
    rows.first().map(read).transpose()
}

/// The error for the caller about a lock.
#[must_use]
pub fn locked(target: &Target, lock: &Lock) -> Problem {
    let what = match &lock.worker {
        Some(_) => target.to_string(),
        None => format!("The namespace {}", target.namespace()),
    };
    let until = match lock.until {
        Some(until) => format!("until {until:.0}"),
        None => "until it is unlocked".to_owned(),
    };
    Problem::new(
        Code::WorkerLocked,
        format!("{what} is locked by {} {until}: \"{}\".", lock.by, lock.why),
        format!(
            "Wait, or have it unlocked: DELETE /v1/namespaces/{}{}/lock.",
            lock.namespace,
            lock.worker
                .as_ref()
                .map(|worker| format!("/workers/{worker}"))
                .unwrap_or_default()
        ),
    )
}
