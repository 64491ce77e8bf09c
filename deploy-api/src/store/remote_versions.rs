//! The version that the upstream had of each Worker after the last change through this API. If the upstream has another one, the
//! Worker was changed outside of this API.

use jiff::Timestamp;

use crate::deployments::RemoteVersion;
use crate::sql::{Sql, SqlError, Value};
use crate::target::Target;

pub(super) const TABLE: &str = "CREATE TABLE remote_versions (
    namespace TEXT NOT NULL, worker TEXT NOT NULL, etag TEXT, modified INTEGER, settled INTEGER NOT NULL,
    PRIMARY KEY (namespace, worker)
) WITHOUT ROWID";

/// The recorded version of a Worker.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RecordedVersion {
    /// The version. Members that are not known are learned when the Worker is observed.
    pub version: RemoteVersion,
    /// When the outcome of the last change was recorded. Observations that began before it are outdated.
    pub settled: Timestamp,
}

/// The recorded version of a Worker; nothing is known of a Worker that was never changed through this API.
///
/// # Errors
/// When the database fails.
pub fn get(sql: &impl Sql, target: &Target) -> Result<RecordedVersion, SqlError> {
    let rows = sql.exec(
        "SELECT etag, modified, settled FROM remote_versions WHERE namespace = ? AND worker = ?",
        &super::key(target),
    )?;
    let Some(row) = rows.first() else {
        return Ok(RecordedVersion::default());
    };
    Ok(RecordedVersion {
        version: RemoteVersion {
            etag: row.optional_text(0)?.map(str::to_owned),
            modified: row.optional_time(1)?,
            ..RemoteVersion::default()
        },
        settled: row.time(2)?,
    })
}

/// Stores the version after a change whose outcome is recorded at `settled`.
///
/// # Errors
/// When the database fails.
pub fn put(
    sql: &impl Sql,
    target: &Target,
    version: &RemoteVersion,
    settled: Timestamp,
) -> Result<(), SqlError> {
    let [namespace, worker] = super::key(target);
    sql.exec(
        "INSERT OR REPLACE INTO remote_versions (namespace, worker, etag, modified, settled) VALUES (?, ?, ?, ?, ?)",
        &[
            namespace,
            worker,
            Value::from(version.etag.as_deref()),
            Value::from(version.modified),
            Value::from(settled),
        ],
    )
    .map(drop)
}
