//! [`Sql`] for an in-memory SQLite database. Tests run the same statements as the deploy API.

use std::cell::{Cell, RefCell};

use deploy_api::sql::{Row, Sql, SqlError, Value, migrate};
use deploy_api::store;
use rusqlite::Connection;
use rusqlite::types::{ToSqlOutput, ValueRef};

/// A database for one test.
pub struct Sqlite {
    connection: Connection,
    /// If set, statements that contain this string fail.
    failing: Cell<Option<&'static str>>,
    /// Whether every statement that writes fails.
    is_full: Cell<bool>,
    depth: Cell<u32>,
    /// The last executed statement.
    last: RefCell<String>,
}

impl Sqlite {
    /// A database with every table of identities, policies and the audit log.
    pub fn new() -> Self {
        let sqlite = Self::empty();
        migrate(&sqlite, store::MIGRATIONS).unwrap();
        sqlite
    }

    /// A database without tables.
    pub fn empty() -> Self {
        Self {
            connection: Connection::open_in_memory().unwrap(),
            failing: Cell::new(None),
            is_full: Cell::new(false),
            depth: Cell::new(0),
            last: RefCell::default(),
        }
    }

    /// Makes every statement that contains this string fail with an I/O error.
    pub fn fail_at(&self, part: &'static str) {
        self.failing.set(Some(part));
    }

    /// Makes every statement that writes fail, as in a full database.
    pub fn fill(&self) {
        self.is_full.set(true);
    }

    /// Stops failing statements.
    pub fn heal(&self) {
        self.is_full.set(false);
        self.failing.set(None);
    }

    /// The query plan of the last statement, one string per step.
    pub fn plan_of_last(&self) -> Vec<String> {
        let statement = format!("EXPLAIN QUERY PLAN {}", self.last.borrow());
        let unbound = vec![Value::Null; statement.matches('?').count()];
        let steps = self.exec(&statement, &unbound).unwrap();
        steps.iter().map(|row| row.text(3).unwrap().to_owned()).collect()
    }

    /// Executes statements of an attacker, which the deploy API does not execute.
    pub fn tamper(&self, statements: &str) {
        self.connection.execute_batch(statements).unwrap();
    }

    /// The number of rows of a table.
    pub fn count(&self, table: &str) -> u32 {
        self.connection
            .query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get(0))
            .unwrap()
    }

    /// All rows of a table in debug format.
    pub fn dump(&self, table: &str) -> String {
        let rows = self.exec(&format!("SELECT * FROM {table}"), &[]).unwrap();
        format!("{rows:?}")
    }

    fn failed(statement: &str, error: &rusqlite::Error) -> SqlError {
        SqlError::Failed {
            statement: statement.to_owned(),
            reason: error.to_string(),
        }
    }
}

struct Bound<'a>(&'a Value);

impl rusqlite::ToSql for Bound<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self.0 {
            Value::Null => ValueRef::Null,
            Value::Integer(number) => ValueRef::Integer(*number),
            Value::Text(text) => ValueRef::Text(text.as_bytes()),
        }))
    }
}

impl Sql for Sqlite {
    fn exec(&self, statement: &str, bindings: &[Value]) -> Result<Vec<Row>, SqlError> {
        if self.failing.get().is_some_and(|part| statement.contains(part)) {
            let reason = "disk I/O error".to_owned();
            return Err(SqlError::Failed {
                statement: statement.to_owned(),
                reason,
            });
        }
        let is_write = ["INSERT", "UPDATE", "DELETE", "REPLACE"]
            .iter()
            .any(|verb| statement.trim_start().starts_with(verb));
        if self.is_full.get() && is_write {
            return Err(SqlError::Failed {
                statement: statement.to_owned(),
                reason: "database or disk is full: SQLITE_FULL".to_owned(),
            });
        }
        statement.clone_into(&mut self.last.borrow_mut());
        let failed = |error| Self::failed(statement, &error);
        let mut prepared = self.connection.prepare_cached(statement).map_err(failed)?;
        let columns = prepared.column_count();
        let rows = prepared
            .query_map(rusqlite::params_from_iter(bindings.iter().map(Bound)), |row| {
                (0..columns)
                    .map(|column| {
                        Ok(match row.get_ref(column)? {
                            ValueRef::Null => Value::Null,
                            ValueRef::Integer(number) => Value::Integer(number),
                            ValueRef::Text(text) => Value::from(std::str::from_utf8(text).unwrap()),
                            other => panic!("unexpected type of a column: {other:?}"),
                        })
                    })
                    .collect::<rusqlite::Result<Vec<_>>>()
                    .map(Row::new)
            })
            .map_err(failed)?;
        rows.collect::<Result<_, _>>().map_err(failed)
    }

    fn size(&self) -> Result<u64, SqlError> {
        let rows = self.exec(
            "SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()",
            &[],
        )?;
        rows.first().map_or(Ok(0), |row| row.unsigned(0))
    }

    fn transaction<T, E: From<SqlError>>(&self, body: impl FnOnce() -> Result<T, E>) -> Result<T, E> {
        let depth = self.depth.get();
        let run = |statement: String| {
            self.connection
                .execute_batch(&statement)
                .map_err(|error| Self::failed(&statement, &error))
        };
        run(format!("SAVEPOINT level_{depth}"))?;
        self.depth.set(depth + 1);
        let outcome = body();
        self.depth.set(depth);
        if outcome.is_err() {
            run(format!("ROLLBACK TO level_{depth}"))?;
        }
        run(format!("RELEASE level_{depth}"))?;
        outcome
    }
}
