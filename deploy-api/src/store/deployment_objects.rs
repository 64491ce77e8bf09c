//! The objects of the bundle store that deployments need: their bundles, metadata and static assets.

use jiff::Timestamp;

use crate::deployments::{DeploymentId, State};
use crate::sql::{Sql, SqlError, Value};

/// Stores which objects of the bundle store a deployment needs besides its bundle.
///
/// # Errors
/// When the database fails.
pub fn pin(sql: &impl Sql, id: &DeploymentId, objects: &[String]) -> Result<(), SqlError> {
    for object in objects {
        sql.exec(
            "INSERT OR IGNORE INTO deployment_objects (object, deployment) VALUES (?, ?)",
            &[Value::from(object.as_str()), Value::from(id.as_str())],
        )?;
    }
    Ok(())
}

/// Gives a deployment the objects of the one that it uploads again.
///
/// # Errors
/// When the database fails.
pub fn pin_as(sql: &impl Sql, id: &DeploymentId, source: &DeploymentId) -> Result<(), SqlError> {
    sql.exec(
        "INSERT OR IGNORE INTO deployment_objects (object, deployment)
         SELECT object, ? FROM deployment_objects WHERE deployment = ?",
        &[Value::from(id.as_str()), Value::from(source.as_str())],
    )
    .map(drop)
}

/// Whether a deployment that can be deployed again, or that is pending, needs an object of the bundle store. The deployments
/// of a Worker that was deleted before `deleted_before` do not count.
///
/// # Errors
/// When the database fails.
pub fn needs_object(sql: &impl Sql, object: &str, deleted_before: Timestamp) -> Result<bool, SqlError> {
    let rows = sql.exec(
        "SELECT 1 FROM deployments LEFT JOIN workers USING (namespace, worker)
         WHERE (object = ? OR id IN (SELECT deployment FROM deployment_objects WHERE object = ?))
            AND state <> ? AND (workers.deleted IS NULL OR workers.deleted > ?) LIMIT 1",
        &[
            Value::from(object),
            Value::from(object),
            Value::from(State::Failed.name()),
            Value::from(deleted_before),
        ],
    )?;
    Ok(!rows.is_empty())
}
