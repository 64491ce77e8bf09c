use std::borrow::Cow;

use super::error::JsonError;
use super::members::Members;
use super::reader::Reader;

/// A value, and the text that it was read from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Value<'t> {
    /// From the first to the last character of the value.
    pub text: &'t str,
    /// What it is.
    pub kind: Kind<'t>,
}

/// What a [`Value`] is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind<'t> {
    /// `null`
    Null,
    /// `true`, `false`
    Boolean(bool),
    /// A number, which only its text tells: nothing here needs a fraction.
    Number,
    /// A string, without its escapes.
    String(Cow<'t, str>),
    /// An array.
    Array(Vec<Value<'t>>),
    /// An object, in the order in which it was written.
    Object(Vec<(Cow<'t, str>, Value<'t>)>),
}

impl<'t> Value<'t> {
    /// Reads one value, with nothing but white space around it.
    ///
    /// # Errors
    /// The text is not JSON (RFC 8259), or nested deeper than 128 levels.
    pub fn parse(text: &'t str) -> Result<Self, JsonError> {
        Reader::new(text).only_value()
    }

    /// The elements of an array.
    ///
    /// # Errors
    /// It is none.
    pub fn into_array(self) -> Result<Vec<Self>, JsonError> {
        match self.kind {
            Kind::Array(elements) => Ok(elements),
            _ => Err(JsonError::TopLevel { expected: "an array" }),
        }
    }

    /// The members of an object.
    ///
    /// # Errors
    /// It is none.
    pub fn into_members(self) -> Result<Members<'t>, JsonError> {
        match self.kind {
            Kind::Object(members) => Ok(Members::new(members)),
            _ => Err(JsonError::TopLevel {
                expected: "an object",
            }),
        }
    }
}
