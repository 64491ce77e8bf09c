use jiff::Timestamp;

use super::SqlError;

/// The largest integer that a JavaScript number represents exactly: 2^53 - 1. Values of a Durable Object are JavaScript
/// numbers.
const MAX_SAFE_INTEGER: i64 = 9_007_199_254_740_991;

/// A bound value, or the value of a column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// NULL.
    Null,
    /// An integer within ±(2^53 - 1).
    Integer(i64),
    /// A string.
    Text(String),
}

impl Value {
    /// Makes an integer value.
    ///
    /// # Errors
    /// [`SqlError::Integer`] if the number is outside of ±(2^53 - 1).
    pub fn integer(number: impl Into<i128>) -> Result<Self, SqlError> {
        let number = number.into();
        i64::try_from(number)
            .ok()
            .filter(|small| (-MAX_SAFE_INTEGER..=MAX_SAFE_INTEGER).contains(small))
            .map(Self::Integer)
            .ok_or(SqlError::Integer(number))
    }

    const fn kind(&self) -> &'static str {
        match self {
            Self::Null => "NULL",
            Self::Integer(_) => "an integer",
            Self::Text(_) => "a text",
        }
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<u32> for Value {
    fn from(number: u32) -> Self {
        Self::Integer(number.into())
    }
}

impl From<bool> for Value {
    fn from(flag: bool) -> Self {
        Self::Integer(flag.into())
    }
}

/// A time is stored in milliseconds since 1970.
impl From<Timestamp> for Value {
    fn from(time: Timestamp) -> Self {
        Self::Integer(time.as_millisecond())
    }
}

impl<T: Into<Self>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

/// One row of a result, with values in the order of the columns of the statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row(Vec<Value>);

impl Row {
    /// Makes a row with these values.
    #[must_use]
    pub const fn new(values: Vec<Value>) -> Self {
        Self(values)
    }

    fn value(&self, column: usize) -> &Value {
        self.0.get(column).unwrap_or(&Value::Null)
    }

    fn shape(&self, column: usize, expected: &'static str) -> SqlError {
        SqlError::Shape {
            column,
            expected,
            found: self.value(column).kind(),
        }
    }

    /// The integer in a column.
    ///
    /// # Errors
    /// [`SqlError::Shape`] if the column has another type.
    pub fn integer(&self, column: usize) -> Result<i64, SqlError> {
        match self.value(column) {
            Value::Integer(number) => Ok(*number),
            _ => Err(self.shape(column, "an integer")),
        }
    }

    /// The non-negative integer in a column.
    ///
    /// # Errors
    /// [`SqlError::Shape`] if the column has another type.
    pub fn unsigned(&self, column: usize) -> Result<u64, SqlError> {
        u64::try_from(self.integer(column)?).map_err(|_| self.shape(column, "a non-negative integer"))
    }

    /// The integer in a column, or `None` for NULL.
    ///
    /// # Errors
    /// [`SqlError::Shape`] if the column has another type.
    pub fn optional_integer(&self, column: usize) -> Result<Option<i64>, SqlError> {
        match self.value(column) {
            Value::Null => Ok(None),
            _ => self.integer(column).map(Some),
        }
    }

    /// The string in a column.
    ///
    /// # Errors
    /// [`SqlError::Shape`] if the column has another type.
    pub fn text(&self, column: usize) -> Result<&str, SqlError> {
        match self.value(column) {
            Value::Text(text) => Ok(text),
            _ => Err(self.shape(column, "a text")),
        }
    }

    /// The string in a column, or `None` for NULL.
    ///
    /// # Errors
    /// [`SqlError::Shape`] if the column has another type.
    pub fn optional_text(&self, column: usize) -> Result<Option<&str>, SqlError> {
        match self.value(column) {
            Value::Null => Ok(None),
            _ => self.text(column).map(Some),
        }
    }

    /// The time in a column, stored in milliseconds since 1970.
    ///
    /// # Errors
    /// [`SqlError::Shape`] if the column does not contain a time.
    pub fn time(&self, column: usize) -> Result<Timestamp, SqlError> {
        Timestamp::from_millisecond(self.integer(column)?).map_err(|_| self.shape(column, "a time"))
    }

    /// The time in a column, or `None` for NULL.
    ///
    /// # Errors
    /// [`SqlError::Shape`] if the column does not contain a time.
    pub fn optional_time(&self, column: usize) -> Result<Option<Timestamp>, SqlError> {
        match self.value(column) {
            Value::Null => Ok(None),
            _ => self.time(column).map(Some),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_integer_that_javascript_would_round_is_rejected() {
        assert_eq!(
            Value::integer(MAX_SAFE_INTEGER),
            Ok(Value::Integer(MAX_SAFE_INTEGER))
        );
        assert_eq!(
            Value::integer(1_u64 << 53),
            Err(SqlError::Integer(9_007_199_254_740_992)),
            "2^53 is also the rounded value of 2^53 + 1"
        );
    }

    #[test]
    fn reading_a_column_as_another_type_is_an_error() {
        let row = Row::new(vec![Value::Integer(7), Value::from("seven"), Value::Null]);
        assert_eq!(row.integer(0), Ok(7));
        assert_eq!(row.text(1), Ok("seven"));
        assert_eq!(row.optional_text(2), Ok(None));
        assert_eq!(
            row.text(0),
            Err(SqlError::Shape {
                column: 0,
                expected: "a text",
                found: "an integer"
            })
        );
        assert_eq!(
            row.integer(9),
            Err(SqlError::Shape {
                column: 9,
                expected: "an integer",
                found: "NULL"
            })
        );
    }
}
