//! The changes of Workers that were made outside of this API and are neither adopted nor overwritten, at most one for each Worker.

use dotdo_names::Namespace;

use crate::deployments::Drift;
use crate::sql::{Sql, SqlError, Value};
use crate::target::Target;

pub(super) const TABLE: &str = "CREATE TABLE drifts (
    namespace TEXT NOT NULL, worker TEXT NOT NULL, drift TEXT NOT NULL, PRIMARY KEY (namespace, worker)
) WITHOUT ROWID";

/// The drift of a Worker.
///
/// # Errors
/// When the database fails.
pub fn get(sql: &impl Sql, target: &Target) -> Result<Option<Drift>, SqlError> {
    let rows = sql.exec(
        "SELECT drift FROM drifts WHERE namespace = ? AND worker = ?",
        &super::key(target),
    )?;
    rows.first()
        .map(|row| super::read_json("drift", row.text(0)?))
        .transpose()
}

/// The Workers of a namespace that have a drift.
///
/// # Errors
/// When the database fails.
pub fn in_namespace(sql: &impl Sql, namespace: Namespace) -> Result<Vec<Target>, SqlError> {
    let rows = sql.exec(
        "SELECT namespace, worker FROM drifts WHERE namespace = ? ORDER BY worker",
        &[Value::from(namespace.name())],
    )?;
    rows.iter()
        .map(|row| super::read_target(row.text(0)?, row.text(1)?))
        .collect()
}

/// Stores the drift of a Worker, in place of its earlier one.
///
/// # Errors
/// When the database fails.
pub fn put(sql: &impl Sql, target: &Target, drift: &Drift) -> Result<(), SqlError> {
    let [namespace, worker] = super::key(target);
    sql.exec(
        "INSERT OR REPLACE INTO drifts (namespace, worker, drift) VALUES (?, ?, ?)",
        &[namespace, worker, super::write_json("drift", drift)?],
    )
    .map(drop)
}

/// Deletes the drift of a Worker: the upstream has what is recorded.
///
/// # Errors
/// When the database fails.
pub fn delete(sql: &impl Sql, target: &Target) -> Result<(), SqlError> {
    sql.exec(
        "DELETE FROM drifts WHERE namespace = ? AND worker = ?",
        &super::key(target),
    )
    .map(drop)
}
