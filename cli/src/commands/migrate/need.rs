//! The words of the plan about a Worker.

use serde::{Deserialize, Serialize};

/// The verdict about a Worker.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// It can be imported as it is.
    Ready,
    /// It can move if something is done.
    Needs,
    /// It stays in the account.
    Stays,
}

/// What a Worker needs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Need {
    /// Its kind.
    pub kind: NeedKind,
    /// What exactly, in a sentence.
    pub what: String,
}

/// The kind of a need.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NeedKind {
    /// The values of secrets.
    Secrets,
    /// A rule of the dispatch Worker for a host.
    Route,
    /// A deploy from its repository.
    Wrangler,
    /// Another name.
    Name,
    /// Another binding.
    Binding,
    /// A permission of the deploy API's Cloudflare token.
    Permission,
}

impl NeedKind {
    /// Whether `run` can import a Worker with this need.
    pub(super) const fn permits_import(self) -> bool {
        matches!(self, Self::Secrets | Self::Route)
    }
}
