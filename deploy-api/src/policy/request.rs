use std::fmt;

use dotdo_names::{Environment, WorkerName};
use serde::{Deserialize, Serialize};

use super::Action;
use crate::target::{Target, namespace_name};

/// What a caller wants to do, and to what.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    /// What is to be done.
    pub action: Action,
    /// To what.
    pub resource: Resource,
}

/// What an action is done to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Resource {
    /// One Worker of one namespace. It need not exist yet.
    Worker(Target),
    /// A namespace as a whole. A rule covers it with the Workers `*`; to read what it is, any rule that may read
    /// something in it is enough.
    Namespace(#[serde(with = "namespace_name")] Environment),
    /// Every namespace, the policy, the tokens and the audit log. A rule covers it with every namespace and `*`.
    Platform,
}

impl Request {
    /// A request about one Worker.
    #[must_use]
    pub const fn worker(action: Action, target: Target) -> Self {
        Self {
            action,
            resource: Resource::Worker(target),
        }
    }

    /// A request about a namespace as a whole.
    #[must_use]
    pub const fn namespace(action: Action, namespace: Environment) -> Self {
        Self {
            action,
            resource: Resource::Namespace(namespace),
        }
    }

    /// A request about everything.
    #[must_use]
    pub const fn platform(action: Action) -> Self {
        Self {
            action,
            resource: Resource::Platform,
        }
    }
}

impl Resource {
    /// The namespace, unless the resource is the whole platform.
    #[must_use]
    pub const fn environment(&self) -> Option<Environment> {
        match self {
            Self::Worker(Target {
                environment: namespace,
                ..
            })
            | Self::Namespace(namespace) => Some(*namespace),
            Self::Platform => None,
        }
    }

    /// The Worker, if the resource is one.
    #[must_use]
    pub const fn worker(&self) -> Option<&WorkerName> {
        match self {
            Self::Worker(Target { worker, .. }) => Some(worker),
            Self::Namespace(_) | Self::Platform => None,
        }
    }

    /// Whether production is, or is part of, the resource.
    #[must_use]
    pub fn touches_production(&self) -> bool {
        self.environment()
            .is_none_or(|environment| environment == Environment::Production)
    }
}

/// A phrase that follows "may not": `deploy agents in dotdo-staging`.
impl fmt::Display for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.resource {
            Resource::Worker(Target {
                environment: namespace,
                worker,
            }) => {
                let about = if self.action == Action::Secrets {
                    "set secrets of"
                } else {
                    self.action.name()
                };
                write!(f, "{about} {worker} in {}", namespace.namespace())
            }
            Resource::Namespace(namespace) => {
                write!(f, "{} the namespace {}", self.action, namespace.namespace())
            }
            Resource::Platform if self.action == Action::Admin => f.write_str("administer the platform"),
            Resource::Platform => write!(f, "{} the whole platform", self.action),
        }
    }
}
