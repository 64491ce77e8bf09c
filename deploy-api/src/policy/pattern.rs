use std::fmt;

use dotdo_names::{InvalidWorkerName, WorkerName};
use thiserror::Error;

/// A pattern for Worker names in a rule: `agents`, `agents-*` or `*`.
///
/// A pattern must match the whole name. `agents-*` matches every name that starts with `agents-` and has at least one more
/// character. It matches neither `agents` nor `my-agents-1`. A `*` is only allowed at the end.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum WorkerPattern {
    /// `*`
    Every,
    /// `agents`
    Named(WorkerName),
    /// `agents-*`. Contains the prefix including its hyphen.
    Prefixed(String),
}

/// Why a string is not a valid [`WorkerPattern`].
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum InvalidWorkerPattern {
    /// A `*` is not the last character.
    #[error("'*' is only allowed at the end: write 'prefix-*'")]
    StarInside,
    /// There is no hyphen before the `*`. `agent*` would match `agents` and `agentsmith`.
    #[error("'*' must follow a '-': write '{0}-*', and add the pattern '{0}' if that name is meant too")]
    NoHyphen(String),
    /// No Worker name can match the pattern.
    #[error("no Worker can have this name: {0}")]
    Name(#[from] InvalidWorkerName),
}

impl WorkerPattern {
    /// Parses a pattern of a policy.
    ///
    /// # Errors
    /// If the string is not a valid pattern, or no Worker name can match it.
    pub fn parse(text: &str) -> Result<Self, InvalidWorkerPattern> {
        if text == "*" {
            return Ok(Self::Every);
        }
        let Some(prefix) = text.strip_suffix('*') else {
            return if text.contains('*') {
                Err(InvalidWorkerPattern::StarInside)
            } else {
                Ok(Self::Named(WorkerName::parse(text)?))
            };
        };
        if prefix.contains('*') {
            return Err(InvalidWorkerPattern::StarInside);
        }
        // The shortest name that the pattern can match has one more character.
        WorkerName::check(&format!("{prefix}0"))?;
        if !prefix.ends_with('-') {
            return Err(InvalidWorkerPattern::NoHyphen(prefix.to_owned()));
        }
        Ok(Self::Prefixed(prefix.to_owned()))
    }

    /// Whether the pattern matches this Worker.
    #[must_use]
    pub fn matches(&self, worker: &WorkerName) -> bool {
        match self {
            Self::Every => true,
            Self::Named(name) => name == worker,
            Self::Prefixed(prefix) => worker.as_str().starts_with(prefix.as_str()),
        }
    }

    /// Whether this pattern matches every Worker that `other` matches.
    #[must_use]
    pub fn covers(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Every, _) => true,
            (_, Self::Named(name)) => self.matches(name),
            (Self::Prefixed(prefix), Self::Prefixed(longer)) => longer.starts_with(prefix.as_str()),
            (_, Self::Every) | (Self::Named(_), Self::Prefixed(_)) => false,
        }
    }
}

impl fmt::Display for WorkerPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Every => f.write_str("*"),
            Self::Named(name) => f.write_str(name.as_str()),
            Self::Prefixed(prefix) => write!(f, "{prefix}*"),
        }
    }
}

/// A pattern for Git refs in a rule: a full ref (`refs/heads/main`) or a prefix followed by a `*` (`refs/tags/v*`).
///
/// The `*` is the last character. It matches one or more characters, including slashes. The prefix must start with
/// `refs/heads/`, `refs/tags/` or `refs/pull/`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum RefPattern {
    /// `refs/heads/main`
    Exactly(String),
    /// `refs/tags/v*`. Contains the prefix without the `*`.
    Prefixed(String),
}

/// The kinds of ref that a run can have. Every pattern starts with one of them.
const REF_KINDS: [&str; 3] = ["refs/heads/", "refs/tags/", "refs/pull/"];

/// The string is not a valid [`RefPattern`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error(
    "write a full ref such as 'refs/heads/main', or a prefix followed by one '*', such as 'refs/tags/v*'"
)]
pub struct InvalidRefPattern;

impl RefPattern {
    /// Parses a pattern of a policy.
    ///
    /// # Errors
    /// If a `*` is not the last character, or the string is not a kind of ref followed by more characters.
    pub fn parse(text: &str) -> Result<Self, InvalidRefPattern> {
        let (literal, starred) = text
            .strip_suffix('*')
            .map_or((text, false), |prefix| (prefix, true));
        let rest = REF_KINDS
            .iter()
            .find_map(|kind| literal.strip_prefix(kind))
            .ok_or(InvalidRefPattern)?;
        if literal.contains('*') || (rest.is_empty() && !starred) {
            return Err(InvalidRefPattern);
        }
        Ok(if starred {
            Self::Prefixed(literal.to_owned())
        } else {
            Self::Exactly(literal.to_owned())
        })
    }

    /// Whether the pattern matches this full ref.
    #[must_use]
    pub fn matches(&self, git_ref: &str) -> bool {
        match self {
            Self::Exactly(literal) => literal == git_ref,
            Self::Prefixed(prefix) => git_ref
                .strip_prefix(prefix.as_str())
                .is_some_and(|rest| !rest.is_empty()),
        }
    }

    /// Whether this pattern matches every ref that `other` matches.
    #[must_use]
    pub fn covers(&self, other: &Self) -> bool {
        match (self, other) {
            (_, Self::Exactly(literal)) => self.matches(literal),
            (Self::Prefixed(prefix), Self::Prefixed(longer)) => longer.starts_with(prefix.as_str()),
            (Self::Exactly(_), Self::Prefixed(_)) => false,
        }
    }

    /// Whether the pattern matches every ref of a kind, as `refs/heads/*` matches every branch.
    #[must_use]
    pub fn is_whole_kind(&self) -> bool {
        matches!(self, Self::Prefixed(prefix) if REF_KINDS.contains(&prefix.as_str()))
    }
}

impl fmt::Display for RefPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exactly(literal) => f.write_str(literal),
            Self::Prefixed(prefix) => write!(f, "{prefix}*"),
        }
    }
}
