use super::{Sql, SqlError, Value};

/// One step of the schema. Steps are applied once, in order; a step that has shipped is never edited.
#[derive(Clone, Copy, Debug)]
pub struct Migration {
    /// Identifies the step for ever: `0001-tokens`.
    pub name: &'static str,
    /// The statements, run in order and as one.
    pub statements: &'static [&'static str],
}

/// Applies the steps that this database has not seen yet, each as a whole.
///
/// # Errors
/// When a statement fails. The step it belongs to has then left nothing behind.
pub fn migrate(sql: &impl Sql, migrations: &[Migration]) -> Result<(), SqlError> {
    sql.exec(
        "CREATE TABLE IF NOT EXISTS migrations (name TEXT PRIMARY KEY) WITHOUT ROWID",
        &[],
    )?;
    for migration in migrations {
        let name = Value::from(migration.name);
        let seen = sql.exec(
            "SELECT 1 FROM migrations WHERE name = ?",
            std::slice::from_ref(&name),
        )?;
        if !seen.is_empty() {
            continue;
        }
        sql.transaction(|| {
            for statement in migration.statements {
                sql.exec(statement, &[])?;
            }
            sql.exec("INSERT INTO migrations (name) VALUES (?)", &[name])?;
            Ok::<(), SqlError>(())
        })?;
    }
    Ok(())
}
