use std::fmt;

use dotdo_names::{Environment, WorkerName};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::{Action, InvalidWorkerPattern, Request, Resource, WorkerPattern};
use crate::target::Target;

/// What a rule or a token gives: these actions, on these Workers, in these namespaces.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "GrantDocument", into = "GrantDocument")]
pub struct Grant {
    namespaces: Vec<Environment>,
    workers: Vec<WorkerPattern>,
    actions: Vec<Action>,
}

/// A [`Grant`] as it is written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct GrantDocument {
    /// The dispatch namespaces, by name.
    #[cfg_attr(test, schemars(with = "Vec<super::document::NamespaceName>", length(min = 1)))]
    pub namespaces: Vec<String>,
    /// The Workers: a name, `prefix-*` for every name that begins with `prefix-`, or `*` for every Worker.
    #[cfg_attr(test, schemars(length(min = 1), inner(regex(pattern = super::document::WORKER_PATTERN))))]
    pub workers: Vec<String>,
    /// What may be done to them. `admin` needs every namespace and the Workers `*`.
    #[cfg_attr(test, schemars(length(min = 1)))]
    pub actions: Vec<Action>,
}

/// What keeps a [`GrantDocument`] from being a [`Grant`].
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum InvalidGrant {
    /// A list without a member gives nothing and is surely a slip.
    #[error("\"{0}\" is an empty list; name at least one, or remove the rule")]
    Empty(&'static str),
    /// The text is no namespace of the platform.
    #[error("{text:?} is no namespace; write {}", suggested_namespaces(.text))]
    Namespace {
        /// As written.
        text: String,
    },
    /// The text is no pattern.
    #[error("{text:?} in \"workers\" is no pattern: {reason}")]
    Worker {
        /// As written.
        text: String,
        /// What is wrong with it.
        reason: InvalidWorkerPattern,
    },
    /// An administrator can change everything, so a grant must not look narrower than it is.
    #[error(
        "\"admin\" holds for the whole platform; list every namespace and the Workers \"*\", or remove it"
    )]
    AdminInPart,
}

fn suggested_namespaces(text: &str) -> String {
    Environment::from_name(text)
        .or_else(|| Environment::from_host_label(text))
        .map_or_else(
            || Environment::ALL.map(Environment::namespace).join(", "),
            |environment| environment.namespace().to_owned(),
        )
}

