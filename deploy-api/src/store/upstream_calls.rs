//! The calls to the Cloudflare API that were reserved, in steps of ten seconds.

use jiff::{SignedDuration, Timestamp};

use crate::sql::{Sql, SqlError, Value};

/// The length of a step, in seconds.
const STEP: i64 = 10;

/// How long a reserved call may still be made, in seconds.
pub const VALID: i64 = 30;

/// The number of steps that are counted: Cloudflare's five minutes, and the time until the last reserved call is made.
const STEPS: i64 = (300 + VALID) / STEP;

pub(super) const TABLE: &str =
    "CREATE TABLE upstream_calls (step INTEGER PRIMARY KEY, calls INTEGER NOT NULL)";

/// Reserves calls, if no more than `limit` are reserved with them. Otherwise returns the time after which they may be.
///
/// # Errors
/// When the database fails.
pub fn reserve(
    sql: &impl Sql,
    calls: u32,
    limit: u32,
    now: Timestamp,
) -> Result<Result<(), SignedDuration>, SqlError> {
    let step = now.as_second().div_euclid(STEP);
    sql.exec(
        "DELETE FROM upstream_calls WHERE step < ?",
        &[Value::integer(step - STEPS)?],
    )?;
    let rows = sql.exec("SELECT step, calls FROM upstream_calls ORDER BY step", &[])?;
    let mut reserved = Vec::new();
    for row in &rows {
        reserved.push((row.integer(0)?, row.integer(1)?));
    }
    let mut used = reserved.iter().map(|(_, calls)| *calls).sum::<i64>() + i64::from(calls);
    if used <= i64::from(limit) {
        sql.exec(
            "INSERT INTO upstream_calls (step, calls) VALUES (?, ?)
             ON CONFLICT DO UPDATE SET calls = calls + excluded.calls",
            &[Value::integer(step)?, Value::from(calls)],
        )?;
        return Ok(Ok(()));
    }
    let mut free_at = step + STEPS + 1;
    for (old, calls) in reserved {
        used -= calls;
        if used <= i64::from(limit) {
            free_at = old + STEPS + 1;
            break;
        }
    }
    let seconds = (free_at * STEP - now.as_second()).max(1);
    Ok(Err(SignedDuration::from_secs(seconds)))
}
