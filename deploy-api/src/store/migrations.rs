//! The Durable Object migrations of deployments, from tag to tag.

use crate::sql::{Sql, SqlError, Value};
use crate::target::Target;
use crate::upload::Migrations;

pub(super) const TABLE: &str = "CREATE TABLE durable_object_migrations (
    worker TEXT NOT NULL, old_tag TEXT NOT NULL, new_tag TEXT NOT NULL, steps TEXT NOT NULL,
    PRIMARY KEY (worker, old_tag, new_tag)
) WITHOUT ROWID";

/// Stores migrations that were executed. A Worker has the same migrations in every namespace.
///
/// # Errors
/// When the database fails.
pub fn keep(sql: &impl Sql, target: &Target, migrations: &Migrations) -> Result<(), SqlError> {
    sql.exec(
        "INSERT OR REPLACE INTO durable_object_migrations (worker, old_tag, new_tag, steps) VALUES (?, ?, ?, ?)",
        &[
            Value::from(target.worker.as_str()),
            Value::from(migrations.old_tag.as_deref().unwrap_or_default()),
            Value::from(migrations.new_tag.as_str()),
            super::write_json("migrations", &migrations.steps)?,
        ],
    )
    .map(drop)
}

/// Every migration of a Worker that is known.
///
/// # Errors
/// When the database fails.
pub fn of_worker(sql: &impl Sql, worker: &str) -> Result<Vec<Migrations>, SqlError> {
    let rows = sql.exec(
        "SELECT old_tag, new_tag, steps FROM durable_object_migrations WHERE worker = ?",
        &[Value::from(worker)],
    )?;
    rows.iter()
        .map(|row| {
            let old_tag = row.text(0)?;
            Ok(Migrations {
                old_tag: (!old_tag.is_empty()).then(|| old_tag.to_owned()),
                new_tag: row.text(1)?.to_owned(),
                steps: super::read_json("migrations", row.text(2)?)?,
            })
        })
        .collect()
}
