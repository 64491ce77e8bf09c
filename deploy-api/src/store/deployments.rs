//! Every upload that went upstream, or was about to.

use jiff::Timestamp;

use crate::audit::Verb;
use crate::deployments::{Deployment, DeploymentId, Failure, State, Warning};
use crate::sql::{Row, Sql, SqlError, Value};
use crate::target::Target;

pub(super) const TABLES: &[&str] = &[
    "CREATE TABLE deployments (
        id TEXT PRIMARY KEY, namespace TEXT NOT NULL, worker TEXT NOT NULL, verb TEXT NOT NULL, state TEXT NOT NULL,
        intent INTEGER NOT NULL, fingerprint TEXT, bundle TEXT NOT NULL, identity TEXT NOT NULL, token TEXT,
        source TEXT, previous TEXT, created INTEGER NOT NULL, finished INTEGER, etag TEXT, startup INTEGER,
        migration_tag TEXT, migrations TEXT, tags TEXT NOT NULL, failure TEXT, warnings TEXT NOT NULL, revision INTEGER
    ) WITHOUT ROWID",
    "CREATE INDEX deployments_by_worker ON deployments (namespace, worker, id)",
    "CREATE INDEX deployments_by_fingerprint ON deployments (fingerprint) WHERE fingerprint IS NOT NULL",
];

const COLUMNS: &str =
    "id, namespace, worker, verb, state, intent, bundle, identity, token, source, previous, created,
     finished, etag, startup, migration_tag, migrations, tags, failure, warnings, revision";

fn read(row: &Row) -> Result<Deployment, SqlError> {
    let id =
        |text: &str| DeploymentId::parse(text).map_err(|error| super::content("deployment's id", &error));
    let startup = row.optional_integer(14)?;
    let revision = row.optional_integer(20)?;
    Ok(Deployment {
        id: id(row.text(0)?)?,
        target: super::read_target(row.text(1)?, row.text(2)?)?,
        verb: Verb::from_name(row.text(3)?)
            .ok_or_else(|| super::content("deployment's verb", &"it is none"))?,
        state: State::from_name(row.text(4)?)
            .ok_or_else(|| super::content("deployment's state", &"it is none"))?,
        intent: row.unsigned(5)?,
        bundle: super::read_json("deployment's bundle", row.text(6)?)?,
        identity: super::read_json("deployment's identity", row.text(7)?)?,
        token: row.optional_text(8)?.map(str::to_owned),
        source: row.optional_text(9)?.map(id).transpose()?,
        previous: row.optional_text(10)?.map(id).transpose()?,
        created: row.time(11)?,
        finished: row.optional_time(12)?,
        etag: row.optional_text(13)?.map(str::to_owned),
        startup_time_ms: startup.map(|_| row.unsigned(14)).transpose()?,
        migration_tag: row.optional_text(15)?.map(str::to_owned),
        migrations: row
            .optional_text(16)?
            .map(|text| super::read_json("deployment's migrations", text))
            .transpose()?,
        tags: super::read_json("deployment's tags", row.text(17)?)?,
        failure: row
            .optional_text(18)?
            .map(|text| super::read_json("deployment's failure", text))
            .transpose()?,
        warnings: super::read_json("deployment's warnings", row.text(19)?)?,
        revision: revision.map(|_| row.unsigned(20)).transpose()?,
    })
}

/// Stores a deployment that is about to go upstream.
///
/// # Errors
/// When the database fails.
pub fn begin(sql: &impl Sql, deployment: &Deployment, fingerprint: Option<&str>) -> Result<(), SqlError> {
    let migrations = deployment
        .migrations
        .as_ref()
        .map(|migrations| super::write_json("deployment's migrations", migrations))
        .transpose()?;
    sql.exec(
        "INSERT INTO deployments (id, namespace, worker, verb, state, intent, fingerprint, bundle, identity, token,
             source, previous, created, migration_tag, migrations, tags, warnings)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        &[
            Value::from(deployment.id.as_str()),
            Value::from(deployment.target.namespace()),
            Value::from(deployment.target.worker.as_str()),
            Value::from(deployment.verb.name()),
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
            migrations.unwrap_or(Value::Null),
            super::write_json("deployment's tags", &deployment.tags)?,
            super::write_json::<Vec<Warning>>("deployment's warnings", &deployment.warnings)?,
        ],
    )
    .map(drop)
}

/// Puts how a deployment ended on record.
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
             revision = ? WHERE id = ?",
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
            Value::from(deployment.id.as_str()),
        ],
    )
    .map(drop)
}

/// The deployment of that id, of whatever Worker.
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

/// The last deployment of a Worker before another that ended in one of the ways in which code was served.
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
    // Every id of our own sorts before "~".
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
