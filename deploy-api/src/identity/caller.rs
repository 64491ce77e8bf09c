use std::fmt;

use serde::{Deserialize, Serialize};

use super::{GitHubRun, Subject, TokenId};
use crate::policy::Grant;

/// Who asks, once that is proven.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Identity {
    /// A run of a GitHub Actions workflow.
    GithubRun(Box<GitHubRun>),
    /// A person or another CI, by an API token.
    ApiToken {
        /// Whom the token was made for.
        subject: Subject,
    },
    /// The holder of the bootstrap secret, who may read and administer but not deploy.
    BootstrapAdministrator,
}

/// An authenticated request: its identity, the token that proved it, and what that token is bound to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Caller {
    /// Who asks.
    pub identity: Identity,
    /// The token that was shown. The bootstrap secret is none, and a hypothetical caller shows none.
    pub token: Option<TokenId>,
    /// What the token is bound to. The policy must allow a request as well.
    pub scope: Scope,
}

/// What a token is bound to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Scope {
    /// Nothing but the policy itself.
    Policy,
    /// These grants, given when the token was made.
    Grants(Vec<Grant>),
}

/// One short phrase for a terminal or a log: `drivly/agents at refs/heads/main (run 42)`.
impl fmt::Display for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::GithubRun(run) => {
                write!(f, "{} at {} (run {})", run.repository, run.git_ref, run.run_id)
            }
            Self::ApiToken { subject } => write!(f, "the API token of {subject}"),
            Self::BootstrapAdministrator => f.write_str("the bootstrap administrator"),
        }
    }
}
