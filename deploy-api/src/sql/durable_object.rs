use js_sys::Array;
use wasm_bindgen::prelude::*;

use super::{Row, Sql, SqlError, Value};

#[wasm_bindgen]
extern "C" {
    /// `ctx.storage` of a Durable Object with SQLite storage.
    ///
    /// Bound here, because the binding of the `worker` crate does not have `transactionSync`.
    /// <https://developers.cloudflare.com/durable-objects/api/sqlite-storage-api/>
    pub type DurableObjectStorage;

    #[wasm_bindgen(method, getter)]
    fn sql(this: &DurableObjectStorage) -> SqlStorage;

    #[wasm_bindgen(method, catch, js_name = transactionSync)]
    fn transaction_sync(
        this: &DurableObjectStorage,
        body: &mut dyn FnMut() -> Result<JsValue, JsValue>,
    ) -> Result<JsValue, JsValue>;

    type SqlStorage;

    #[wasm_bindgen(method, catch, variadic)]
    fn exec(this: &SqlStorage, statement: &str, bindings: &Array) -> Result<Cursor, JsValue>;

    type Cursor;

    #[wasm_bindgen(method, catch)]
    fn raw(this: &Cursor) -> Result<RawCursor, JsValue>;

    type RawCursor;

    #[wasm_bindgen(method, catch, js_name = toArray)]
    fn to_array(this: &RawCursor) -> Result<Array, JsValue>;
}

/// [`Sql`] for the SQLite storage of a Durable Object.
pub struct DurableObjectSql {
    storage: DurableObjectStorage,
    sql: SqlStorage,
}

impl DurableObjectSql {
    /// Wraps `ctx.storage` of the Durable Object.
    #[must_use]
    pub fn new(storage: DurableObjectStorage) -> Self {
        let sql = storage.sql();
        Self { storage, sql }
    }
}

fn failed(statement: &str, thrown: &JsValue) -> SqlError {
    let reason = thrown
        .dyn_ref::<js_sys::Error>()
        .map_or_else(|| format!("{thrown:?}"), |error| String::from(error.message()));
    SqlError::Failed {
        statement: statement.to_owned(),
        reason,
    }
}

impl Sql for DurableObjectSql {
    fn exec(&self, statement: &str, bindings: &[Value]) -> Result<Vec<Row>, SqlError> {
        let bound = Array::new();
        for value in bindings {
            bound.push(&to_js(value)?);
        }
        let rows = self
            .sql
            .exec(statement, &bound)
            .and_then(|cursor| cursor.raw())
            .and_then(|raw| raw.to_array())
            .map_err(|thrown| failed(statement, &thrown))?;
        rows.iter().map(|row| from_js(&row.unchecked_into())).collect()
    }

    fn transaction<T, E: From<SqlError>>(&self, body: impl FnOnce() -> Result<T, E>) -> Result<T, E> {
        let mut body = Some(body);
        let mut outcome = None;
        let thrown = self.storage.transaction_sync(&mut || {
            outcome = body.take().map(|body| body());
            // Throwing any value rolls the transaction back. The error itself is in `outcome`.
            if matches!(outcome, Some(Ok(_))) {
                Ok(JsValue::UNDEFINED)
            } else {
                Err(JsValue::NULL)
            }
        });
        match (outcome, thrown) {
            (Some(Ok(value)), Ok(_)) => Ok(value),
            (Some(Err(error)), _) => Err(error),
            (_, thrown) => Err(failed("COMMIT", &thrown.err().unwrap_or(JsValue::NULL)).into()),
        }
    }
}

/// Converts a value to JavaScript. [`Value::integer`] rejects integers that a JavaScript number would round.
fn to_js(value: &Value) -> Result<JsValue, SqlError> {
    Ok(match value {
        Value::Null => JsValue::NULL,
        Value::Integer(number) => match Value::integer(*number)? {
            #[expect(
                clippy::cast_precision_loss,
                reason = "within 2^53, checked on the line above"
            )]
            Value::Integer(safe) => JsValue::from_f64(safe as f64),
            _ => JsValue::NULL,
        },
        Value::Text(text) => JsValue::from_str(text),
    })
}

fn from_js(row: &Array) -> Result<Row, SqlError> {
    row.iter()
        .enumerate()
        .map(|(column, value)| {
            if value.is_null() {
                Ok(Value::Null)
            } else if let Some(text) = value.as_string() {
                Ok(Value::Text(text))
            } else if let Some(number) = value.as_f64().filter(|number| number.fract() == 0.0) {
                #[expect(
                    clippy::cast_possible_truncation,
                    reason = "the number has no fraction, and `integer` checks its range"
                )]
                Value::integer(number as i64)
            } else {
                Err(SqlError::Shape {
                    column,
                    expected: "NULL, an integer or a text",
                    found: "another type",
                })
            }
        })
        .collect::<Result<_, _>>()
        .map(Row::new)
}
