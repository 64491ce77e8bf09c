use thiserror::Error;

/// Why a text is not JSON, or JSON not what is expected.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum JsonError {
    /// Not JSON.
    #[error("{expected} at line {line}, column {column}")]
    Syntax {
        /// What should stand there.
        expected: &'static str,
        /// From 1.
        line: usize,
        /// In characters, from 1.
        column: usize,
    },
    /// Another type at the top.
    #[error("the value is not {expected}")]
    TopLevel {
        /// The type, with its article.
        expected: &'static str,
    },
    /// Another type under a key.
    #[error("\"{key}\" is not {expected}")]
    Type {
        /// The key.
        key: &'static str,
        /// The type, with its article.
        expected: &'static str,
    },
    /// A key that nobody reads, so most likely a misspelt one.
    #[error("there is no key \"{key}\"")]
    UnknownKey {
        /// As it was written.
        key: String,
    },
    /// A key that has to be there.
    #[error("the key \"{key}\" is missing")]
    MissingKey {
        /// The key.
        key: &'static str,
    },
    /// A key that stands twice.
    #[error("the key \"{key}\" stands twice")]
    KeyTwice {
        /// The key.
        key: &'static str,
    },
}
