use std::fmt;

use thiserror::Error;

use crate::Environment;

/// The longest Worker name, in characters: a name must fit one DNS label (RFC 1035, section 2.3.4).
pub const MAX_WORKER_NAME: usize = 63;

/// Second-level suffixes that belong to the `.do` registry, so that `name.<suffix>.do` is somebody else's.
pub const REGISTRY_SUFFIXES: [&str; 10] = [
    "art", "com", "edu", "gob", "gov", "mil", "net", "org", "sld", "web",
];

/// A name that the dispatch Worker can route to: `[a-z0-9]([a-z0-9-]*[a-z0-9])?`, at most [`MAX_WORKER_NAME`]
/// characters, without `--`, and not reserved.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct WorkerName(String);

/// Why a text is no [`WorkerName`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum InvalidWorkerName {
    /// Nothing was given.
    #[error("a Worker's name is not empty")]
    Empty,
    /// It does not fit one DNS label.
    #[error("a Worker's name has at most 63 characters")]
    TooLong,
    /// A character that no host label has, or an upper-case letter.
    #[error("a Worker's name has only a-z, 0-9 and '-'")]
    Character,
    /// A host label neither begins nor ends with a hyphen.
    #[error("a Worker's name neither begins nor ends with '-'")]
    Hyphen,
    /// `--` separates a Worker from an environment within one label (`agents--staging.apis.do`).
    #[error("a Worker's name has no '--', which separates a Worker from an environment in a host")]
    DoubleHyphen,
    /// The label selects an environment, so no host could ever reach the Worker.
    #[error("'staging', 'dev' and 'development' select an environment and are never a Worker's name")]
    EnvironmentLabel,
    /// The label is a suffix of the `.do` registry.
    #[error("the name is a second-level suffix of the .do registry and is never a Worker's name")]
    RegistrySuffix,
}

impl WorkerName {
    /// Parses and copies a name. Upper case is refused, not folded: hosts arrive in lower case.
    ///
    /// # Errors
    /// The first rule that the text breaks.
    pub fn parse(text: &str) -> Result<Self, InvalidWorkerName> {
        Self::check(text).map(|()| Self(text.to_owned()))
    }

    /// What [`parse`](Self::parse) checks, without the copy: for the request path.
    ///
    /// # Errors
    /// The first rule that the text breaks.
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
    fn names_that_route() {
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
    fn names_that_no_host_could_reach() {
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
