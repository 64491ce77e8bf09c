//! One small face of SQLite, so that the very statements that run in a Durable Object are tested natively.
//!
//! [`Sql`] is implemented over a Durable Object's storage in `durable_object.rs` (Wasm only) and over `rusqlite` in the
//! tests. Values cross it as [`Value`]; rows come back as [`Row`], by column position.

#[cfg(target_arch = "wasm32")]
mod durable_object;
mod migrations;
mod value;

#[cfg(target_arch = "wasm32")]
pub use durable_object::{DurableObjectSql, DurableObjectStorage};
pub use migrations::{Migration, migrate};
use thiserror::Error;
pub use value::{Row, Value};

/// A database that answers at once: SQLite in a Durable Object has no waiting in it.
pub trait Sql {
    /// Runs one statement with its `?` placeholders bound in order, and takes every row it gives.
    ///
    /// # Errors
    /// When SQLite refuses the statement or its storage fails. Nothing of the statement has then happened.
    fn exec(&self, statement: &str, bindings: &[Value]) -> Result<Vec<Row>, SqlError>;

    /// Runs `body` so that all of its statements happen or, when it answers an error, none of them.
    ///
    /// Transactions may be nested: an inner one that fails undoes its own statements only.
    ///
    /// # Errors
    /// What `body` answers, or that the database could not begin or commit.
    fn transaction<T, E: From<SqlError>>(&self, body: impl FnOnce() -> Result<T, E>) -> Result<T, E>;
}

/// Why the database could not do what was asked. Carries no bound value, so it is safe to log.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum SqlError {
    /// SQLite refused the statement, or its storage failed.
    #[error("the database failed: {reason}, in: {statement}")]
    Failed {
        /// The statement, without its bound values.
        statement: String,
        /// SQLite's own words.
        reason: String,
    },
    /// A row does not have the shape its reader expects: the schema and the statement disagree.
    #[error("the database answered {found} in column {column} where {expected} was expected")]
    Shape {
        /// The position of the column, from 0.
        column: usize,
        /// What the reader asked for.
        expected: &'static str,
        /// What was there.
        found: &'static str,
    },
    /// A stored text cannot be read back as what was stored.
    #[error("the database holds a {what} that cannot be read: {reason}")]
    Content {
        /// What the text was stored as.
        what: &'static str,
        /// Why it cannot be read.
        reason: String,
    },
    /// An integer that JavaScript, through which every value passes in a Durable Object, would round.
    #[error("the integer {0} is beyond 2^53 - 1 and would be rounded")]
    Integer(i128),
}
