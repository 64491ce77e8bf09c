use std::fmt;

use dotdo_names::{Namespace, WorkerName};
use serde::{Deserialize, Serialize};

use crate::target::{Target, namespace_name};

/// An action that a rule can allow.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// Read Workers, their settings, the names of their secrets, and deployments.
    Read,
    /// Read the logs of Workers.
    Logs,
    /// Upload a Worker.
    Deploy,
    /// Remove a Worker.
    Delete,
    /// Set and remove the secrets of a Worker. Secret values cannot be read.
    Secrets,
    /// Redeploy an earlier deployment.
    Rollback,
    /// Deploy the current deployment of another namespace to this one. Requires `read` in the other namespace.
    Promote,
    /// Lock and unlock a Worker or a namespace.
    Lock,
    /// Change the policy and the API tokens. This permits the caller to grant themselves every other action.
    Admin,
}

impl Action {
    /// Every action, in the order of the documentation.
    pub const ALL: [Self; 9] = [
        Self::Read,
        Self::Logs,
        Self::Deploy,
        Self::Delete,
        Self::Secrets,
        Self::Rollback,
        Self::Promote,
        Self::Lock,
        Self::Admin,
    ];

    /// The name of the action in a policy.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Logs => "logs",
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

/// An action on a resource, to be authorized.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    /// The action.
    pub action: Action,
    /// The resource.
    pub resource: Resource,
}

/// The object of an action.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Resource {
    /// One Worker in one namespace. The Worker may not exist yet.
    Worker(Target),
    /// A whole namespace. A rule covers it if its Workers are `*`. For the action `read`, any rule that allows to read a
    /// Worker in the namespace is sufficient.
    Namespace(#[serde(with = "namespace_name")] Namespace),
    /// Some Worker of a namespace. A rule covers it if it allows the action for any Worker in the namespace.
    AnyWorker(#[serde(with = "namespace_name")] Namespace),
    /// Every namespace of an environment, the policy, the tokens and the audit log. A rule covers it if it has all of these namespaces
    /// and the Workers `*`.
    Platform,
}

impl Request {
    /// A request for one Worker.
    #[must_use]
    pub const fn worker(action: Action, target: Target) -> Self {
        Self {
            action,
            resource: Resource::Worker(target),
        }
    }

    /// A request for a whole namespace.
    #[must_use]
    pub fn namespace(action: Action, namespace: impl Into<Namespace>) -> Self {
        Self {
            action,
            resource: Resource::Namespace(namespace.into()),
        }
    }

    /// A request that is allowed if the action is allowed for any Worker of a namespace.
    #[must_use]
    pub fn any_worker(action: Action, namespace: impl Into<Namespace>) -> Self {
        Self {
            action,
            resource: Resource::AnyWorker(namespace.into()),
        }
    }

    /// A request for the whole platform.
    #[must_use]
    pub const fn platform(action: Action) -> Self {
        Self {
            action,
            resource: Resource::Platform,
        }
    }
}

impl Resource {
    /// The namespace, or `None` for the whole platform.
    #[must_use]
    pub const fn namespace(&self) -> Option<Namespace> {
        match self {
            Self::Worker(Target { namespace, .. })
            | Self::Namespace(namespace)
            | Self::AnyWorker(namespace) => Some(*namespace),
            Self::Platform => None,
        }
    }

    /// The Worker, or `None` for a namespace or the platform.
    #[must_use]
    pub const fn worker(&self) -> Option<&WorkerName> {
        match self {
            Self::Worker(Target { worker, .. }) => Some(worker),
            Self::Namespace(_) | Self::AnyWorker(_) | Self::Platform => None,
        }
    }

    /// Whether the resource is in production or includes production. The account counts as production.
    #[must_use]
    pub fn touches_production(&self) -> bool {
        self.namespace().is_none_or(Namespace::is_production)
    }
}

/// Formats the request as a verb phrase to follow "may not": `deploy agents in dotdo-staging`.
impl fmt::Display for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.resource {
            Resource::Worker(Target { namespace, worker }) => {
                let action = match self.action {
                    Action::Secrets => "set secrets of",
                    Action::Logs => "read the logs of",
                    other => other.name(),
                };
                write!(f, "{action} {worker} in {}", namespace.name())
            }
            Resource::Namespace(namespace) => {
                write!(f, "{} the namespace {}", self.action, namespace.name())
            }
            Resource::AnyWorker(namespace) => {
                write!(f, "{} any Worker in {}", self.action, namespace.name())
            }
            Resource::Platform if self.action == Action::Admin => f.write_str("administer the platform"),
            Resource::Platform => write!(f, "{} the whole platform", self.action),
        }
    }
}
