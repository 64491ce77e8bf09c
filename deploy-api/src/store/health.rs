//! The row that a health check writes, to test whether the database can be written.

use jiff::Timestamp;

use crate::sql::{Sql, SqlError, Value};

pub(super) const TABLE: &str =
    "CREATE TABLE health (only INTEGER PRIMARY KEY CHECK (only = 1), checked INTEGER NOT NULL)";

/// Writes the time of a health check.
///
/// # Errors
/// If the database fails or is full.
pub fn write(sql: &impl Sql, now: Timestamp) -> Result<(), SqlError> {
    sql.exec(
        "INSERT INTO health (only, checked) VALUES (1, ?) ON CONFLICT (only) DO UPDATE SET checked = excluded.checked",
        &[Value::from(now)],
    )
    .map(drop)
}
