use std::fmt;

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// The longest name of a rule, in characters.
const MAX_LENGTH: usize = 64;

/// The name that stands on record where the bootstrap secret, and no rule of a policy, allowed something.
const BOOTSTRAP: &str = "bootstrap-administrator";

/// A rule's name, by which decisions and the audit log cite it: a-z, 0-9 and `-`, at most 64 characters.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct RuleName(String);

/// Why a text is no [`RuleName`].
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum InvalidRuleName {
    /// Another form.
    #[error("{0:?} is no name for a rule; write 1 to 64 of a-z, 0-9 and '-', beginning with a letter")]
    Form(String),
    /// The name under which the bootstrap secret's own right is on record.
    #[error("a rule may not be called \"bootstrap-administrator\", which stands for the bootstrap secret")]
    Reserved,
}

impl RuleName {
    /// Parses a name.
    ///
    /// # Errors
    /// When it has another form, or is the bootstrap administrator's.
    pub fn parse(text: &str) -> Result<Self, InvalidRuleName> {
        let begins_well = text
            .bytes()
            .next()
            .is_some_and(|first| first.is_ascii_lowercase());
        let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        if !begins_well || text.len() > MAX_LENGTH || !text.bytes().all(allowed) {
            return Err(InvalidRuleName::Form(text.chars().take(MAX_LENGTH).collect()));
        }
        if text == BOOTSTRAP {
            return Err(InvalidRuleName::Reserved);
        }
        Ok(Self(text.to_owned()))
    }

    /// What is on record where the bootstrap secret allowed something.
    #[must_use]
    pub fn bootstrap() -> Self {
        Self(BOOTSTRAP.to_owned())
    }

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for RuleName {
    type Error = InvalidRuleName;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        match Self::parse(&text) {
            Err(InvalidRuleName::Reserved) => Ok(Self::bootstrap()),
            other => other,
        }
    }
}

impl From<RuleName> for String {
    fn from(name: RuleName) -> Self {
        name.0
    }
}

impl fmt::Display for RuleName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
