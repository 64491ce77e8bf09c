use std::borrow::Cow;

use super::error::JsonError;
use super::value::{Kind, Value};

/// The members of an object, to be taken one by one, so that none goes unread.
#[derive(Clone, Debug)]
pub struct Members<'t> {
    members: Vec<(Cow<'t, str>, Value<'t>)>,
}

impl<'t> Members<'t> {
    pub(super) fn new(members: Vec<(Cow<'t, str>, Value<'t>)>) -> Self {
        Self { members }
    }

    /// Takes a member that may be missing, or null, which is the same.
    ///
    /// # Errors
    /// It stands twice.
    pub fn take(&mut self, key: &'static str) -> Result<Option<Value<'t>>, JsonError> {
        let Some(position) = self.position(key) else {
            return Ok(None);
        };
        let (_, value) = self.members.remove(position);
        if self.position(key).is_some() {
            return Err(JsonError::KeyTwice { key });
        }
        Ok((!matches!(value.kind, Kind::Null)).then_some(value))
    }

    /// Takes a string, if there is one.
    ///
    /// # Errors
    /// It stands twice, or is no string.
    pub fn string(&mut self, key: &'static str) -> Result<Option<Cow<'t, str>>, JsonError> {
        match self.take(key)?.map(|value| value.kind) {
            None => Ok(None),
            Some(Kind::String(text)) => Ok(Some(text)),
            Some(_) => Err(wrong_type(key, "a string")),
        }
    }

    /// Takes a string that has to be there.
    ///
    /// # Errors
    /// It is missing, stands twice, or is no string.
    pub fn required_string(&mut self, key: &'static str) -> Result<Cow<'t, str>, JsonError> {
        self.string(key)?.ok_or(JsonError::MissingKey { key })
    }

    /// Takes `true` or `false`, if one is there.
    ///
    /// # Errors
    /// It stands twice, or is neither.
    pub fn boolean(&mut self, key: &'static str) -> Result<Option<bool>, JsonError> {
        match self.take(key)?.map(|value| value.kind) {
            None => Ok(None),
            Some(Kind::Boolean(value)) => Ok(Some(value)),
            Some(_) => Err(wrong_type(key, "true or false")),
        }
    }

    /// Takes a whole number from 0 to 4,294,967,295, if there is one.
    ///
    /// # Errors
    /// It stands twice, or is no such number.
    pub fn number(&mut self, key: &'static str) -> Result<Option<u32>, JsonError> {
        let Some(value) = self.take(key)? else {
            return Ok(None);
        };
        let number = match value.kind {
            Kind::Number => value.text.parse().ok(),
            _ => None,
        };
        match number {
            Some(number) => Ok(Some(number)),
            None => Err(wrong_type(key, "a whole number from 0 to 4,294,967,295")),
        }
    }

    /// Takes an object, if there is one.
    ///
    /// # Errors
    /// It stands twice, or is no object.
    pub fn object(&mut self, key: &'static str) -> Result<Option<Self>, JsonError> {
        match self.take(key)?.map(|value| value.kind) {
            None => Ok(None),
            Some(Kind::Object(members)) => Ok(Some(Self { members })),
            Some(_) => Err(wrong_type(key, "an object")),
        }
    }

    /// Says that everything known has been taken.
    ///
    /// # Errors
    /// There is something else.
    pub fn finish(self) -> Result<(), JsonError> {
        match self.members.into_iter().next() {
            None => Ok(()),
            Some((key, _)) => Err(JsonError::UnknownKey {
                key: key.into_owned(),
            }),
        }
    }

    fn position(&self, key: &str) -> Option<usize> {
        self.members.iter().position(|(other, _)| *other == key)
    }
}

fn wrong_type(key: &'static str, expected: &'static str) -> JsonError {
    JsonError::Type { key, expected }
}
