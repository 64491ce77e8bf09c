use std::fmt;

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// The longest subject, in characters.
const MAX_LENGTH: usize = 64;

/// Whom an API token stands for, as rules of the policy name them: `alice`, `ci@build.example`. Letters, digits and
/// `. _ - @`, beginning with a letter or a digit, at most 64 characters, in lower case.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Subject(String);

/// The text is no [`Subject`].
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error(
    "{0:?} is not a valid subject: use 1 to 64 characters of a-z, 0-9 and . _ - @, starting with a letter or a digit"
)]
pub struct InvalidSubject(String);

impl Subject {
    /// Parses a subject.
    ///
    /// # Errors
    /// When the text has another form.
    pub fn parse(text: &str) -> Result<Self, InvalidSubject> {
        let allowed =
            |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"._-@".contains(&byte);
        let begins_well = text
            .bytes()
            .next()
            .is_some_and(|first| first.is_ascii_lowercase() || first.is_ascii_digit());
        if begins_well && text.len() <= MAX_LENGTH && text.bytes().all(allowed) {
            Ok(Self(text.to_owned()))
        } else {
            Err(InvalidSubject(text.chars().take(MAX_LENGTH).collect()))
        }
    }

    /// The subject as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Subject {
    type Error = InvalidSubject;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text)
    }
}

impl From<Subject> for String {
    fn from(subject: Subject) -> Self {
        subject.0
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn subjects_are_short_plain_names() {
        for good in ["alice", "7", "ci@build.example", "a-b_c.d"] {
            assert!(Subject::parse(good).is_ok(), "{good}");
        }
        let long = "a".repeat(MAX_LENGTH + 1);
        for bad in ["", "Alice", "@alice", "a b", "a/b", "é", long.as_str()] {
            assert!(Subject::parse(bad).is_err(), "{bad}");
        }
    }
}
