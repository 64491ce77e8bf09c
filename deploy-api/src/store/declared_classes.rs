//! The Durable Object classes that a Worker has with a deployment, if its uploads declare them in `exports`.

use crate::deployments::DeploymentId;
use crate::sql::{Sql, SqlError, Value};
use crate::upload::DeclaredClasses;

pub(super) const TABLE: &str =
    "CREATE TABLE declared_classes (deployment TEXT PRIMARY KEY, classes TEXT NOT NULL) WITHOUT ROWID";

/// Stores the classes that a Worker has with a deployment.
///
/// # Errors
/// When the database fails.
pub fn keep(sql: &impl Sql, deployment: &DeploymentId, classes: &DeclaredClasses) -> Result<(), SqlError> {
    sql.exec(
        "INSERT OR REPLACE INTO declared_classes (deployment, classes) VALUES (?, ?)",
        &[
            Value::from(deployment.to_string()),
            super::write_json("declared classes", classes)?,
        ],
    )
    .map(drop)
}

/// The classes that a Worker has with a deployment; none if no upload declared any.
///
/// # Errors
/// When the database fails.
pub fn of_deployment(sql: &impl Sql, deployment: &DeploymentId) -> Result<DeclaredClasses, SqlError> {
    let rows = sql.exec(
        "SELECT classes FROM declared_classes WHERE deployment = ?",
        &[Value::from(deployment.to_string())],
    )?;
    rows.first().map_or_else(
        || Ok(DeclaredClasses::default()),
        |row| super::read_json("declared classes", row.text(0)?),
    )
}
