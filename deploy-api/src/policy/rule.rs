use crate::identity::{GitHubRun, Identity, Subject};

use super::{Claim, Grant, RefPattern, RuleName};

/// One rule of a loaded policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// Its name, unique within the policy.
    pub name: RuleName,
    /// Whom it is about.
    pub who: Who,
    /// What it gives them.
    pub grant: Grant,
}

/// Whom a rule is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Who {
    /// GitHub runs that meet every condition.
    GitHub(Vec<Condition>),
    /// The API tokens of these subjects.
    Token(Vec<Subject>),
}

/// A claim, and the values of which it must have one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Condition {
    /// The claim.
    pub claim: Claim,
    /// What it may be. Never empty.
    pub expected: Vec<Expected>,
}

/// A value that a claim may have.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Expected {
    /// This very text.
    Exactly(String),
    /// A ref of this pattern; only conditions on [`Claim::Ref`] have one.
    Ref(RefPattern),
}

impl Who {
    /// Whether the rule is about this identity.
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

    /// Whether the rule is about the identity's own repository or subject, met or not, so that its holder may be told
    /// what the rule expects. Repositories are compared by name as well: a repository that was made anew under its old
    /// name has another id, and its owner must be able to find that out.
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
    /// A condition on a claim that must have this very value.
    #[must_use]
    pub fn exactly(claim: Claim, value: &str) -> Self {
        Self {
            claim,
            expected: vec![Expected::Exactly(value.to_owned())],
        }
    }

    /// Whether the run has the claim, with one of the values.
    #[must_use]
    pub fn is_met_by(&self, run: &GitHubRun) -> bool {
        self.claim
            .of(run)
            .is_some_and(|value| self.expected.iter().any(|expected| expected.is(value)))
    }
}

impl Expected {
    /// Whether a claim's value is this one.
    #[must_use]
    pub fn is(&self, value: &str) -> bool {
        match self {
            Self::Exactly(text) => text == value,
            Self::Ref(pattern) => pattern.matches(value),
        }
    }

    /// Whether every value that `other` allows is one that this allows.
    #[must_use]
    pub fn covers(&self, other: &Self) -> bool {
        match (self, other) {
            (_, Self::Exactly(text)) => self.is(text),
            (Self::Ref(pattern), Self::Ref(narrower)) => pattern.covers(narrower),
            (Self::Exactly(_), Self::Ref(_)) => false,
        }
    }
}

impl std::fmt::Display for Expected {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Exactly(text) => f.write_str(text),
            Self::Ref(pattern) => pattern.fmt(f),
        }
    }
}
