//! Deploy tokens and API tokens. Only the SHA-256 of a token is stored.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::attempt::AttemptId;
use crate::identity::{Identity, Rejection, Subject, Token, TokenHash, TokenId, TokenKind};
use crate::policy::{Caller, Grant, Scope};
use crate::schema::Time;
use crate::sql::{Row, Sql, SqlError, Value};

use super::{read_json, write_json};

pub(super) const TABLE: &str = "CREATE TABLE tokens (
    id TEXT PRIMARY KEY, kind TEXT NOT NULL, hash TEXT NOT NULL UNIQUE, identity TEXT NOT NULL, grants TEXT NOT NULL,
    created INTEGER NOT NULL, expires INTEGER NOT NULL, uses INTEGER NOT NULL DEFAULT 0, max_uses INTEGER,
    last_used INTEGER, revoked INTEGER
) WITHOUT ROWID";

pub(super) const INDEX: &str = "CREATE INDEX tokens_by_end ON tokens (kind, expires)";

/// The attempt that used the token last.
pub(super) const WITH_ATTEMPT: &str = "ALTER TABLE tokens ADD COLUMN last_attempt TEXT";

/// The time in which further uses of a token without a maximum are not counted. A count is a write, and a response waits until
/// its writes are durable.
const COUNTED: SignedDuration = SignedDuration::from_mins(1);

/// How long a deploy token stays listed after it expired. The audit log keeps its entries.
const DEPLOY_TOKENS_KEPT: SignedDuration = SignedDuration::from_hours(24);

/// A token to be stored.
#[derive(Clone, Debug)]
pub struct NewToken<'a> {
    /// The token itself.
    pub token: &'a Token,
    /// The identity of its holder.
    pub identity: &'a Identity,
    /// Its grants.
    pub grants: &'a [Grant],
    /// When it is created.
    pub created: Timestamp,
    /// When it ends.
    pub expires: Timestamp,
    /// How often it may be used; `None` for no limit.
    pub max_uses: Option<u32>,
}

/// A token in a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TokenRecord {
    /// Its id.
    pub id: TokenId,
    /// What it is for.
    pub kind: TokenKind,
    /// The identity of its holder.
    pub identity: Identity,
    /// Its grants.
    pub grants: Vec<Grant>,
    /// When it was created.
    #[schemars(with = "Time")]
    pub created: Timestamp,
    /// When it ends.
    #[schemars(with = "Time")]
    pub expires: Timestamp,
    /// How often it was used. Of a token without `max_uses`, at most one use in each minute is counted.
    pub uses: u64,
    /// How often it may be used.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_uses: Option<u64>,
    /// When it was used last.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<Time>")]
    pub last_used: Option<Timestamp>,
    /// When it was revoked.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<Time>")]
    pub revoked: Option<Timestamp>,
}

const COLUMNS: &str = "id, kind, identity, grants, created, expires, uses, max_uses, last_used, revoked";

impl TokenRecord {
    fn read(row: &Row) -> Result<Self, SqlError> {
        let content = |what, reason: String| SqlError::Content { what, reason };
        let id = TokenId::parse(row.text(0)?).map_err(|error| content("token id", error.to_string()))?;
        let max_uses = row.optional_integer(7)?;
        Ok(Self {
            id,
            kind: if row.text(1)? == "deploy" {
                TokenKind::Deploy
            } else {
                TokenKind::Api
            },
            identity: read_json("token's identity", row.text(2)?)?,
            grants: read_json("token's grants", row.text(3)?)?,
            created: row.time(4)?,
            expires: row.time(5)?,
            uses: row.unsigned(6)?,
            max_uses: max_uses.map(|_| row.unsigned(7)).transpose()?,
            last_used: row.optional_time(8)?,
            revoked: row.optional_time(9)?,
        })
    }

    /// Whether another use is not counted.
    fn is_counted_already(&self, now: Timestamp) -> bool {
        self.max_uses.is_none()
            && self
                .last_used
                .is_some_and(|used| now.duration_since(used) < COUNTED)
    }

    /// The caller that the token authenticates.
    #[must_use]
    pub fn into_caller(self) -> Caller {
        Caller {
            identity: self.identity,
            token: Some(self.id),
            scope: Scope::Grants(self.grants),
        }
    }

    /// The name of the token's holder.
    #[must_use]
    pub fn holder(&self) -> String {
        holder(&self.identity)
    }
}

/// The name of a token's holder: a subject, a repository, a project or a pipeline.
#[must_use]
pub fn holder(identity: &Identity) -> String {
    match identity {
        Identity::GithubRun(run) => run.repository.clone(),
        Identity::GitlabJob(job) => job.project_path.clone(),
        Identity::BuildkiteJob(job) => job.pipeline(),
        Identity::ApiToken { subject } => Subject::as_str(subject).to_owned(),
        Identity::BootstrapAdministrator => "bootstrap".to_owned(),
        Identity::Platform => "the platform".to_owned(),
    }
}

const fn kind_name(kind: TokenKind) -> &'static str {
    match kind {
        TokenKind::Deploy => "deploy",
        TokenKind::Api => "api",
    }
}

