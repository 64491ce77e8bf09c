use wasm_bindgen::prelude::*;
use worker::{SqlStorage, SqlStorageValue, Storage};

use super::{Row, Sql, SqlError, Value};

#[wasm_bindgen]
extern "C" {
    /// `ctx.storage` of a Durable Object whose class is backed by SQLite. `worker` does not have `transactionSync`.
    /// <https://developers.cloudflare.com/durable-objects/api/sqlite-storage-api/>
    #[derive(Clone)]
    type TransactionStorage;

    #[wasm_bindgen(method, catch, js_name = transactionSync)]
    fn transaction_sync(
        this: &TransactionStorage,
        body: &mut dyn FnMut() -> Result<JsValue, JsValue>,
    ) -> Result<JsValue, JsValue>;
}

/// [`Sql`] over a Durable Object's own SQLite.
pub struct DurableObjectSql {
    storage: TransactionStorage,
    sql: SqlStorage,
}

impl DurableObjectSql {
    /// Takes `ctx.storage` of the Durable Object.
    #[must_use]
    pub fn new(storage: &Storage) -> Self {
        Self {
            storage: storage.as_raw().unchecked_ref::<TransactionStorage>().clone(),
            sql: storage.sql(),
        }
    }
}

fn failed(statement: &str, error: &worker::Error) -> SqlError {
    SqlError::Failed {
        statement: statement.to_owned(),
        reason: error.to_string(),
    }
}

impl Sql for DurableObjectSql {
    fn exec(&self, statement: &str, bindings: &[Value]) -> Result<Vec<Row>, SqlError> {
        let bindings = bindings.iter().map(to_storage).collect::<Result<Vec<_>, _>>()?;
        let cursor = self
            .sql
            .exec(statement, bindings)
            .map_err(|error| failed(statement, &error))?;
        cursor
            .raw()
            .map(|row| from_storage(row.map_err(|error| failed(statement, &error))?))
            .collect()
    }

    fn transaction<T, E: From<SqlError>>(&self, body: impl FnOnce() -> Result<T, E>) -> Result<T, E> {
        let mut body = Some(body);
        let mut outcome = None;
        let thrown = self.storage.transaction_sync(&mut || {
            outcome = body.take().map(|body| body());
            // Any exception rolls the transaction back; the error itself is in `outcome`.
            if matches!(outcome, Some(Ok(_))) {
                Ok(JsValue::UNDEFINED)
            } else {
                Err(JsValue::NULL)
            }
        });
        match (outcome, thrown) {
            (Some(Ok(value)), Ok(_)) => Ok(value),
            (Some(Err(error)), _) => Err(error),
            (_, thrown) => {
                let thrown = thrown.err().unwrap_or(JsValue::NULL);
                Err(failed("COMMIT", &thrown.into()).into())
            }
        }
    }

    fn size(&self) -> Result<u64, SqlError> {
        u64::try_from(self.sql.database_size()).map_err(|_| SqlError::Shape {
            column: 0,
            expected: "a size",
            found: "another number",
        })
    }
}

/// JavaScript has one number type; [`Value::integer`] rejects a number that it would round.
fn to_storage(value: &Value) -> Result<SqlStorageValue, SqlError> {
    Ok(match value {
        Value::Null => SqlStorageValue::Null,
        Value::Integer(number) => match Value::integer(*number)? {
            Value::Integer(safe) => SqlStorageValue::Integer(safe),
            _ => SqlStorageValue::Null,
        },
        Value::Text(text) => SqlStorageValue::String(text.clone()),
    })
}

fn from_storage(row: Vec<SqlStorageValue>) -> Result<Row, SqlError> {
    row.into_iter()
        .enumerate()
        .map(|(column, value)| match value {
            SqlStorageValue::Null => Ok(Value::Null),
            SqlStorageValue::String(text) => Ok(Value::Text(text)),
            SqlStorageValue::Integer(number) => Value::integer(number),
            SqlStorageValue::Boolean(_) | SqlStorageValue::Float(_) | SqlStorageValue::Blob(_) => {
                Err(SqlError::Shape {
                    column,
                    expected: "NULL, a whole number or a text",
                    found: "another type",
                })
            }
        })
        .collect::<Result<_, _>>()
        .map(Row::new)
}
