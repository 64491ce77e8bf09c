use serde::{Deserialize, Serialize};

use super::RemoteVersion;

/// A change of secrets or tags that is about to be sent to the upstream. If the answer is lost, it allows to determine the outcome.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SentChange {
    /// The script before the change.
    pub before: RemoteVersion,
    /// What the upstream has after the change.
    pub expected: ExpectedState,
}

/// The state of a Worker after a change. It contains names only, and no value of a secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ExpectedState {
    /// Secrets are set or removed, all in one call.
    Secrets {
        /// The names of those that are set.
        set: Vec<String>,
        /// The names of those that are removed.
        removed: Vec<String>,
    },
    /// The tags are replaced.
    Tags {
        /// The new tags, without the one that names the deployment.
        tags: Vec<String>,
        /// The tags before the change.
        before: Vec<String>,
    },
}
