//! The deployments: every upload to the upstream, including pending ones.

use dotdo_names::Namespace;
use jiff::Timestamp;

use super::deployment_objects::pin;
use super::deployment_rows::{COLUMNS, read};
use crate::deployments::{Deployment, DeploymentHealth, DeploymentId, Failure, State, Warning};
use crate::sql::{Sql, SqlError, Value};
use crate::target::Target;

fn migrations(deployment: &Deployment) -> Result<Value, SqlError> {
    match &deployment.migrations {
        Some(migrations) => super::write_json("deployment's migrations", migrations),
        None => Ok(Value::Null),
    }
}

fn unresolved(deployment: &Deployment) -> Result<Value, SqlError> {
    match &deployment.unresolved {
        Some(unresolved) => super::write_json("deployment's unresolved bindings", unresolved),
        None => Ok(Value::Null),
    }
}

/// The current deployments in a namespace whose health check failed, by the names of their Workers.
///
/// # Errors
/// When the database fails.
pub fn unhealthy(sql: &impl Sql, namespace: Namespace) -> Result<Vec<Deployment>, SqlError> {
    let rows = sql.exec(
        &format!(
            "SELECT {COLUMNS} FROM deployments
             WHERE id IN (SELECT deployment FROM workers WHERE namespace = ? AND deployment IS NOT NULL)
                 AND health ->> '$.result' = 'failed'
             ORDER BY worker"
        ),
        &[Value::from(namespace.name())],
    )?;
    rows.iter().map(read).collect()
}

/// Stores a deployment that is about to be uploaded.
///
/// # Errors
/// When the database fails.
pub fn begin(sql: &impl Sql, deployment: &Deployment, fingerprint: Option<&str>) -> Result<(), SqlError> {
    sql.exec(
        "INSERT INTO deployments (id, namespace, worker, verb, state, intent, fingerprint, bundle, identity, token,
             source, previous, created, migration_tag, migrations, tags, warnings, object, annotations,
             classes, metadata, unresolved, imported)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        &[
            Value::from(deployment.id.as_str()),
            Value::from(deployment.target.namespace()),
            Value::from(deployment.target.worker.as_str()),
            Value::from(deployment.action.name()),
            Value::from(deployment.state.name()),
            Value::integer(deployment.intent)?,
            Value::from(fingerprint),
            super::write_json("deployment's bundle", &deployment.bundle)?,
            super::write_json("deployment's identity", &deployment.identity)?,
            Value::from(deployment.token.as_deref()),
            Value::from(deployment.source.as_ref().map(DeploymentId::as_str)),
            Value::from(deployment.previous.as_ref().map(DeploymentId::as_str)),
            Value::from(deployment.created),
            Value::from(deployment.migration_tag.as_deref()),
            migrations(deployment)?,
            super::write_json("deployment's tags", &deployment.tags)?,
            super::write_json::<Vec<Warning>>("deployment's warnings", &deployment.warnings)?,
            Value::from(deployment.object.as_deref()),
            super::write_json("deployment's annotations", &deployment.annotations)?,
            match &deployment.classes {
                Some(classes) => super::write_json("deployment's classes", classes)?,
                None => Value::Null,
            },
            Value::from(deployment.metadata.as_deref()),
            unresolved(deployment)?,
            match &deployment.imported {
                Some(imported) => super::write_json("deployment's account Worker", imported)?,
                None => Value::Null,
            },
        ],
    )
    .map(drop)
}

/// Records the metadata with which a pending deployment uploads its bundle.
///
/// # Errors
/// When the database fails.
pub fn set_metadata(sql: &impl Sql, deployment: &Deployment) -> Result<(), SqlError> {
    sql.exec(
        "UPDATE deployments SET bundle = ?, metadata = ?, unresolved = ? WHERE id = ?",
        &[
            super::write_json("deployment's bundle", &deployment.bundle)?,
            Value::from(deployment.metadata.as_deref()),
            unresolved(deployment)?,
            Value::from(deployment.id.as_str()),
        ],
    )?;
    pin(sql, &deployment.id, deployment.metadata.as_slice())
}

