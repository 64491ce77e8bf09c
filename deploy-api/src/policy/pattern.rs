use std::fmt;

use dotdo_names::{InvalidWorkerName, WorkerName};
use thiserror::Error;

/// Which Workers a rule is about: `agents`, `agents-*` or `*`.
///
/// A pattern covers the whole name. `agents-*` is every name that begins with `agents-` and goes on; it is neither
/// `agents` nor `my-agents-1`. A star stands nowhere else.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum WorkerPattern {
    /// `*`
    Every,
    /// `agents`
    Named(WorkerName),
    /// `agents-*`; holds the prefix with its hyphen.
    Prefixed(String),
}

/// Why a text is no [`WorkerPattern`].
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum InvalidWorkerPattern {
    /// A star that is not the last character.
    #[error("a '*' stands only at the end: write 'prefix-*'")]
    StarInside,
    /// A star without a hyphen before it, so that `agent*` would also be `agents` and `agentsmith`.
    #[error("a '*' follows a '-': write '{0}-*', and '{0}' as a pattern of its own if it is meant too")]
    NoHyphen(String),
    /// No Worker could ever have such a name.
    #[error("no Worker can have such a name: {0}")]
    Name(#[from] InvalidWorkerName),
}

impl WorkerPattern {
    /// Parses a pattern as a policy has it.
    ///
    /// # Errors
    /// When the text is no pattern, or one that no Worker's name could match.
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
        // The shortest name that the pattern could match has one more character.
        WorkerName::check(&format!("{prefix}0"))?;
        if !prefix.ends_with('-') {
            return Err(InvalidWorkerPattern::NoHyphen(prefix.to_owned()));
        }
        Ok(Self::Prefixed(prefix.to_owned()))
    }

    /// Whether the pattern is about this Worker.
    #[must_use]
    pub fn matches(&self, worker: &WorkerName) -> bool {
        match self {
            Self::Every => true,
            Self::Named(name) => name == worker,
            Self::Prefixed(prefix) => worker.as_str().starts_with(prefix.as_str()),
        }
    }

    /// Whether every Worker that `other` is about is one that this pattern is about.
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

/// Which refs a rule is about: `refs/heads/main`, or every ref after a literal prefix (`refs/tags/v*`).
///
/// The star stands at the end and is at least one character, slashes included; before it stands at least
/// `refs/heads/`, `refs/tags/` or `refs/pull/`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum RefPattern {
    /// `refs/heads/main`
    Exactly(String),
    /// `refs/tags/v*`; holds the prefix without its star.
    Prefixed(String),
}

/// The kinds of ref that a run can have, which is the least that stands before a star.
const REF_KINDS: [&str; 3] = ["refs/heads/", "refs/tags/", "refs/pull/"];

/// The text is no [`RefPattern`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error(
    "write a full ref such as 'refs/heads/main', or a literal prefix and one '*' at its end: 'refs/tags/v*'"
)]
pub struct InvalidRefPattern;

impl RefPattern {
    /// Parses a pattern as a policy has it.
    ///
    /// # Errors
    /// When a star is not the last character, or the text does not begin with a kind of ref and go on.
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

    /// Whether the pattern is about this full ref.
    #[must_use]
    pub fn matches(&self, git_ref: &str) -> bool {
        match self {
            Self::Exactly(literal) => literal == git_ref,
            Self::Prefixed(prefix) => git_ref
                .strip_prefix(prefix.as_str())
                .is_some_and(|rest| !rest.is_empty()),
        }
    }

    /// Whether every ref that `other` is about is one that this pattern is about.
    #[must_use]
    pub fn covers(&self, other: &Self) -> bool {
        match (self, other) {
            (_, Self::Exactly(literal)) => self.matches(literal),
            (Self::Prefixed(prefix), Self::Prefixed(longer)) => longer.starts_with(prefix.as_str()),
            (Self::Exactly(_), Self::Prefixed(_)) => false,
        }
    }

    /// Whether the pattern is about every ref of a kind, as `refs/heads/*` is: about no ref in particular.
    #[must_use]
    pub fn is_a_whole_kind(&self) -> bool {
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
