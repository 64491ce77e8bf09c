use std::fmt;

use serde::{Deserialize, Serialize};

/// What may be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// See Workers, their settings, the names of their secrets, and deployments.
    Read,
    /// Upload a Worker.
    Deploy,
    /// Remove a Worker.
    Delete,
    /// Set and remove a Worker's secrets. Their values can never be read.
    Secrets,
    /// Deploy again what was deployed before.
    Rollback,
    /// Ship what another namespace runs into this one; reading there is needed as well.
    Promote,
    /// Stop and allow changes to a Worker or a namespace.
    Lock,
    /// Change the policy and the API tokens: whoever may do this may give themselves everything.
    Admin,
}

impl Action {
    /// Every action, in the order of their documentation.
    pub const ALL: [Self; 8] = [
        Self::Read,
        Self::Deploy,
        Self::Delete,
        Self::Secrets,
        Self::Rollback,
        Self::Promote,
        Self::Lock,
        Self::Admin,
    ];

    /// The name that a policy uses.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Deploy => "deploy",
            Self::Delete => "delete",
            Self::Secrets => "secrets",
            Self::Rollback => "rollback",
            Self::Promote => "promote",
            Self::Lock => "lock",
            Self::Admin => "admin",
        }
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