/// Records the outcome of a deployment.
///
/// # Errors
/// When the database fails.
pub fn finish(sql: &impl Sql, deployment: &Deployment) -> Result<(), SqlError> {
    let failure = deployment
        .failure
        .as_ref()
        .map(|failure| super::write_json::<Failure>("deployment's failure", failure))
        .transpose()?;
    sql.exec(
        "UPDATE deployments SET state = ?, finished = ?, etag = ?, startup = ?, failure = ?, warnings = ?,
             revision = ?, tags = ?, migration_tag = ?, migrations = ?, expires = ? WHERE id = ?",
        &[
            Value::from(deployment.state.name()),
            Value::from(deployment.finished),
            Value::from(deployment.etag.as_deref()),
            deployment
                .startup_time_ms
                .map_or(Ok(Value::Null), Value::integer)?,
            failure.unwrap_or(Value::Null),
            super::write_json("deployment's warnings", &deployment.warnings)?,
            deployment.revision.map_or(Ok(Value::Null), Value::integer)?,
            super::write_json("deployment's tags", &deployment.tags)?,
            Value::from(deployment.migration_tag.as_deref()),
            migrations(deployment)?,
            Value::from(deployment.expires),
            Value::from(deployment.id.as_str()),
        ],
    )
    .map(drop)
}

/// Stores the result of a deployment's health check.
///
/// # Errors
/// When the database fails.
pub fn set_health(sql: &impl Sql, id: &DeploymentId, health: &DeploymentHealth) -> Result<(), SqlError> {
    sql.exec(
        "UPDATE deployments SET health = ? WHERE id = ?",
        &[
            super::write_json("deployment's health", health)?,
            Value::from(id.as_str()),
        ],
    )
    .map(drop)
}

/// The deployment of this id, for any Worker.
///
/// # Errors
/// When the database fails.
pub fn get(sql: &impl Sql, id: &DeploymentId) -> Result<Option<Deployment>, SqlError> {
    let rows = sql.exec(
        &format!("SELECT {COLUMNS} FROM deployments WHERE id = ?"),
        &[Value::from(id.as_str())],
    )?;
    rows.first().map(read).transpose()
}

/// The deployment of an intent.
///
/// # Errors
/// When the database fails.
pub fn of_intent(sql: &impl Sql, intent: u64) -> Result<Option<Deployment>, SqlError> {
    let rows = sql.exec(
        &format!("SELECT {COLUMNS} FROM deployments WHERE intent = ?"),
        &[Value::integer(intent)?],
    )?;
    rows.first().map(read).transpose()
}

/// The last deployment with a fingerprint that was made since a time.
///
/// # Errors
/// When the database fails.
pub fn same_upload(
    sql: &impl Sql,
    target: &Target,
    fingerprint: &str,
    since: Timestamp,
) -> Result<Option<Deployment>, SqlError> {
    let rows = sql.exec(
        &format!(
            "SELECT {COLUMNS} FROM deployments
             WHERE fingerprint = ? AND namespace = ? AND worker = ? AND created >= ? ORDER BY id DESC LIMIT 1"
        ),
        &[
            Value::from(fingerprint),
            Value::from(target.namespace()),
            Value::from(target.worker.as_str()),
            Value::from(since),
        ],
    )?;
    rows.first().map(read).transpose()
}

/// The last deployment of a Worker before another one that succeeded, even if it was rolled back later.
///
/// # Errors
/// When the database fails.
pub fn before(sql: &impl Sql, target: &Target, id: &DeploymentId) -> Result<Option<Deployment>, SqlError> {
    let rows = sql.exec(
        &format!(
            "SELECT {COLUMNS} FROM deployments
             WHERE namespace = ? AND worker = ? AND id < ? AND state = ? ORDER BY id DESC LIMIT 1"
        ),
        &[
            Value::from(target.namespace()),
            Value::from(target.worker.as_str()),
            Value::from(id.as_str()),
            Value::from(State::Succeeded.name()),
        ],
    )?;
    rows.first().map(read).transpose()
}

/// Deployments of a Worker, the newest first, those before `before`, at most `limit`.
///
/// # Errors
/// When the database fails.
pub fn list(
    sql: &impl Sql,
    target: &Target,
    before: Option<&DeploymentId>,
    limit: u32,
) -> Result<Vec<Deployment>, SqlError> {
    // Every deployment id sorts before "~".
    let before = before.map_or("~", DeploymentId::as_str);
    let rows = sql.exec(
        &format!(
            "SELECT {COLUMNS} FROM deployments WHERE namespace = ? AND worker = ? AND id < ?
             ORDER BY id DESC LIMIT ?"
        ),
        &[
            Value::from(target.namespace()),
            Value::from(target.worker.as_str()),
            Value::from(before),
            Value::from(limit),
        ],
    )?;
    rows.iter().map(read).collect()
}
