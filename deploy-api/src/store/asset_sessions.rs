//! Uploads of static assets that were begun through here, by the SHA-256 of their tokens, and the assets that came.

use jiff::Timestamp;

use crate::bundles::Digest;
use crate::sql::{Row, Sql, SqlError, Value};
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

/// A session is good for an hour: one from before its intent was kept with it begins anew.
pub(super) const WITH_INTENT: &[&str] = &[
    "DELETE FROM asset_sessions",
    "ALTER TABLE asset_sessions ADD COLUMN intent INTEGER NOT NULL DEFAULT 0",
];

/// An upload of static assets that was begun.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AssetSession {
    /// For which Worker.
    pub target: Target,
    /// The digest under which its manifest is stored.
    pub manifest: Digest,
    /// When its tokens are no longer taken.
    pub expires: Timestamp,
    /// The sequence number of its intent in the audit log, which says who began it.
    pub intent: u64,
}

fn digest(what: &'static str, text: &str) -> Result<Digest, SqlError> {
    Digest::parse(text).map_err(|error| SqlError::Content {
        what,
        reason: error.to_string(),
    })
}

fn read(row: &Row) -> Result<AssetSession, SqlError> {
    Ok(AssetSession {
        target: super::read_target(row.text(0)?, row.text(1)?)?,
        manifest: digest("manifest's digest", row.text(2)?)?,
        expires: row.time(3)?,
        intent: row.unsigned(4)?,
    })
}

/// Remembers a token of a session: the one that it began with, or the one that it ended with.
///
/// # Errors
/// When the database fails.
pub fn issued(sql: &impl Sql, jwt: &str, session: &AssetSession) -> Result<(), SqlError> {
    sql.exec(
        "INSERT OR REPLACE INTO asset_sessions (token, namespace, worker, manifest, expires, intent)
         VALUES (?, ?, ?, ?, ?, ?)",
        &[
            Value::from(Digest::of(jwt.as_bytes()).as_str()),
            Value::from(session.target.namespace()),
            Value::from(session.target.worker.as_str()),
            Value::from(session.manifest.as_str()),
            Value::from(session.expires),
            Value::integer(session.intent)?,
        ],
    )
    .map(drop)
}

/// The session of a token that was issued through here and is still taken.
///
/// # Errors
/// When the database fails.
pub fn of_token(sql: &impl Sql, jwt: &str, now: Timestamp) -> Result<Option<AssetSession>, SqlError> {
    let rows = sql.exec(
        "SELECT namespace, worker, manifest, expires, intent FROM asset_sessions WHERE token = ? AND expires > ?",
        &[Value::from(Digest::of(jwt.as_bytes()).as_str()), Value::from(now)],
    )?;
    rows.first().map(read).transpose()
}

/// Forgets the sessions that have ended.
///
/// # Errors
/// When the database fails.
pub fn forget(sql: &impl Sql, now: Timestamp) -> Result<(), SqlError> {
    sql.exec(
        "DELETE FROM asset_sessions WHERE expires <= ?",
        &[Value::from(now)],
    )
    .map(drop)
}

/// A static asset of a Worker whose content is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredAsset {
    /// The SHA-256 of its content.
    pub sha256: Digest,
    /// The content type that it is served with.
    pub content_type: Option<String>,
}

/// Remembers an asset of a Worker. It holds for this Worker only: the hash is the client's word, and must not decide
/// what another Worker serves.
///
/// # Errors
/// When the database fails.
pub fn keep(sql: &impl Sql, target: &Target, hash: &str, asset: &StoredAsset) -> Result<(), SqlError> {
    sql.exec(
        "INSERT OR REPLACE INTO assets (namespace, worker, hash, sha256, content_type) VALUES (?, ?, ?, ?, ?)",
        &[
            Value::from(target.namespace()),
            Value::from(target.worker.as_str()),
            Value::from(hash),
            Value::from(asset.sha256.as_str()),
            Value::from(asset.content_type.as_deref()),
        ],
    )
    .map(drop)
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
