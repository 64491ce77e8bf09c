use std::fmt;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::{Claim, Grant, RefPattern};
use crate::identity::{GITHUB_ISSUER, GitHubRun, Identity, Subject};
use crate::schema::text_schema;

/// One rule of a loaded policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// The name, unique within the policy.
    pub name: RuleName,
    /// The identities that the rule applies to.
    pub who: Who,
    /// What the rule allows.
    pub grant: Grant,
}

/// The identities that a rule applies to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Who {
    /// GitHub runs that meet every condition.
    GitHub(Vec<Condition>),
    /// The API tokens of these subjects.
    Token(Vec<Subject>),
}

/// A claim and its permitted values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Condition {
    /// The claim.
    pub claim: Claim,
    /// The permitted values. Never empty.
    pub expected: Vec<Expected>,
}

/// A permitted value of a claim.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Expected {
    /// This string. Names are compared without case.
    Exactly(String),
    /// A ref that matches this pattern. Only conditions on [`Claim::Ref`] have patterns.
    Ref(RefPattern),
}

impl Who {
    /// Whether the rule applies to this identity.
    #[must_use]
    pub fn is(&self, identity: &Identity) -> bool {
        match (self, identity) {
            (Self::GitHub(conditions), Identity::GithubRun(run)) => {
                conditions.iter().all(|condition| condition.is_met_by(run))
            }
            (Self::Token(subjects), Identity::ApiToken { subject }) => subjects.contains(subject),
            _ => false,
        }
    }

    /// Whether the rule names the repository or the subject of this identity, even if other conditions do not match. Such
    /// a rule may be shown to the caller in an explanation. The repository is compared by id or by name: a repository
    /// that was deleted and created again has a new id, and its owner must be able to see the mismatch.
    #[must_use]
    pub fn concerns(&self, identity: &Identity) -> bool {
        match (self, identity) {
            (Self::GitHub(conditions), Identity::GithubRun(run)) => conditions.iter().any(|condition| {
                matches!(condition.claim, Claim::RepositoryId | Claim::Repository) && condition.is_met_by(run)
            }),
            _ => self.is(identity),
        }
    }
}

impl Condition {
    /// A condition that requires exactly this value.
    #[must_use]
    pub fn exactly(claim: Claim, value: &str) -> Self {
        Self {
            claim,
            expected: vec![Expected::Exactly(value.to_owned())],
        }
    }

    /// Whether the run has the claim with one of the permitted values.
    #[must_use]
    pub fn is_met_by(&self, run: &GitHubRun) -> bool {
        self.claim.of(run).is_some_and(|value| {
            self.expected
                .iter()
                .any(|expected| expected.is(self.claim, value))
        })
    }
}

impl Expected {
    /// Whether the value of a claim matches. Names are compared without case: [`Claim::are_equal`].
    #[must_use]
    pub fn is(&self, claim: Claim, value: &str) -> bool {
        match self {
            Self::Exactly(text) => claim.are_equal(text, value),
            Self::Ref(pattern) => pattern.matches(value),
        }
    }

    /// Whether this matches every value of a claim that `other` matches.
    #[must_use]
    pub fn covers(&self, claim: Claim, other: &Self) -> bool {
        match (self, other) {
            (_, Self::Exactly(text)) => self.is(claim, text),
            (Self::Ref(pattern), Self::Ref(narrower)) => pattern.covers(narrower),
            (Self::Exactly(_), Self::Ref(_)) => false,
        }
    }
}

impl fmt::Display for Expected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exactly(text) => f.write_str(text),
            Self::Ref(pattern) => pattern.fmt(f),
        }
    }
}

/// Formats as `API tokens of alice, bob` or `GitHub runs with repository_id 1001, ref refs/heads/main`.
impl fmt::Display for Who {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Token(subjects) => {
                let names: Vec<_> = subjects.iter().map(ToString::to_string).collect();
                write!(f, "API tokens of {}", names.join(", "))
            }
            Self::GitHub(conditions) => {
                let github = Condition::exactly(Claim::Issuer, GITHUB_ISSUER);
                let conditions: Vec<_> = conditions
                    .iter()
                    .filter(|condition| **condition != github)
                    .map(ToString::to_string)
                    .collect();
                write!(f, "GitHub runs with {}", conditions.join(", "))
            }
        }
    }
}

impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let values: Vec<_> = self.expected.iter().map(ToString::to_string).collect();
        write!(f, "{} {}", self.claim, values.join(" or "))
    }
}

/// The maximum length of a rule name, in characters.
const MAX_LENGTH: usize = 64;

/// The rule name in the audit log for requests that were allowed because of the bootstrap secret.
const BOOTSTRAP: &str = "bootstrap-administrator";

/// The name of a rule in decisions and in the audit log: 1 to 64 characters of a-z, 0-9 and `-`, starting with a letter.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct RuleName(String);

text_schema!(
    RuleName,
    "RuleName",
    "The name of a rule of the policy.",
    "^[a-z][a-z0-9-]{0,63}$"
);

/// Why a string is not a valid [`RuleName`].
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum InvalidRuleName {
    /// The format is wrong.
    #[error(
        "{0:?} is not a valid rule name; use 1 to 64 characters of a-z, 0-9 and '-', starting with a letter"
    )]
    Form(String),
    /// The name is reserved for the bootstrap secret.
    #[error("the rule name \"bootstrap-administrator\" is reserved for the bootstrap secret")]
    Reserved,
}

impl RuleName {
    /// Parses a name.
    ///
    /// # Errors
    /// If the format is wrong or the name is reserved.
    pub fn parse(text: &str) -> Result<Self, InvalidRuleName> {
        let valid_start = text
            .bytes()
            .next()
            .is_some_and(|first| first.is_ascii_lowercase());
        let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        if !valid_start || text.len() > MAX_LENGTH || !text.bytes().all(allowed) {
            return Err(InvalidRuleName::Form(text.chars().take(MAX_LENGTH).collect()));
        }
        if text == BOOTSTRAP {
            return Err(InvalidRuleName::Reserved);
        }
        Ok(Self(text.to_owned()))
    }

    /// The reserved name for requests that were allowed because of the bootstrap secret.
    #[must_use]
    pub fn bootstrap() -> Self {
        Self(BOOTSTRAP.to_owned())
    }

    /// The name as a string.
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
