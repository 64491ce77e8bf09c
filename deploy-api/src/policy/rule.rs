use std::fmt;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::{Claim, Grant, RefPattern};
use crate::identity::{Identity, Provider, Subject};
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
    /// Jobs of a CI service that meet every condition.
    Job {
        /// The service.
        provider: Provider,
        /// The conditions.
        conditions: Vec<Condition>,
    },
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
            (Self::Token(subjects), Identity::ApiToken { subject }) => subjects.contains(subject),
            (Self::Token(_), _) => false,
            (Self::Job { provider, conditions }, identity) => {
                identity.provider() == Some(*provider)
                    && conditions.iter().all(|condition| condition.is_met_by(identity))
            }
        }
    }

    /// Whether the rule names the repository, the project, the pipeline or the subject of this identity, even if other conditions
    /// do not match. Such a rule may be shown to the caller in an explanation. A repository and a project are compared by id or
    /// by name: one that was deleted and created again has a new id, and its owner must be able to see the mismatch. A
    /// pipeline is compared within its organization, because other organizations can use its slug.
    #[must_use]
    pub fn concerns(&self, identity: &Identity) -> bool {
        let Self::Job { provider, conditions } = self else {
            return self.is(identity);
        };
        let meets = |claims: [Claim; 2]| {
            let mut named = conditions
                .iter()
                .filter(|condition| claims.contains(&condition.claim));
            named.any(|condition| condition.is_met_by(identity))
        };
        identity.provider() == Some(*provider)
            && match provider {
                Provider::GitHub => meets([Claim::RepositoryId, Claim::Repository]),
                Provider::GitLab => meets([Claim::ProjectId, Claim::ProjectPath]),
                Provider::Buildkite => {
                    meets([Claim::OrganizationId, Claim::OrganizationSlug])
                        && meets([Claim::PipelineSlug, Claim::PipelineSlug])
                }
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

    /// Whether the caller has the claim with one of the permitted values.
    #[must_use]
    pub fn is_met_by(&self, identity: &Identity) -> bool {
        self.claim.of(identity).is_some_and(|value| {
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
            Self::Job { provider, conditions } => {
                let hosted = Condition::exactly(Claim::Issuer, provider.issuer());
                let conditions: Vec<_> = conditions
                    .iter()
                    .filter(|condition| **condition != hosted)
                    .map(ToString::to_string)
                    .collect();
                write!(f, "{} with {}", provider.jobs(), conditions.join(", "))
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

    /// The name in the audit log for deletions of previews that expired. A rule of the policy may have it as well: the identity in the
    /// entry is the platform's.
    #[must_use]
    pub fn expired_preview() -> Self {
        Self("expired-preview".to_owned())
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
