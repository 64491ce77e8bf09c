//! Failed attempts to authenticate, by the client's address; see [`lockout`](crate::identity::lockout).

use jiff::Timestamp;

use crate::identity::lockout::{Attempts, LOCK, MAX_ADDRESSES, WINDOW};
use crate::sql::{Sql, SqlError, Value};

pub(super) const TABLE: &str = "CREATE TABLE lockouts (
    address TEXT PRIMARY KEY, began INTEGER NOT NULL, guesses INTEGER NOT NULL, failures INTEGER NOT NULL,
    locked_until INTEGER
) WITHOUT ROWID";

pub(super) const INDEX: &str = "CREATE INDEX lockouts_by_age ON lockouts (began)";

/// The stored attempts of an address.
///
/// # Errors
/// When the database fails.
pub fn attempts(sql: &impl Sql, address: &str) -> Result<Option<Attempts>, SqlError> {
    let rows = sql.exec(
        "SELECT began, guesses, failures, locked_until FROM lockouts WHERE address = ?",
        &[Value::from(address)],
    )?;
    rows.first()
        .map(|row| {
            let count = |column| Ok(u32::try_from(row.unsigned(column)?).unwrap_or(u32::MAX));
            Ok(Attempts {
                began: row.time(0)?,
                guesses: count(1)?,
                failures: count(2)?,
                locked_until: row.optional_time(3)?,
            })
        })
        .transpose()
}

/// Counts a failure of an address, and deletes the oldest addresses if there are too many.
///
/// # Errors
/// When the database fails.
pub fn count_failure(
    sql: &impl Sql,
    address: &str,
    is_a_guess: bool,
    now: Timestamp,
) -> Result<Attempts, SqlError> {
    let before = attempts(sql, address)?;
    let after = before
        .unwrap_or_else(|| Attempts::first(now))
        .after_failure(is_a_guess, now);
    if before.is_none() {
        sql.exec(
            "DELETE FROM lockouts WHERE address IN (
                SELECT address FROM lockouts ORDER BY began DESC LIMIT -1 OFFSET ?
            )",
            &[Value::from(MAX_ADDRESSES - 1)],
        )?;
    }
    sql.exec(
        "INSERT INTO lockouts (address, began, guesses, failures, locked_until) VALUES (?, ?, ?, ?, ?)
         ON CONFLICT (address) DO UPDATE SET began = excluded.began, guesses = excluded.guesses,
            failures = excluded.failures, locked_until = excluded.locked_until",
        &[
            Value::from(address),
            Value::from(after.began),
            Value::from(after.guesses),
            Value::from(after.failures),
            Value::from(after.locked_until),
        ],
    )?;
    Ok(after)
}

/// Deletes addresses whose window and lock-out have ended.
///
/// # Errors
/// When the database fails.
pub fn forget(sql: &impl Sql, now: Timestamp) -> Result<(), SqlError> {
    let before = now.saturating_sub(WINDOW.max(LOCK)).unwrap_or(now);
    sql.exec(
        "DELETE FROM lockouts WHERE began <= ? AND (locked_until IS NULL OR locked_until <= ?)",
        &[Value::from(before), Value::from(now)],
    )
    .map(drop)
}
