//! The previews that are deployed, and when they expire. All of them are in development.

use dotdo_names::{PreviewName, WorkerName};
use jiff::Timestamp;

use crate::sql::{Row, Sql, SqlError, Value};

/// `due` is when the reconciler deletes the preview, or tries it again.
pub(super) const TABLE: &str = "CREATE TABLE previews (
    worker TEXT PRIMARY KEY, expires INTEGER NOT NULL, due INTEGER NOT NULL
) WITHOUT ROWID";

pub(super) const INDEX: &str = "CREATE INDEX previews_by_due ON previews (due)";

/// A preview that is deployed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeployedPreview {
    /// Its name.
    pub name: PreviewName,
    /// When it expires.
    pub expires: Timestamp,
}

fn read(row: &Row) -> Result<DeployedPreview, SqlError> {
    let name = WorkerName::parse(row.text(0)?).map_err(|error| super::content("preview's name", &error))?;
    Ok(DeployedPreview {
        name: PreviewName::of(&name)
            .ok_or_else(|| super::content("preview's name", &"it is not the name of a preview"))?,
        expires: row.time(1)?,
    })
}

/// Stores that a preview was deployed, and when it expires.
///
/// # Errors
/// When the database fails.
pub fn renew(sql: &impl Sql, name: &PreviewName, expires: Timestamp) -> Result<(), SqlError> {
    sql.exec(
        "INSERT INTO previews (worker, expires, due) VALUES (?, ?, ?)
         ON CONFLICT DO UPDATE SET expires = excluded.expires, due = excluded.due",
        &[
            Value::from(name.name().as_str()),
            Value::from(expires),
            Value::from(expires),
        ],
    )
    .map(drop)
}

/// When a preview expires; `None` if it is not deployed.
///
/// # Errors
/// When the database fails.
pub fn expires(sql: &impl Sql, name: &PreviewName) -> Result<Option<Timestamp>, SqlError> {
    let rows = sql.exec(
        "SELECT expires FROM previews WHERE worker = ?",
        &[Value::from(name.name().as_str())],
    )?;
    rows.first().map(|row| row.time(0)).transpose()
}

/// Stores that a preview was deleted.
///
/// # Errors
/// When the database fails.
pub fn delete(sql: &impl Sql, name: &PreviewName) -> Result<(), SqlError> {
    sql.exec(
        "DELETE FROM previews WHERE worker = ?",
        &[Value::from(name.name().as_str())],
    )
    .map(drop)
}

/// All previews, by name.
///
/// # Errors
/// When the database fails.
pub fn all(sql: &impl Sql) -> Result<Vec<DeployedPreview>, SqlError> {
    let rows = sql.exec("SELECT worker, expires FROM previews ORDER BY worker", &[])?;
    rows.iter().map(read).collect()
}

/// Takes the previews that are to be deleted by a time, the earliest first. They are due again at `again`.
///
/// # Errors
/// When the database fails.
pub fn take(
    sql: &impl Sql,
    by: Timestamp,
    again: Timestamp,
    limit: u32,
) -> Result<Vec<DeployedPreview>, SqlError> {
    let rows = sql.exec(
        "UPDATE previews SET due = ? WHERE worker IN (
             SELECT worker FROM previews WHERE due <= ? ORDER BY due LIMIT ?
         ) RETURNING worker, expires",
        &[Value::from(again), Value::from(by), Value::from(limit)],
    )?;
    rows.iter().map(read).collect()
}

/// When the next preview is to be deleted.
///
/// # Errors
/// When the database fails.
pub fn next_due(sql: &impl Sql) -> Result<Option<Timestamp>, SqlError> {
    let rows = sql.exec("SELECT due FROM previews ORDER BY due LIMIT 1", &[])?;
    rows.first().map(|row| row.time(0)).transpose()
}
