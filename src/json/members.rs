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
        Ok((value.kind != Kind::Null).then_some(value))
    }

    /// Takes a member that has to be there.
    ///
    /// # Errors
    /// It is missing, or stands twice.
    pub fn require(&mut self, key: &'static str) -> Result<Value<'t>, JsonError> {
        self.take(key)?.ok_or(JsonError::MissingKey { key })
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
