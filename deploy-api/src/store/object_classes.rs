//! The Durable Object classes that each Worker has, or had.

use serde::{Deserialize, Serialize};

use crate::sql::{Sql, SqlError, Value};
use crate::target::Target;
use crate::upload::{ClassState, ObjectClasses};

pub(super) const TABLES: &[&str] = &[
    "CREATE TABLE object_classes (
        namespace TEXT NOT NULL, worker TEXT NOT NULL, class TEXT NOT NULL, live INTEGER NOT NULL, removal TEXT,
        PRIMARY KEY (namespace, worker, class)
    ) WITHOUT ROWID",
    "ALTER TABLE deployments ADD COLUMN classes TEXT",
];

/// A class of a Worker.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordedClass {
    /// Its name.
    pub name: String,
    /// Whether the Worker has it now.
    pub is_live: bool,
    /// The last deployment's removal of it, such as "deleted"; `None` if it was never removed. A class that was removed may
    /// have been created again since, without the objects that it had.
    pub removal: Option<String>,
}

/// Records the classes of an upload that succeeded. Classes that the upload does not name stay as they are.
///
/// # Errors
/// When the database fails.
pub fn apply(sql: &impl Sql, target: &Target, classes: &ObjectClasses) -> Result<(), SqlError> {
    for (class, state) in classes.iter() {
        let removal = match state {
            ClassState::Live => None,
            ClassState::Deleted => Some("deleted".to_owned()),
            ClassState::RenamedTo(name) => Some(format!("renamed to {name}")),
            ClassState::TransferredTo(worker) => Some(format!("transferred to the Worker {worker}")),
        };
        sql.exec(
            "INSERT INTO object_classes (namespace, worker, class, live, removal) VALUES (?, ?, ?, ?, ?)
             ON CONFLICT (namespace, worker, class)
             DO UPDATE SET live = excluded.live, removal = coalesce(excluded.removal, removal)",
            &[
                Value::from(target.namespace()),
                Value::from(target.worker.as_str()),
                Value::from(class),
                Value::from(u32::from(removal.is_none())),
                Value::from(removal.as_deref()),
            ],
        )?;
    }
    Ok(())
}

/// The classes that deployments removed from a Worker, including those that the Worker has again.
///
/// # Errors
/// When the database fails.
pub fn removed(sql: &impl Sql, target: &Target) -> Result<Vec<RecordedClass>, SqlError> {
    let rows = sql.exec(
        "SELECT class, live, removal FROM object_classes
         WHERE namespace = ? AND worker = ? AND removal IS NOT NULL ORDER BY class",
        &super::key(target),
    )?;
    rows.iter()
        .map(|row| {
            Ok(RecordedClass {
                name: row.text(0)?.to_owned(),
                is_live: row.unsigned(1)? != 0,
                removal: row.optional_text(2)?.map(str::to_owned),
            })
        })
        .collect()
}

/// Deletes what is recorded of a Worker that was deleted, with all its objects.
///
/// # Errors
/// When the database fails.
pub fn forget(sql: &impl Sql, target: &Target) -> Result<(), SqlError> {
    sql.exec(
        "DELETE FROM object_classes WHERE namespace = ? AND worker = ?",
        &super::key(target),
    )
    .map(drop)
}
