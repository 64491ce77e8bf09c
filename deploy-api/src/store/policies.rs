//! Every version of the policy. The last one is active.

use std::cell::RefCell;
use std::rc::Rc;

use data_encoding::HEXLOWER;
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::policy::Policy;
use crate::schema::{HexDigest, Time};
use crate::sql::{Row, Sql, SqlError, Value};

pub(super) const TABLE: &str = "CREATE TABLE policies (
    version INTEGER PRIMARY KEY, document TEXT NOT NULL, sha256 TEXT NOT NULL, created INTEGER NOT NULL,
    created_by TEXT NOT NULL
)";

/// The active policy.
#[derive(Clone, Debug, Default)]
pub struct ActivePolicy {
    /// Its version, from 1; 0 for the empty policy, which denies everything.
    pub version: u64,
    /// The policy.
    pub policy: Policy,
}

/// A version of the policy, without its document.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PolicyVersion {
    /// From 1 without gaps.
    pub version: u64,
    /// The SHA-256 of the document, in hexadecimal.
    #[schemars(with = "HexDigest")]
    pub sha256: String,
    /// When it was stored.
    #[schemars(with = "Time")]
    pub created: Timestamp,
    /// The caller who stored it.
    pub created_by: String,
}

impl PolicyVersion {
    fn read(row: &Row) -> Result<Self, SqlError> {
        Ok(Self {
            version: row.unsigned(0)?,
            sha256: row.text(1)?.to_owned(),
            created: row.time(2)?,
            created_by: row.text(3)?.to_owned(),
        })
    }
}

/// The active policy, parsed once for each version. There is one cache per process.
#[derive(Debug, Default)]
pub struct PolicyCache(RefCell<Rc<ActivePolicy>>);

impl PolicyCache {
    /// The active policy.
    ///
    /// # Errors
    /// If the database fails, or the stored policy does not load. Nothing is allowed then.
    pub fn active(&self, sql: &impl Sql) -> Result<Rc<ActivePolicy>, SqlError> {
        let version = latest_version(sql)?;
        let held = Rc::clone(&self.0.borrow());
        if held.version == version {
            return Ok(held);
        }
        let (_, document) = get(sql, version)?.ok_or_else(|| SqlError::Content {
            what: "policy",
            reason: format!("version {version} is missing"),
        })?;
        let policy = Policy::load(&document).map_err(|errors| SqlError::Content {
            what: "policy",
            reason: errors.to_string(),
        })?;
        let active = Rc::new(ActivePolicy { version, policy });
        *self.0.borrow_mut() = Rc::clone(&active);
        Ok(active)
    }
}

/// The number of the last version; 0 while there is none.
///
/// # Errors
/// When the database fails.
pub fn latest_version(sql: &impl Sql) -> Result<u64, SqlError> {
    let rows = sql.exec("SELECT coalesce(max(version), 0) FROM policies", &[])?;
    rows.first().map_or(Ok(0), |row| row.unsigned(0))
}

/// A version and its document.
///
/// # Errors
/// When the database fails.
pub fn get(sql: &impl Sql, version: u64) -> Result<Option<(PolicyVersion, String)>, SqlError> {
    let rows = sql.exec(
        "SELECT version, sha256, created, created_by, document FROM policies WHERE version = ?",
        &[Value::integer(version)?],
    )?;
    rows.first()
        .map(|row| Ok((PolicyVersion::read(row)?, row.text(4)?.to_owned())))
        .transpose()
}

/// Versions, the newest first, those before `before`, at most `limit`.
///
/// # Errors
/// When the database fails.
pub fn list(sql: &impl Sql, before: Option<u64>, limit: u32) -> Result<Vec<PolicyVersion>, SqlError> {
    let before = before.map(Value::integer).transpose()?;
    let rows = sql.exec(
        "SELECT version, sha256, created, created_by FROM policies
         WHERE ? IS NULL OR version < ? ORDER BY version DESC LIMIT ?",
        &[
            Value::from(before.clone()),
            Value::from(before),
            Value::from(limit),
        ],
    )?;
    rows.iter().map(PolicyVersion::read).collect()
}

/// Stores a checked document as the next version.
///
/// # Errors
/// When the database fails.
pub fn put(sql: &impl Sql, document: &str, by: &str, now: Timestamp) -> Result<PolicyVersion, SqlError> {
    let rows = sql.exec(
        "INSERT INTO policies (version, document, sha256, created, created_by)
         SELECT coalesce(max(version), 0) + 1, ?, ?, ?, ? FROM policies
         RETURNING version, sha256, created, created_by",
        &[
            Value::from(document),
            Value::from(HEXLOWER.encode(&Sha256::digest(document))),
            Value::from(now),
            Value::from(by),
        ],
    )?;
    rows.first().map_or_else(
        || {
            Err(SqlError::Content {
                what: "policy",
                reason: "it was not stored".to_owned(),
            })
        },
        PolicyVersion::read,
    )
}
