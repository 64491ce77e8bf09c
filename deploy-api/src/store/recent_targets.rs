//! The namespace that a token named last with a Worker's name, because some calls of wrangler omit the namespace.

use dotdo_names::{Environment, WorkerName};
use jiff::{SignedDuration, Timestamp};

use crate::identity::TokenId;
use crate::sql::{Sql, SqlError, Value};
use crate::target::Target;

pub(super) const TABLE: &str = "CREATE TABLE recent_targets (
    token TEXT NOT NULL, worker TEXT NOT NULL, namespace TEXT NOT NULL, at INTEGER NOT NULL,
    PRIMARY KEY (token, worker)
) WITHOUT ROWID";

/// How long it is stored: one run of wrangler takes less.
const REMEMBERED: SignedDuration = SignedDuration::from_mins(5);

/// Stores that a token named a Worker in a namespace.
///
/// # Errors
/// When the database fails.
pub fn remember(sql: &impl Sql, token: &TokenId, target: &Target, now: Timestamp) -> Result<(), SqlError> {
    sql.exec(
        "INSERT OR REPLACE INTO recent_targets (token, worker, namespace, at) VALUES (?, ?, ?, ?)",
        &[
            Value::from(token.as_str()),
            Value::from(target.worker.as_str()),
            Value::from(target.namespace()),
            Value::from(now),
        ],
    )
    .map(drop)
}

/// The namespace that a token named last with this Worker's name, within the last five minutes.
///
/// # Errors
/// When the database fails.
pub fn of(
    sql: &impl Sql,
    token: &TokenId,
    worker: &WorkerName,
    now: Timestamp,
) -> Result<Option<Environment>, SqlError> {
    let since = now.saturating_sub(REMEMBERED).unwrap_or(now);
    let rows = sql.exec(
        "SELECT namespace FROM recent_targets WHERE token = ? AND worker = ? AND at >= ?",
        &[
            Value::from(token.as_str()),
            Value::from(worker.as_str()),
            Value::from(since),
        ],
    )?;
    rows.first()
        .map_or(Ok(None), |row| Ok(Environment::from_namespace(row.text(0)?)))
}

/// Deletes expired rows.
///
/// # Errors
/// When the database fails.
pub fn forget(sql: &impl Sql, now: Timestamp) -> Result<(), SqlError> {
    let before = now.saturating_sub(REMEMBERED).unwrap_or(now);
    sql.exec("DELETE FROM recent_targets WHERE at < ?", &[Value::from(before)])
        .map(drop)
}