impl Grant {
    /// Checks a grant as it is written.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub fn load(document: &GrantDocument) -> Result<Self, Vec<InvalidGrant>> {
        let mut defects = Vec::new();
        for (list, is_empty) in [
            ("namespaces", document.namespaces.is_empty()),
            ("workers", document.workers.is_empty()),
            ("actions", document.actions.is_empty()),
        ] {
            if is_empty {
                defects.push(InvalidGrant::Empty(list));
            }
        }
        let mut namespaces = Vec::new();
        for text in &document.namespaces {
            match Environment::from_namespace(text) {
                Some(environment) => namespaces.push(environment),
                None => defects.push(InvalidGrant::Namespace { text: text.clone() }),
            }
        }
        let mut workers = Vec::new();
        for text in &document.workers {
            match WorkerPattern::parse(text) {
                Ok(pattern) => workers.push(pattern),
                Err(reason) => defects.push(InvalidGrant::Worker {
                    text: text.clone(),
                    reason,
                }),
            }
        }
        let mut actions = document.actions.clone();
        namespaces.sort_unstable();
        namespaces.dedup();
        workers.sort_unstable();
        workers.dedup();
        actions.sort_unstable();
        actions.dedup();
        let grant = Self {
            namespaces,
            workers,
            actions,
        };
        if defects.is_empty() && grant.actions.contains(&Action::Admin) && !grant.covers_platform() {
            defects.push(InvalidGrant::AdminInPart);
        }
        if defects.is_empty() {
            Ok(grant)
        } else {
            Err(defects)
        }
    }

    /// A part of a grant that has been checked.
    pub(super) const fn of(
        namespaces: Vec<Environment>,
        workers: Vec<WorkerPattern>,
        actions: Vec<Action>,
    ) -> Self {
        Self {
            namespaces,
            workers,
            actions,
        }
    }

    /// The namespaces, production first.
    #[must_use]
    pub fn namespaces(&self) -> &[Environment] {
        &self.namespaces
    }

    /// The Workers.
    #[must_use]
    pub fn workers(&self) -> &[WorkerPattern] {
        &self.workers
    }

    /// The actions.
    #[must_use]
    pub fn actions(&self) -> &[Action] {
        &self.actions
    }

    /// Whether the request is within the grant.
    #[must_use]
    pub fn covers(&self, request: &Request) -> bool {
        self.actions.contains(&request.action)
            && self.covers_namespace(&request.resource)
            && self.covers_worker(request)
    }

    /// Whether the resource's namespace, or for the whole platform every namespace, is in the grant.
    #[must_use]
    pub fn covers_namespace(&self, resource: &Resource) -> bool {
        resource.environment().map_or_else(
            || {
                Environment::ALL
                    .iter()
                    .all(|environment| self.namespaces.contains(environment))
            },
            |environment| self.namespaces.contains(&environment),
        )
    }

    /// Whether the resource's Worker, or for a wider one every Worker, is in the grant.
    #[must_use]
    pub fn covers_worker(&self, request: &Request) -> bool {
        match &request.resource {
            Resource::Worker(Target { worker, .. }) => self.covers_name(worker),
            // What a namespace is called and how much is in it may be seen by whoever sees anything in it.
            Resource::Namespace(_) if request.action == Action::Read => true,
            Resource::Namespace(_) | Resource::Platform => self.workers.contains(&WorkerPattern::Every),
        }
    }

    fn covers_name(&self, worker: &WorkerName) -> bool {
        self.workers.iter().any(|pattern| pattern.matches(worker))
    }

    fn covers_platform(&self) -> bool {
        self.covers_namespace(&Resource::Platform) && self.workers.contains(&WorkerPattern::Every)
    }

    /// The same grant without one namespace, or nothing if that was the only one.
    #[must_use]
    pub fn without(&self, namespace: Environment) -> Option<Self> {
        let namespaces: Vec<_> = self
            .namespaces
            .iter()
            .copied()
            .filter(|other| *other != namespace)
            .collect();
        if namespaces.is_empty() {
            return None;
        }
        let mut actions = self.actions.clone();
        if namespaces.len() < Environment::ALL.len() {
            actions.retain(|action| *action != Action::Admin);
        }
        (!actions.is_empty()).then(|| Self {
            namespaces,
            workers: self.workers.clone(),
            actions,
        })
    }
}

impl TryFrom<GrantDocument> for Grant {
    type Error = InvalidGrant;

    fn try_from(document: GrantDocument) -> Result<Self, Self::Error> {
        Self::load(&document).map_err(|defects| {
            defects
                .into_iter()
                .next()
                .unwrap_or(InvalidGrant::Empty("namespaces"))
        })
    }
}

impl From<Grant> for GrantDocument {
    fn from(grant: Grant) -> Self {
        Self {
            namespaces: grant
                .namespaces
                .iter()
                .map(|environment| environment.namespace().to_owned())
                .collect(),
            workers: grant.workers.iter().map(ToString::to_string).collect(),
            actions: grant.actions,
        }
    }
}

/// A phrase that follows "may": `read, deploy agents, agents-* in dotdo-staging`.
impl fmt::Display for Grant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let actions: Vec<_> = self.actions.iter().map(|action| action.name()).collect();
        let workers: Vec<_> = self.workers.iter().map(ToString::to_string).collect();
        let namespaces: Vec<_> = self
            .namespaces
            .iter()
            .map(|environment| environment.namespace())
            .collect();
        write!(
            f,
            "{} {} in {}",
            actions.join(", "),
            workers.join(", "),
            namespaces.join(", ")
        )
    }
}
