//! The table of the deployments, and how a row of it is read.

use crate::audit::{Action, Annotations};
use crate::deployments::{Deployment, DeploymentHealth, DeploymentId, State};
use crate::sql::{Row, SqlError};

/// The table of the deployments as it was at first.
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

/// The columns, in the order in which [`read`] reads them.
pub(super) const COLUMNS: &str =
    "id, namespace, worker, verb, state, intent, bundle, identity, token, source, previous, created,
     finished, etag, startup, migration_tag, migrations, tags, failure, warnings, revision, object, annotations,
     classes, metadata, unresolved, health, imported, expires";

/// The deployment in a row with [`COLUMNS`].
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
