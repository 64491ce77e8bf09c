//! The deployments: every upload to the upstream, including pending ones.

use dotdo_names::Namespace;
use jiff::Timestamp;

use crate::audit::{Action, Annotations};
use crate::deployments::{Deployment, DeploymentHealth, DeploymentId, Failure, State, Warning};
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

/// The key of each bundle's object, and the other objects that deployments need.
pub(super) const OBJECTS: &[&str] = &[
    "ALTER TABLE deployments ADD COLUMN object TEXT",
    "CREATE INDEX deployments_by_object ON deployments (object) WHERE object IS NOT NULL",
    "CREATE INDEX deployments_by_intent ON deployments (intent)",
    "CREATE TABLE deployment_objects (
        object TEXT NOT NULL, deployment TEXT NOT NULL, PRIMARY KEY (object, deployment)
    ) WITHOUT ROWID",
    "CREATE INDEX deployment_objects_by_deployment ON deployment_objects (deployment)",
    "ALTER TABLE workers ADD COLUMN deleted INTEGER",
];

/// What the developer wrote about each upload.
pub(super) const ANNOTATIONS: &str = "ALTER TABLE deployments ADD COLUMN annotations TEXT";

/// The metadata of redeploys with other bindings, and the bindings that are not known.
pub(super) const REDEPLOYABLE: &[&str] = &[
    "ALTER TABLE deployments ADD COLUMN metadata TEXT",
    "ALTER TABLE deployments ADD COLUMN unresolved TEXT",
];

/// The result of each deployment's health check.
pub(super) const HEALTH: &str = "ALTER TABLE deployments ADD COLUMN health TEXT";

/// The account Worker of each import.
pub(super) const IMPORTED: &str = "ALTER TABLE deployments ADD COLUMN imported TEXT";

/// When the previews expire that deployments made.
pub(super) const EXPIRES: &str = "ALTER TABLE deployments ADD COLUMN expires INTEGER";

pub(super) const COLUMNS: &str =
    "id, namespace, worker, verb, state, intent, bundle, identity, token, source, previous, created,
     finished, etag, startup, migration_tag, migrations, tags, failure, warnings, revision, object, annotations,
     classes, metadata, unresolved, health, imported, expires";

pub(super) fn read(row: &Row) -> Result<Deployment, SqlError> {
    let id =
        |text: &str| DeploymentId::parse(text).map_err(|error| super::content("deployment's id", &error));
    let startup = row.optional_integer(14)?;
    let revision = row.optional_integer(20)?;
    Ok(Deployment {
        id: id(row.text(0)?)?,
        target: super::read_target(row.text(1)?, row.text(2)?)?,
        action: Action::from_name(row.text(3)?)
            .ok_or_else(|| super::content("deployment's action", &"it is unknown"))?,
        state: State::from_name(row.text(4)?)
            .ok_or_else(|| super::content("deployment's state", &"it is unknown"))?,
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
        object: row.optional_text(21)?.map(str::to_owned),
        annotations: row
            .optional_text(22)?
            .map_or(Ok(Annotations::default()), |text| {
                super::read_json("deployment's annotations", text)
            })?,
        classes: row
            .optional_text(23)?
            .map(|text| super::read_json("deployment's classes", text))
            .transpose()?,
        metadata: row.optional_text(24)?.map(str::to_owned),
        unresolved: row
            .optional_text(25)?
            .map(|text| super::read_json("deployment's unresolved bindings", text))
            .transpose()?,
        health: row
            .optional_text(26)?
            .map_or(Ok(DeploymentHealth::default()), |text| {
                super::read_json("deployment's health", text)
            })?,
        imported: row
            .optional_text(27)?
            .map(|text| super::read_json("deployment's account Worker", text))
            .transpose()?,
        expires: row.optional_time(28)?,
    })
}

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
