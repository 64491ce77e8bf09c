//! The ids of OIDC tokens that were exchanged, so that each is exchanged once.

use jiff::Timestamp;

use crate::identity::oidc::{LEEWAY, ProvenJob};
use crate::sql::{Sql, SqlError, Value};

pub(super) const TABLE: &str = "CREATE TABLE replays (
    issuer TEXT NOT NULL, token_id TEXT NOT NULL, forget_at INTEGER NOT NULL,
    PRIMARY KEY (issuer, token_id)
) WITHOUT ROWID";

pub(super) const INDEX: &str = "CREATE INDEX replays_to_forget ON replays (forget_at)";

/// Stores a token's id, and returns whether it was new. The look-up and the insert are one statement, so of two requests
/// with the same token only one succeeds. The id is stored until the token has expired, including the
/// leeway for clocks.
///
/// # Errors
/// When the database fails; the token must then be refused.
pub fn is_first(sql: &impl Sql, proven: &ProvenJob) -> Result<bool, SqlError> {
    let forget_at = proven
        .expires
        .saturating_add(LEEWAY * 2)
        .unwrap_or(Timestamp::MAX);
    let inserted = sql.exec(
        "INSERT INTO replays (issuer, token_id, forget_at) VALUES (?, ?, ?)
         ON CONFLICT DO NOTHING RETURNING 1",
        &[
            Value::from(proven.issuer.as_str()),
            Value::from(proven.token_id.as_str()),
            Value::from(forget_at),
        ],
    )?;
    Ok(!inserted.is_empty())
}

/// Deletes the ids of tokens that have expired.
///
/// # Errors
/// When the database fails.
pub fn forget(sql: &impl Sql, now: Timestamp) -> Result<(), SqlError> {
    sql.exec("DELETE FROM replays WHERE forget_at <= ?", &[Value::from(now)])
        .map(drop)
}
