//! The ledger's answers to messages, by attempt: a message that is repeated after a lost answer changes nothing.

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::attempt::AttemptId;
use crate::code::Code;
use crate::problem::Problem;
use crate::sql::{Sql, SqlError, Value};

/// How long answers are stored. The gateway repeats a message within seconds.
const KEPT: SignedDuration = SignedDuration::from_hours(1);

pub(super) const TABLES: &[&str] = &[
    "CREATE TABLE answers (
        attempt TEXT NOT NULL, message TEXT NOT NULL, answer TEXT NOT NULL, at INTEGER NOT NULL,
        PRIMARY KEY (attempt, message)
    ) WITHOUT ROWID",
    "CREATE INDEX answers_by_age ON answers (at)",
];

/// Handles a message once: a repeated message gets the stored answer. The answer is stored in the same transaction as the
/// changes. Failures of the database are not stored.
///
/// # Errors
/// What `handle` returns.
pub fn once<T: Serialize + DeserializeOwned>(
    sql: &impl Sql,
    attempt: &AttemptId,
    message: &str,
    now: Timestamp,
    handle: impl FnOnce() -> Result<T, Problem>,
) -> Result<T, Problem> {
    if let Some(answer) = answer(sql, attempt, message)? {
        return answer;
    }
    sql.transaction(|| {
        let answer = handle();
        if !is_transient(&answer) {
            store(sql, attempt, message, &answer, now)?;
        }
        Ok::<_, SqlError>(answer)
    })?
}

fn is_transient<T>(answer: &Result<T, Problem>) -> bool {
    answer
        .as_ref()
        .is_err_and(|problem| problem.code == Code::RecordUnavailable)
}

/// The stored answer to a message of an attempt.
///
/// # Errors
/// When the database fails, or the answer cannot be read.
pub fn answer<T: DeserializeOwned>(
    sql: &impl Sql,
    attempt: &AttemptId,
    message: &str,
) -> Result<Option<Result<T, Problem>>, SqlError> {
    let rows = sql.exec(
        "SELECT answer FROM answers WHERE attempt = ? AND message = ?",
        &[Value::from(attempt.as_str()), Value::from(message)],
    )?;
    rows.first()
        .map(|row| {
            serde_json::from_str(row.text(0)?).map_err(|error| SqlError::Content {
                what: "answer",
                reason: error.to_string(),
            })
        })
        .transpose()
}

/// Stores the answer to a message of an attempt.
///
/// # Errors
/// When the database fails.
pub fn store<T: Serialize>(
    sql: &impl Sql,
    attempt: &AttemptId,
    message: &str,
    answer: &Result<T, Problem>,
    now: Timestamp,
) -> Result<(), SqlError> {
    let text = serde_json::to_string(answer).map_err(|error| SqlError::Content {
        what: "answer",
        reason: error.to_string(),
    })?;
    sql.exec(
        "INSERT OR REPLACE INTO answers (attempt, message, answer, at) VALUES (?, ?, ?, ?)",
        &[
            Value::from(attempt.as_str()),
            Value::from(message),
            Value::from(text),
            Value::from(now),
        ],
    )
    .map(drop)
}

/// Deletes answers that are too old to be requested again.
///
/// # Errors
/// When the database fails.
pub fn forget(sql: &impl Sql, now: Timestamp) -> Result<(), SqlError> {
    let before = now.saturating_sub(KEPT).unwrap_or(now);
    sql.exec("DELETE FROM answers WHERE at < ?", &[Value::from(before)])
        .map(drop)
}
