use std::fmt;

use thiserror::Error;

use super::{Claim, InvalidGrant, InvalidRefPattern, InvalidRuleName};
use crate::identity::InvalidSubject;

/// Everything that keeps a policy from loading.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub struct PolicyErrors(pub Vec<PolicyError>);

/// One line for each.
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

/// One thing that keeps a policy from loading: where, what, and the fix.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum PolicyError {
    /// Longer than a policy may be.
    #[error("the policy has {bytes} bytes; at most {limit} are read: merge rules by listing several values")]
    TooLong {
        /// What was given.
        bytes: usize,
        /// What is read.
        limit: usize,
    },
    /// More rules than are compared for each request.
    #[error("the policy has {rules} rules; at most {limit} are read: merge rules by listing several values")]
    TooManyRules {
        /// What was given.
        rules: usize,
        /// What is read.
        limit: usize,
    },
    /// Not JSON, or not the frame of a policy.
    #[error("the policy cannot be read: {0}")]
    Unreadable(String),
    /// A format of another version.
    #[error("\"version\" is {0}; this deploy API reads version 1")]
    Version(u32),
    /// Something is wrong with one rule.
    #[error("rule {rule}: {defect}")]
    Rule {
        /// The rule's name in quotes, or its position from 1 where it has no readable name.
        rule: String,
        /// What is wrong, and the fix.
        defect: Defect,
    },
}

/// What is wrong with a rule, and the fix.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Defect {
    /// Not the form of a rule.
    #[error("cannot be read: {0}")]
    Unreadable(String),
    /// Its name has another form.
    #[error(transparent)]
    Name(#[from] InvalidRuleName),
    /// Another rule has the name.
    #[error("an earlier rule has the same name; give each rule its own, as decisions cite it")]
    NameTwice,
    /// What it grants is wrong.
    #[error(transparent)]
    Grant(#[from] InvalidGrant),
    /// A subject has another form.
    #[error(transparent)]
    Subject(#[from] InvalidSubject),
    /// A list without a member matches nobody and is surely a slip.
    #[error("\"{0}\" is an empty list; name at least one, or remove it")]
    NoValue(&'static str),
    /// Names of repositories and owners are recycled, and every GitHub user shares one issuer.
    #[error(
        "\"{0}\" is missing; add it (see `gh api repos/OWNER/NAME --jq '.id, .owner.id'`), \
         as a name alone can change hands"
    )]
    IdMissing(Claim),
    /// An id that is no number.
    #[error("\"{claim}\" is {value:?}; write the number that GitHub gives, as a text of digits")]
    IdNotANumber {
        /// The claim.
        claim: Claim,
        /// As written.
        value: String,
    },
    /// A pattern where only exact values are safe.
    #[error("\"{claim}\" is {value:?}; only \"ref\" takes a '*': write the exact value, or a list of them")]
    Pattern {
        /// The claim.
        claim: Claim,
        /// As written.
        value: String,
    },
    /// A ref that is none.
    #[error("\"ref\" is {value:?}; {reason}")]
    Ref {
        /// As written.
        value: String,
        /// The form.
        reason: InvalidRefPattern,
    },
    /// Any branch of the repository, and any environment that a job makes up, could deploy to production.
    #[error(
        "covers dotdo-production for any ref and any environment; add \"ref\" (such as \"refs/heads/main\") \
         or \"environment\", best both"
    )]
    ProductionUnbound,
    /// Every branch or tag, which is the same as none in particular.
    #[error(
        "covers dotdo-production for {0:?}; name the branch or tag, or a longer prefix such as \"refs/tags/v*\""
    )]
    ProductionAnyRef(String),
    /// These events run with the rights of the repository on behalf of strangers.
    #[error("covers dotdo-production for the event {0:?}, which never reaches production; remove it")]
    ProductionEvent(String),
}
