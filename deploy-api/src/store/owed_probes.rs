//! Deployments that went up and whose probe has not come to its end: one at most for each Worker.
//!
//! Written with the deployment's outcome and removed with what came of the probe, so that a probe is made although the
//! process ended in between.

use crate::deployments::DeploymentId;
use crate::sql::{Sql, SqlError, Value};
use crate::target::Target;

pub(super) const TABLE: &str = "CREATE TABLE owed_probes (
    namespace TEXT NOT NULL, worker TEXT NOT NULL, deployment TEXT NOT NULL, PRIMARY KEY (namespace, worker)
) WITHOUT ROWID";

/// Remembers that a deployment of a Worker is to be probed.
///
/// # Errors
/// When the database fails.
pub fn owe(sql: &impl Sql, target: &Target, deployment: &DeploymentId) -> Result<(), SqlError> {
    sql.exec(
        "INSERT OR REPLACE INTO owed_probes (namespace, worker, deployment) VALUES (?, ?, ?)",
        &[
            Value::from(target.namespace()),
            Value::from(target.worker.as_str()),
            Value::from(deployment.as_str()),
        ],
    )
    .map(drop)
}

/// Forgets it: what came of the probe is on record.
///
/// # Errors
/// When the database fails.
pub fn made(sql: &impl Sql, target: &Target) -> Result<(), SqlError> {
    sql.exec(
        "DELETE FROM owed_probes WHERE namespace = ? AND worker = ?",
        &[
            Value::from(target.namespace()),
            Value::from(target.worker.as_str()),
        ],
    )
    .map(drop)
}

/// The deployment of a Worker whose probe is owed.
///
/// # Errors
/// When the database fails.
pub fn of_worker(sql: &impl Sql, target: &Target) -> Result<Option<DeploymentId>, SqlError> {
    let rows = sql.exec(
        "SELECT deployment FROM owed_probes WHERE namespace = ? AND worker = ?",
        &[
            Value::from(target.namespace()),
            Value::from(target.worker.as_str()),
        ],
    )?;
    rows.first()
        .map(|row| {
            DeploymentId::parse(row.text(0)?).map_err(|error| super::content("deployment's id", &error))
        })
        .transpose()
}

/// The Workers of which a probe is owed.
///
/// # Errors
/// When the database fails.
pub fn targets(sql: &impl Sql) -> Result<Vec<Target>, SqlError> {
    let rows = sql.exec("SELECT namespace, worker FROM owed_probes", &[])?;
    rows.iter()
        .map(|row| super::read_target(row.text(0)?, row.text(1)?))
        .collect()
}
