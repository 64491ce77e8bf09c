//! The static assets that earlier versions stored, by their hash. New ones are in manifests in the bundle store.

use crate::bundles::Digest;
use crate::sql::{Sql, SqlError, Value};
use crate::target::Target;

pub(super) const TABLES: &[&str] = &[
    "CREATE TABLE asset_sessions (
        token TEXT PRIMARY KEY, namespace TEXT NOT NULL, worker TEXT NOT NULL, manifest TEXT NOT NULL,
        expires INTEGER NOT NULL
    ) WITHOUT ROWID",
    "CREATE TABLE assets (
        namespace TEXT NOT NULL, worker TEXT NOT NULL, hash TEXT NOT NULL, sha256 TEXT NOT NULL, content_type TEXT,
        PRIMARY KEY (namespace, worker, hash)
    ) WITHOUT ROWID",
];

/// A session is valid for an hour. Sessions without a stored intent are deleted, so the client starts again.
pub(super) const WITH_INTENT: &[&str] = &[
    "DELETE FROM asset_sessions",
    "ALTER TABLE asset_sessions ADD COLUMN intent INTEGER NOT NULL DEFAULT 0",
];

fn digest(what: &'static str, text: &str) -> Result<Digest, SqlError> {
    Digest::parse(text).map_err(|error| SqlError::Content {
        what,
        reason: error.to_string(),
    })
}

/// Sessions are in signed tokens now, and the key of fingerprints is a Worker secret.
pub(super) const WITHOUT_SESSIONS: &[&str] = &["DROP TABLE asset_sessions", "DROP TABLE fingerprint_key"];

/// A static asset of a Worker whose content is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredAsset {
    /// The SHA-256 of its content.
    pub sha256: Digest,
    /// The content type that it is served with.
    pub content_type: Option<String>,
}

/// The asset of that hash, if this Worker has had it.
///
/// # Errors
/// When the database fails.
pub fn find(sql: &impl Sql, target: &Target, hash: &str) -> Result<Option<StoredAsset>, SqlError> {
    let rows = sql.exec(
        "SELECT sha256, content_type FROM assets WHERE namespace = ? AND worker = ? AND hash = ?",
        &[
            Value::from(target.namespace()),
            Value::from(target.worker.as_str()),
            Value::from(hash),
        ],
    )?;
    rows.first()
        .map(|row| {
            Ok(StoredAsset {
                sha256: digest("asset's digest", row.text(0)?)?,
                content_type: row.optional_text(1)?.map(str::to_owned),
            })
        })
        .transpose()
}
