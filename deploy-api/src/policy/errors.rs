use std::fmt;

use thiserror::Error;

use super::{Claim, InvalidGrant, InvalidRefPattern, InvalidRuleName};
use crate::identity::InvalidSubject;

/// Every error in a policy document.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub struct PolicyErrors(pub Vec<PolicyError>);

/// One line for each error.
impl fmt::Display for PolicyErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, error) in self.0.iter().enumerate() {
            if number > 0 {
                f.write_str("\n")?;
            }
            error.fmt(f)?;
        }
        Ok(())
    }
}

/// One error in a policy document: where it is, what is wrong, and the fix.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum PolicyError {
    /// The document is too long.
    #[error("the policy has {bytes} bytes; the maximum is {limit}: merge rules by listing several values")]
    TooLong {
        /// The length of the document, in bytes.
        bytes: usize,
        /// The maximum.
        limit: usize,
    },
    /// The document has too many rules.
    #[error("the policy has {rules} rules; the maximum is {limit}: merge rules by listing several values")]
    TooManyRules {
        /// The number of rules in the document.
        rules: usize,
        /// The maximum.
        limit: usize,
    },
    /// The document is not JSON, or its outer object is not that of a policy.
    #[error("the policy cannot be read: {0}")]
    Unreadable(String),
    /// The version of the format is not supported.
    #[error("\"version\" is {0}; this deploy API supports version 1")]
    Version(u32),
    /// One rule is invalid.
    #[error("rule {rule}: {defect}")]
    Rule {
        /// The name of the rule in quotes, or its position (from 1) if the name cannot be read.
        rule: String,
        /// What is wrong, and the fix.
        defect: Defect,
    },
}

/// What is wrong with a rule, and the fix.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Defect {
    /// The rule does not have the format of a rule.
    #[error("cannot be read: {0}")]
    Unreadable(String),
    /// The name is invalid.
    #[error(transparent)]
    Name(#[from] InvalidRuleName),
    /// Another rule has the same name.
    #[error("an earlier rule has the same name; rule names must be unique, because decisions refer to them")]
    NameTwice,
    /// The namespaces, Workers or actions are invalid.
    #[error(transparent)]
    Grant(#[from] InvalidGrant),
    /// A subject is invalid.
    #[error(transparent)]
    Subject(#[from] InvalidSubject),
    /// A list is empty, so the rule would match no identity.
    #[error("\"{0}\" is an empty list; add at least one value, or remove it")]
    NoValue(&'static str),
    /// An id is missing. Names of repositories and owners can be reused, and all GitHub users have the same issuer.
    #[error(
        "\"{0}\" is missing; add it (see {source}), because a name can be transferred",
        source = .0.source()
    )]
    IdMissing(Claim),
    /// An id is not a number.
    #[error("\"{claim}\" is {value:?}; write the numeric id as a string of digits")]
    IdNotANumber {
        /// The claim.
        claim: Claim,
        /// The value in the document.
        value: String,
    },
    /// The claim does not support patterns.
    #[error(
        "\"{claim}\" is {value:?}; only \"ref\" supports '*': write the exact value, or a list of exact values"
    )]
    Pattern {
        /// The claim.
        claim: Claim,
        /// The value in the document.
        value: String,
    },
    /// The ref is invalid.
    #[error("\"ref\" is {value:?}; {reason}")]
    Ref {
        /// The value in the document.
        value: String,
        /// The reason.
        reason: InvalidRefPattern,
    },
    /// The rule has neither a ref nor an environment, so every branch of the repository could deploy to production.
    #[error(
        "covers dotdo-production for any ref and any environment; add \"ref\" (such as \"refs/heads/main\") \
         or \"environment\", preferably both"
    )]
    ProductionUnbound,
    /// The ref pattern matches every branch or every tag.
    #[error(
        "covers dotdo-production for {0:?}; name the branch or tag, or a longer prefix such as \"refs/tags/v*\""
    )]
    ProductionAnyRef(String),
    /// Anyone can trigger this event, and its runs have the permissions of the repository.
    #[error("covers dotdo-production for the event {0:?}, which is never allowed in production; remove it")]
    ProductionEvent(String),
}
