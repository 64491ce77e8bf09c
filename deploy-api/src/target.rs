//! What a call is about: one Worker in one environment.

use std::fmt;

use dotdo_names::{Environment, WorkerName};

/// One Worker in one environment's namespace.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Target {
    /// Which namespace.
    pub environment: Environment,
    /// Which Worker in it.
    pub worker: WorkerName,
}

impl Target {
    /// The dispatch namespace's name, as Cloudflare and wrangler have it.
    #[must_use]
    pub const fn namespace(&self) -> &'static str {
        self.environment.namespace()
    }
}

/// `dotdo-staging/agents`.
impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.namespace(), self.worker)
    }
}
