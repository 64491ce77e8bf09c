use std::fmt;

use thiserror::Error;

/// The longest name of an account Worker, in bytes.
const MAX: usize = 255;

/// The name of an account Worker: letters, digits, `-` and `_`, at most 255. Unlike a
/// [`WorkerName`](dotdo_names::WorkerName), it need not be a label of a host.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct AccountWorkerName(String);

/// The text cannot be the name of an account Worker.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("the name of an account Worker has 1 to 255 letters, digits, '-' and '_'")]
pub struct InvalidAccountWorkerName;

impl AccountWorkerName {
    /// Parses a name.
    ///
    /// # Errors
    /// If it is empty, too long, or has another character.
    pub fn parse(text: &str) -> Result<Self, InvalidAccountWorkerName> {
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
        if (1..=MAX).contains(&text.len()) && text.bytes().all(is_plain) {
            return Ok(Self(text.to_owned()));
        }
        Err(InvalidAccountWorkerName)
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for AccountWorkerName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_one_segment_of_a_path() {
        for name in ["api", "my_worker", "Api-2", "_", &"a".repeat(MAX)] {
            assert_eq!(AccountWorkerName::parse(name).unwrap().as_str(), name);
        }
        for name in ["", "a/b", "..", "a.b", "a b", "ä", "a%2f", &"a".repeat(MAX + 1)] {
            assert_eq!(
                AccountWorkerName::parse(name),
                Err(InvalidAccountWorkerName),
                "{name}"
            );
        }
    }
}
