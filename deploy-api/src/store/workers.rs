//! The record of each Worker: its current deployment, its tags, its health check.

use dotdo_names::Namespace;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::deployments;
use crate::deployments::{Deployment, DeploymentId, HealthCheckRequest};
use crate::sql::{Row, Sql, SqlError, Value};
use crate::target::Target;

pub(super) const TABLE: &str = "CREATE TABLE workers (
    namespace TEXT NOT NULL, worker TEXT NOT NULL, deployment TEXT, tags TEXT NOT NULL DEFAULT '[]',
    revision INTEGER NOT NULL DEFAULT 0, probe_path TEXT, probe_expect INTEGER, PRIMARY KEY (namespace, worker)
) WITHOUT ROWID";

/// The proof that the answer to a health check must contain, as JSON.
pub(super) const HEALTH_PROOF: &str = "ALTER TABLE workers ADD COLUMN health_proof TEXT";

/// The record of a Worker.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorkerRecord {
    /// The current deployment; `None` if there was none through this API, or the Worker was deleted.
    pub deployment: Option<DeploymentId>,
    /// The tags that its users gave it.
    pub tags: Vec<String>,
    /// The number of its changes through this API.
    pub revision: u64,
    /// The health check of each deployment.
    pub health_check: Option<HealthCheckRequest>,
}

fn read(row: &Row) -> Result<WorkerRecord, SqlError> {
    let deployment = row.optional_text(0)?.map(DeploymentId::parse).transpose();
    Ok(WorkerRecord {
        deployment: deployment.map_err(|error| SqlError::Content {
            what: "Worker's deployment",
            reason: error.to_string(),
        })?,
        tags: super::read_json("Worker's tags", row.text(1)?)?,
        revision: row.unsigned(2)?,
        health_check: match (row.optional_text(3)?, row.optional_integer(4)?) {
            (Some(path), Some(expect)) => Some(HealthCheckRequest {
                path: path.to_owned(),
                expect: u16::try_from(expect).unwrap_or_default(),
                proof: row
                    .optional_text(5)?
                    .map(|text| super::read_json("health check's proof", text))
                    .transpose()?,
            }),
            _ => None,
        },
    })
}

/// The record of a Worker; `None` if it was never changed through this API.
///
/// # Errors
/// When the database fails.
pub fn get(sql: &impl Sql, target: &Target) -> Result<Option<WorkerRecord>, SqlError> {
    let rows = sql.exec(
        "SELECT deployment, tags, revision, probe_path, probe_expect, health_proof FROM workers
         WHERE namespace = ? AND worker = ?",
        &super::key(target),
    )?;
    rows.first().map(read).transpose()
}

/// The current deployment that a record names.
///
/// # Errors
/// When the database fails.
pub fn current_deployment(
    sql: &impl Sql,
    record: Option<&WorkerRecord>,
) -> Result<Option<Deployment>, SqlError> {
    match record.and_then(|record| record.deployment.as_ref()) {
        Some(id) => deployments::get(sql, id),
        None => Ok(None),
    }
}

/// Counts a change of a Worker, and returns the count.
///
/// # Errors
/// When the database fails.
pub fn changed(sql: &impl Sql, target: &Target) -> Result<u64, SqlError> {
    let rows = sql.exec(
        "INSERT INTO workers (namespace, worker, revision) VALUES (?, ?, 1)
         ON CONFLICT DO UPDATE SET revision = revision + 1 RETURNING revision",
        &super::key(target),
    )?;
    rows.first().map_or(Ok(0), |row| row.unsigned(0))
}

/// Stores the current deployment. [`changed`] was called for the Worker before.
///
/// # Errors
/// When the database fails.
pub fn serves(sql: &impl Sql, target: &Target, deployment: &DeploymentId) -> Result<(), SqlError> {
    let [namespace, worker] = super::key(target);
    sql.exec(
        "UPDATE workers SET deployment = ?, deleted = NULL WHERE namespace = ? AND worker = ?",
        &[Value::from(deployment.as_str()), namespace, worker],
    )
    .map(drop)
}

/// Stores that the Worker was deleted. [`changed`] was called for the Worker before.
///
/// # Errors
/// When the database fails.
pub fn deleted(sql: &impl Sql, target: &Target, now: Timestamp) -> Result<(), SqlError> {
    let [namespace, worker] = super::key(target);
    sql.exec(
        "UPDATE workers SET deployment = NULL, tags = '[]', deleted = ? WHERE namespace = ? AND worker = ?",
        &[Value::from(now), namespace, worker],
    )
    .map(drop)
}

/// Stores a Worker's tags. [`changed`] was called for the Worker before.
///
/// # Errors
/// When the database fails.
pub fn set_tags(sql: &impl Sql, target: &Target, tags: &[String]) -> Result<(), SqlError> {
    let [namespace, worker] = super::key(target);
    sql.exec(
        "UPDATE workers SET tags = ? WHERE namespace = ? AND worker = ?",
        &[super::write_json("Worker's tags", &tags)?, namespace, worker],
    )
    .map(drop)
}

/// Stores or removes the health check of a Worker.
///
/// # Errors
/// When the database fails.
pub fn set_health_check(
    sql: &impl Sql,
    target: &Target,
    health_check: Option<&HealthCheckRequest>,
) -> Result<(), SqlError> {
    let [namespace, worker] = super::key(target);
    sql.exec(
        "INSERT INTO workers (namespace, worker, probe_path, probe_expect, health_proof) VALUES (?, ?, ?, ?, ?)
         ON CONFLICT DO UPDATE SET probe_path = excluded.probe_path, probe_expect = excluded.probe_expect,
             health_proof = excluded.health_proof",
        &[
            namespace,
            worker,
            Value::from(health_check.map(|check| check.path.as_str())),
            Value::from(health_check.map(|check| u32::from(check.expect))),
            health_check
                .and_then(|check| check.proof.as_ref())
                .map_or(Ok(Value::Null), |proof| {
                    super::write_json("health check's proof", proof)
                })?,
        ],
    )
    .map(drop)
}

/// The Workers of a namespace that have a current deployment.
///
/// # Errors
/// When the database fails.
pub fn deployed_in(sql: &impl Sql, namespace: Namespace) -> Result<Vec<Target>, SqlError> {
    let rows = sql.exec(
        "SELECT namespace, worker FROM workers WHERE namespace = ? AND deployment IS NOT NULL ORDER BY worker",
        &[Value::from(namespace.name())],
    )?;
    rows.iter()
        .map(|row| super::read_target(row.text(0)?, row.text(1)?))
        .collect()
}

/// Whether a Worker of this name is deployed in a dispatch namespace.
///
/// # Errors
/// When the database fails.
pub fn is_deployed_somewhere(sql: &impl Sql, worker: &str) -> Result<bool, SqlError> {
    let rows = sql.exec(
        "SELECT 1 FROM workers WHERE worker = ? AND namespace <> ? AND deployment IS NOT NULL LIMIT 1",
        &[Value::from(worker), Value::from(Namespace::ACCOUNT)],
    )?;
    Ok(!rows.is_empty())
}
