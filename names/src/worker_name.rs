use std::fmt;

use thiserror::Error;

use crate::Environment;

/// The maximum length of a Worker name, in characters: a name must fit one DNS label (RFC 1035, section 2.3.4).
pub const MAX_WORKER_NAME: usize = 63;

/// Second-level suffixes of the `.do` registry: `name.<suffix>.do` belongs to another registrant.
pub const REGISTRY_SUFFIXES: [&str; 10] = [
    "art", "com", "edu", "gob", "gov", "mil", "net", "org", "sld", "web",
];

/// A name that the dispatch Worker can route to: `[a-z0-9]([a-z0-9-]*[a-z0-9])?`, at most [`MAX_WORKER_NAME`]
/// characters, without `--`, and not reserved.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct WorkerName(String);

/// Why a text is not a valid [`WorkerName`]. Each message is a sentence without a final period.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum InvalidWorkerName {
    /// The text is empty.
    #[error("a Worker name must not be empty")]
    Empty,
    /// The text is longer than a DNS label.
    #[error("a Worker name must have at most 63 characters")]
    TooLong,
    /// The text contains a character that is not allowed in a host label, or an upper-case letter.
    #[error("a Worker name must contain only a-z, 0-9 and '-'")]
    Character,
    /// The text starts or ends with a hyphen, which a host label must not.
    #[error("a Worker name must not start or end with '-'")]
    Hyphen,
    /// `--` separates a Worker from an environment within one label (`agents--staging.apis.do`).
    #[error("a Worker name must not contain '--', which separates a Worker from an environment in a host")]
    DoubleHyphen,
    /// The label selects an environment, so no host could reach the Worker.
    #[error("a Worker name must not be 'staging', 'dev' or 'development', which select an environment")]
    EnvironmentLabel,
    /// The label is a suffix of the `.do` registry.
    #[error("a Worker name must not be a second-level suffix of the .do registry")]
    RegistrySuffix,
}

impl WorkerName {
    /// Parses and copies a name. Upper case is an error and is not converted: hosts arrive in lower case.
    ///
    /// # Errors
    /// The first rule that the text violates.
    pub fn parse(text: &str) -> Result<Self, InvalidWorkerName> {
        Self::check(text).map(|()| Self(text.to_owned()))
    }

    /// Validates a name as [`parse`](Self::parse) does, without an allocation: for the request path.
    ///
    /// # Errors
    /// The first rule that the text violates.
    pub fn check(text: &str) -> Result<(), InvalidWorkerName> {
        let bytes = text.as_bytes();
        if bytes.is_empty() {
            return Err(InvalidWorkerName::Empty);
        }
        if bytes.len() > MAX_WORKER_NAME {
            return Err(InvalidWorkerName::TooLong);
        }
        let mut previous = b'-';
        for &byte in bytes {
            match byte {
                b'-' if previous == b'-' => {
                    return Err(if text.starts_with('-') {
                        InvalidWorkerName::Hyphen
                    } else {
                        InvalidWorkerName::DoubleHyphen
                    });
                }
                b'a'..=b'z' | b'0'..=b'9' | b'-' => {}
                _ => return Err(InvalidWorkerName::Character),
            }
            previous = byte;
        }
        if previous == b'-' {
            return Err(InvalidWorkerName::Hyphen);
        }
        if Environment::from_host_label(text).is_some() {
            return Err(InvalidWorkerName::EnvironmentLabel);
        }
        if REGISTRY_SUFFIXES.contains(&text) {
            return Err(InvalidWorkerName::RegistrySuffix);
        }
        Ok(())
    }

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for WorkerName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accepts_names_that_route() {
        let longest = "a".repeat(MAX_WORKER_NAME);
        for name in [
            "a",
            "7",
            "agents",
            "my-app-2",
            "www",
            "production",
            longest.as_str(),
        ] {
            assert_eq!(WorkerName::check(name), Ok(()), "{name}");
        }
    }

    #[test]
    fn rejects_names_that_no_host_could_reach() {
        let too_long = "a".repeat(MAX_WORKER_NAME + 1);
        for (name, reason) in [
            ("", InvalidWorkerName::Empty),
            (too_long.as_str(), InvalidWorkerName::TooLong),
            ("Agents", InvalidWorkerName::Character),
            ("a_b", InvalidWorkerName::Character),
            ("a.b", InvalidWorkerName::Character),
            ("ü", InvalidWorkerName::Character),
            ("-a", InvalidWorkerName::Hyphen),
            ("a-", InvalidWorkerName::Hyphen),
            ("-", InvalidWorkerName::Hyphen),
            ("a--b", InvalidWorkerName::DoubleHyphen),
            ("xn--mller-kva", InvalidWorkerName::DoubleHyphen),
            ("staging", InvalidWorkerName::EnvironmentLabel),
            ("dev", InvalidWorkerName::EnvironmentLabel),
            ("development", InvalidWorkerName::EnvironmentLabel),
            ("com", InvalidWorkerName::RegistrySuffix),
            ("web", InvalidWorkerName::RegistrySuffix),
        ] {
            assert_eq!(WorkerName::check(name), Err(reason), "{name}");
        }
    }
}