/// Stores a token.
///
/// # Errors
/// When the database fails.
pub fn insert(sql: &impl Sql, new: &NewToken<'_>) -> Result<(), SqlError> {
    sql.exec(
        "INSERT INTO tokens (id, kind, hash, identity, grants, created, expires, max_uses)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        &[
            Value::from(new.token.id().as_str()),
            Value::from(kind_name(new.token.kind())),
            Value::from(new.token.hash().to_hex()),
            write_json("token's identity", new.identity)?,
            write_json("token's grants", &new.grants)?,
            Value::from(new.created),
            Value::from(new.expires),
            Value::from(new.max_uses),
        ],
    )
    .map(drop)
}

/// Uses a token once, if it may be used. A repeated use by the same attempt is not counted again; of a token without a maximum, at
/// most one use in each [`COUNTED`] is counted.
///
/// # Errors
/// When the database fails; the token must then be refused.
pub fn spend(
    sql: &impl Sql,
    hash: &TokenHash,
    attempt: &AttemptId,
    now: Timestamp,
) -> Result<Result<TokenRecord, Rejection>, SqlError> {
    match check(sql, hash, now)? {
        Ok(record) if record.is_counted_already(now) => return Ok(Ok(record)),
        Ok(_) => {}
        Err(rejection) => return Ok(Err(rejection)),
    }
    // Nothing happens between the two statements: the ledger handles a message in one turn.
    let attempt = Value::from(attempt.as_str());
    let used = sql.exec(
        &format!(
            "UPDATE tokens SET uses = uses + (last_attempt IS NOT ?), last_used = ?, last_attempt = ?
             WHERE hash = ? AND (max_uses IS NULL OR uses < max_uses OR last_attempt = ?)
             RETURNING {COLUMNS}"
        ),
        &[
            attempt.clone(),
            Value::from(now),
            attempt.clone(),
            Value::from(hash.to_hex()),
            attempt,
        ],
    )?;
    match used.first() {
        Some(row) => TokenRecord::read(row).map(Ok),
        None => Ok(Err(Rejection::TokenUsedUp)),
    }
}

/// The token of that hash, if it exists, has not expired and was not revoked. Its uses are not counted.
///
/// # Errors
/// When the database fails; the token must then be refused.
pub fn check(
    sql: &impl Sql,
    hash: &TokenHash,
    now: Timestamp,
) -> Result<Result<TokenRecord, Rejection>, SqlError> {
    let found = sql.exec(
        &format!("SELECT {COLUMNS} FROM tokens WHERE hash = ?"),
        &[Value::from(hash.to_hex())],
    )?;
    let Some(row) = found.first() else {
        return Ok(Err(Rejection::TokenUnknown));
    };
    let record = TokenRecord::read(row)?;
    Ok(if record.revoked.is_some() {
        Err(Rejection::TokenRevoked)
    } else if record.expires <= now {
        Err(Rejection::TokenExpired)
    } else {
        Ok(record)
    })
}

/// The token of that id.
///
/// # Errors
/// When the database fails.
pub fn get(sql: &impl Sql, id: &TokenId) -> Result<Option<TokenRecord>, SqlError> {
    let rows = sql.exec(
        &format!("SELECT {COLUMNS} FROM tokens WHERE id = ?"),
        &[Value::from(id.as_str())],
    )?;
    rows.first().map(TokenRecord::read).transpose()
}

/// Tokens in the order of their ids, those after `after`, at most `limit`.
///
/// # Errors
/// When the database fails.
pub fn list(
    sql: &impl Sql,
    kind: Option<TokenKind>,
    after: Option<&TokenId>,
    limit: u32,
) -> Result<Vec<TokenRecord>, SqlError> {
    let kind = Value::from(kind.map(kind_name));
    let rows = sql.exec(
        &format!("SELECT {COLUMNS} FROM tokens WHERE (? IS NULL OR kind = ?) AND id > ? ORDER BY id LIMIT ?"),
        &[
            kind.clone(),
            kind,
            Value::from(after.map_or("", TokenId::as_str)),
            Value::from(limit),
        ],
    )?;
    rows.iter().map(TokenRecord::read).collect()
}

/// The subjects of the API tokens that are valid.
///
/// # Errors
/// When the database fails.
pub fn subjects(sql: &impl Sql, now: Timestamp) -> Result<BTreeSet<Subject>, SqlError> {
    let rows = sql.exec(
        "SELECT DISTINCT json_extract(identity, '$.subject') FROM tokens
         WHERE kind = 'api' AND expires > ? AND revoked IS NULL",
        &[Value::from(now)],
    )?;
    let subject =
        |row: &Row| Subject::parse(row.text(0)?).map_err(|error| super::content("token's subject", &error));
    rows.iter().map(subject).collect()
}

/// Revokes a token permanently. A token that is revoked already is not changed.
///
/// # Errors
/// When the database fails.
pub fn revoke(sql: &impl Sql, id: &TokenId, now: Timestamp) -> Result<(), SqlError> {
    sql.exec(
        "UPDATE tokens SET revoked = ? WHERE id = ? AND revoked IS NULL",
        &[Value::from(now), Value::from(id.as_str())],
    )
    .map(drop)
}

/// Deletes deploy tokens that expired a day ago. API tokens stay listed.
///
/// # Errors
/// When the database fails.
pub fn forget(sql: &impl Sql, now: Timestamp) -> Result<(), SqlError> {
    let before = now.saturating_sub(DEPLOY_TOKENS_KEPT).unwrap_or(now);
    sql.exec(
        "DELETE FROM tokens WHERE kind = 'deploy' AND expires <= ?",
        &[Value::from(before)],
    )
    .map(drop)
}
