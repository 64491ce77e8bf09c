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
    pub fn into_array(self, place: &str) -> Result<Vec<Self>, JsonError> {
        match self.kind {
            Kind::Array(elements) => Ok(elements),
            _ => Err(wrong_type(place, "an array")),
        }
    }

    /// The members of an object.
    ///
    /// # Errors
    /// It is none.
    pub fn into_members(self, place: &str) -> Result<Members<'t>, JsonError> {
        match self.kind {
            Kind::Object(members) => Ok(Members::new(members)),
            _ => Err(wrong_type(place, "an object")),
        }
    }

    /// A string.
    ///
    /// # Errors
    /// It is none.
    pub fn into_string(self, place: &str) -> Result<Cow<'t, str>, JsonError> {
        match self.kind {
            Kind::String(text) => Ok(text),
            _ => Err(wrong_type(place, "a string")),
        }
    }

    /// `true` or `false`.
    ///
    /// # Errors
    /// It is neither.
    pub fn to_boolean(&self, place: &str) -> Result<bool, JsonError> {
        match self.kind {
            Kind::Boolean(value) => Ok(value),
            _ => Err(wrong_type(place, "true or false")),
        }
    }

    /// A whole number from 0 to 4,294,967,295.
    ///
    /// # Errors
    /// It is none.
    pub fn to_u32(&self, place: &str) -> Result<u32, JsonError> {
        let number = match self.kind {
            Kind::Number => self.text.parse().ok(),
            _ => None,
        };
        number.ok_or_else(|| wrong_type(place, "a whole number from 0 to 4,294,967,295"))
    }
}

fn wrong_type(place: &str, expected: &'static str) -> JsonError {
    JsonError::Type {
        place: place.to_owned(),
        expected,
    }
}
