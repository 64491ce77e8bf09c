//! A minimal interface to SQLite. It allows native tests of the statements that run in a Durable Object.
//!
//! [`Sql`] is implemented for the storage of a Durable Object in `durable_object.rs` (Wasm only), and for `rusqlite` in the
//! tests. Bindings are [`Value`]s; results are [`Row`]s, whose columns are accessed by position.

#[cfg(target_arch = "wasm32")]
mod durable_object;
mod value;

#[cfg(target_arch = "wasm32")]
pub use durable_object::DurableObjectSql;
use thiserror::Error;
pub use value::{Row, Value};

/// A synchronous SQLite database.
pub trait Sql {
    /// Executes one statement with bindings for its `?` placeholders, in order, and returns all rows.
    ///
    /// # Errors
    /// If SQLite rejects the statement or the storage fails. The statement then has no effect.
    fn exec(&self, statement: &str, bindings: &[Value]) -> Result<Vec<Row>, SqlError>;

    /// Runs `body` in a transaction. If `body` returns an error, the transaction is rolled back.
    ///
    /// Transactions can be nested. An inner transaction that fails rolls back only its own statements.
    ///
    /// # Errors
    /// Returns the error of `body`, or an [`SqlError`] if the transaction cannot be started or committed.
    fn transaction<T, E: From<SqlError>>(&self, body: impl FnOnce() -> Result<T, E>) -> Result<T, E>;

    /// The size of the database, in bytes.
    ///
    /// # Errors
    /// If the storage fails.
    fn size(&self) -> Result<u64, SqlError>;
}

/// The maximum size of the database of a Durable Object, in bytes.
/// <https://developers.cloudflare.com/durable-objects/platform/limits/>
pub const MAX_DATABASE: u64 = 10 * 1024 * 1024 * 1024;

impl<S: Sql> Sql for &S {
    fn exec(&self, statement: &str, bindings: &[Value]) -> Result<Vec<Row>, SqlError> {
        (**self).exec(statement, bindings)
    }

    fn transaction<T, E: From<SqlError>>(&self, body: impl FnOnce() -> Result<T, E>) -> Result<T, E> {
        (**self).transaction(body)
    }

    fn size(&self) -> Result<u64, SqlError> {
        (**self).size()
    }
}

/// A database error. Does not contain bound values, so it is safe to log.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum SqlError {
    /// SQLite rejected the statement, or the storage failed.
    #[error("the database failed: {reason}, in: {statement}")]
    Failed {
        /// The statement, without its bound values.
        statement: String,
        /// The message of SQLite.
        reason: String,
    },
    /// A column does not have the expected type: the schema and the statement do not match.
    #[error("column {column} contains {found} instead of {expected}")]
    Shape {
        /// The position of the column, from 0.
        column: usize,
        /// The expected type.
        expected: &'static str,
        /// The actual type.
        found: &'static str,
    },
    /// A stored value cannot be parsed.
    #[error("the database contains a {what} that cannot be parsed: {reason}")]
    Content {
        /// The kind of the value.
        what: &'static str,
        /// The error of the parser.
        reason: String,
    },
    /// An integer is outside of ±(2^53 - 1). In a Durable Object, values are JavaScript numbers, which would be rounded.
    #[error("the integer {0} is outside of ±(2^53 - 1) and would be rounded")]
    Integer(i128),
}

impl SqlError {
    /// Whether the database cannot store more: SQLite reports it as `SQLITE_FULL`, "database or disk is full".
    #[must_use]
    pub fn is_full(&self) -> bool {
        matches!(self, Self::Failed { reason, .. } if reason.contains("SQLITE_FULL") || reason.contains("is full"))
    }
}

/// One migration of the schema. Migrations are applied once, in order. A released migration must not be changed.
#[derive(Clone, Copy, Debug)]
pub struct Migration {
    /// The unique, permanent name: `0001-tokens`.
    pub name: &'static str,
    /// The statements, which run in order in one transaction.
    pub statements: &'static [&'static str],
}

/// Applies the migrations that are not applied yet, each in a transaction.
///
/// # Errors
/// If a statement fails. Its migration is rolled back; earlier migrations stay applied.
pub fn migrate(sql: &impl Sql, migrations: &[Migration]) -> Result<(), SqlError> {
    sql.exec(
        "CREATE TABLE IF NOT EXISTS migrations (name TEXT PRIMARY KEY) WITHOUT ROWID",
        &[],
    )?;
    for migration in migrations {
        let name = Value::from(migration.name);
        let applied = sql.exec(
            "SELECT 1 FROM migrations WHERE name = ?",
            std::slice::from_ref(&name),
        )?;
        if !applied.is_empty() {
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
