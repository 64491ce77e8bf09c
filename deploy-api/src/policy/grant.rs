use std::fmt;

use dotdo_names::{Environment, Namespace, WorkerName};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::{Action, InvalidWorkerPattern, Request, Resource, WorkerPattern};
use crate::schema::{NamespaceName, WORKER_PATTERN, same_schema};
use crate::target::Target;

/// The permissions of a rule or a token: actions on Workers in namespaces.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "GrantDocument", into = "GrantDocument")]
pub struct Grant {
    namespaces: Vec<Namespace>,
    workers: Vec<WorkerPattern>,
    actions: Vec<Action>,
}

same_schema!(Grant, GrantDocument);

/// Allowed actions on Workers in namespaces, as written in a document.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[schemars(rename = "Grant")]
#[serde(deny_unknown_fields)]
pub struct GrantDocument {
    /// The dispatch namespaces, by name; `account` for the Workers of the platform itself.
    #[schemars(with = "Vec<NamespaceName>", length(min = 1))]
    pub namespaces: Vec<String>,
    /// The Workers: a name, `prefix-*` for every name that starts with `prefix-`, or `*` for every Worker.
    #[schemars(length(min = 1), inner(regex(pattern = WORKER_PATTERN)))]
    pub workers: Vec<String>,
    /// The allowed actions. `admin` requires every dispatch namespace and the Workers `*`.
    #[schemars(length(min = 1))]
    pub actions: Vec<Action>,
}

/// Why a [`GrantDocument`] is not a valid [`Grant`].
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum InvalidGrant {
    /// A list is empty, so the grant would allow nothing.
    #[error("\"{0}\" is an empty list; add at least one entry, or remove the rule")]
    Empty(&'static str),
    /// The string is not a namespace of the platform.
    #[error("{text:?} is not a namespace; use {}", suggested_namespaces(.text))]
    Namespace {
        /// The string in the document.
        text: String,
    },
    /// The string is not a valid Worker pattern.
    #[error("{text:?} in \"workers\" is not a valid pattern: {reason}")]
    Worker {
        /// The string in the document.
        text: String,
        /// The reason.
        reason: InvalidWorkerPattern,
    },
    /// `admin` permits every change to the platform, so the grant must list every namespace and every Worker.
    #[error(
        "\"admin\" applies to the whole platform; list every namespace and the Workers \"*\", or remove \"admin\""
    )]
    AdminInPart,
}

fn suggested_namespaces(text: &str) -> String {
    Environment::from_name(text)
        .or_else(|| Environment::from_host_label(text))
        .map_or_else(
            || format!("one of {}", Namespace::ALL.map(Namespace::name).join(", ")),
            |environment| environment.namespace().to_owned(),
        )
}

impl Grant {
    /// Checks a grant document.
    ///
    /// # Errors
    /// Returns every error in the document.
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
            match Namespace::from_name(text) {
                Some(namespace) => namespaces.push(namespace),
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

    /// Makes a grant from a part of a grant that has been checked.
    pub(super) const fn of(
        namespaces: Vec<Namespace>,
        workers: Vec<WorkerPattern>,
        actions: Vec<Action>,
    ) -> Self {
        Self {
            namespaces,
            workers,
            actions,
        }
    }

    /// The namespaces, production first, the account last.
    #[must_use]
    pub fn namespaces(&self) -> &[Namespace] {
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

    /// Whether the grant allows the request.
    #[must_use]
    pub fn covers(&self, request: &Request) -> bool {
        self.actions.contains(&request.action)
            && self.covers_namespace(&request.resource)
            && self.covers_worker(request)
    }

    /// Whether the grant has the namespace of the resource. For the whole platform: whether it has every namespace.
    #[must_use]
    pub fn covers_namespace(&self, resource: &Resource) -> bool {
        resource.namespace().map_or_else(
            || self.covers_environments(),
            |namespace| self.namespaces.contains(&namespace),
        )
    }

    /// Whether the grant has the Worker of the resource. For a namespace or the platform: whether it has every Worker.
    #[must_use]
    pub fn covers_worker(&self, request: &Request) -> bool {
        match &request.resource {
            Resource::Worker(Target { worker, .. }) => self.covers_name(worker),
            Resource::AnyWorker(_) => true,
            // A caller who may read any Worker of a namespace may read its name and its number of Workers.
            Resource::Namespace(_) if request.action == Action::Read => true,
            Resource::Namespace(_) | Resource::Platform => self.workers.contains(&WorkerPattern::Every),
        }
    }

    fn covers_name(&self, worker: &WorkerName) -> bool {
        self.workers.iter().any(|pattern| pattern.matches(worker))
    }

    fn covers_environments(&self) -> bool {
        Environment::ALL
            .into_iter()
            .all(|environment| self.namespaces.contains(&environment.into()))
    }

    fn covers_platform(&self) -> bool {
        self.covers_namespace(&Resource::Platform) && self.workers.contains(&WorkerPattern::Every)
    }

    /// The grant without production and without the actions that require it. `None` if nothing remains.
    #[must_use]
    pub fn without_production(&self) -> Option<Self> {
        let namespaces: Vec<_> = self
            .namespaces
            .iter()
            .copied()
            .filter(|namespace| !namespace.is_production())
            .collect();
        if namespaces.is_empty() {
            return None;
        }
        let mut actions = self.actions.clone();
        actions.retain(|action| *action != Action::Admin);
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
                .map(|namespace| namespace.name().to_owned())
                .collect(),
            workers: grant.workers.iter().map(ToString::to_string).collect(),
            actions: grant.actions,
        }
    }
}

/// Formats the grant as a phrase to follow "may": `read, deploy agents, agents-* in dotdo-staging`.
impl fmt::Display for Grant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let actions: Vec<_> = self.actions.iter().map(|action| action.name()).collect();
        let workers: Vec<_> = self.workers.iter().map(ToString::to_string).collect();
        let namespaces: Vec<_> = self.namespaces.iter().map(|namespace| namespace.name()).collect();
        write!(
            f,
            "{} {} in {}",
            actions.join(", "),
            workers.join(", "),
            namespaces.join(", ")
        )
    }
}
