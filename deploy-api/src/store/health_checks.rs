//! Pending health checks: deployments that were uploaded and whose health check has no result yet, at most one for each
//! Worker.
//!
//! A row is written together with the deployment's outcome and deleted together with the result, so that the check is made
//! even if the process of the deploy ended in between. While there is a row, no other change of the Worker begins.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::attempt::AttemptId;
use crate::deployments::DeploymentId;
use crate::sql::{Row, Sql, SqlError, Value};
use crate::target::Target;

/// The rows of an earlier version become pending checks without an attempt.
pub(super) const TABLES: &[&str] = &[
    "CREATE TABLE health_checks (
        namespace TEXT NOT NULL, worker TEXT NOT NULL, deployment TEXT NOT NULL, attempt TEXT NOT NULL,
        due INTEGER NOT NULL, PRIMARY KEY (namespace, worker)
    ) WITHOUT ROWID",
    "INSERT INTO health_checks (namespace, worker, deployment, attempt, due)
     SELECT namespace, worker, deployment, 'deployment-' || deployment, 0 FROM owed_probes",
    "DROP TABLE owed_probes",
];

/// The table of earlier versions, which [`TABLES`] replaces.
pub(super) const EARLIER_TABLE: &str = "CREATE TABLE owed_probes (
    namespace TEXT NOT NULL, worker TEXT NOT NULL, deployment TEXT NOT NULL, PRIMARY KEY (namespace, worker)
) WITHOUT ROWID";

/// A health check without a result.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PendingHealthCheck {
    /// The Worker.
    pub target: Target,
    /// The deployment that is checked.
    pub deployment: DeploymentId,
    /// The attempt that makes the check.
    pub attempt: AttemptId,
    /// When the reconciler makes it.
    pub due: Timestamp,
}

const COLUMNS: &str = "namespace, worker, deployment, attempt, due";

fn read(row: &Row) -> Result<PendingHealthCheck, SqlError> {
    Ok(PendingHealthCheck {
        target: super::read_target(row.text(0)?, row.text(1)?)?,
        deployment: DeploymentId::parse(row.text(2)?)
            .map_err(|error| super::content("deployment's id", &error))?,
        attempt: AttemptId::stored(row.text(3)?),
        due: row.time(4)?,
    })
}

/// Stores a pending check, in place of the Worker's earlier one.
///
/// # Errors
/// When the database fails.
pub fn put(sql: &impl Sql, check: &PendingHealthCheck) -> Result<(), SqlError> {
    sql.exec(
        "INSERT OR REPLACE INTO health_checks (namespace, worker, deployment, attempt, due) VALUES (?, ?, ?, ?, ?)",
        &[
            Value::from(check.target.namespace()),
            Value::from(check.target.worker.as_str()),
            Value::from(check.deployment.as_str()),
            Value::from(check.attempt.as_str()),
            Value::from(check.due),
        ],
    )
    .map(drop)
}

/// Deletes a Worker's pending check: its result is recorded.
///
/// # Errors
/// When the database fails.
pub fn delete(sql: &impl Sql, target: &Target) -> Result<(), SqlError> {
    sql.exec(
        "DELETE FROM health_checks WHERE namespace = ? AND worker = ?",
        &super::key(target),
    )
    .map(drop)
}

/// A Worker's pending check.
///
/// # Errors
/// When the database fails.
pub fn of_worker(sql: &impl Sql, target: &Target) -> Result<Option<PendingHealthCheck>, SqlError> {
    let rows = sql.exec(
        &format!("SELECT {COLUMNS} FROM health_checks WHERE namespace = ? AND worker = ?"),
        &super::key(target),
    )?;
    rows.first().map(read).transpose()
}

/// The pending check that an attempt makes.
///
/// # Errors
/// When the database fails.
pub fn of_attempt(sql: &impl Sql, attempt: &AttemptId) -> Result<Option<PendingHealthCheck>, SqlError> {
    let rows = sql.exec(
        &format!("SELECT {COLUMNS} FROM health_checks WHERE attempt = ?"),
        &[Value::from(attempt.as_str())],
    )?;
    rows.first().map(read).transpose()
}

/// The checks that the reconciler has to make by a time.
///
/// # Errors
/// When the database fails.
pub fn due(sql: &impl Sql, by: Timestamp, limit: u32) -> Result<Vec<PendingHealthCheck>, SqlError> {
    let rows = sql.exec(
        &format!("SELECT {COLUMNS} FROM health_checks WHERE due <= ? ORDER BY due LIMIT ?"),
        &[Value::from(by), Value::from(limit)],
    )?;
    rows.iter().map(read).collect()
}

/// When the next check is due.
///
/// # Errors
/// When the database fails.
pub fn next_due(sql: &impl Sql) -> Result<Option<Timestamp>, SqlError> {
    let rows = sql.exec("SELECT min(due) FROM health_checks", &[])?;
    rows.first().map_or(Ok(None), |row| row.optional_time(0))
}
