//! The target of a request: one Worker in one namespace.

use std::fmt;

use dotdo_names::{Environment, Namespace, PreviewName, WorkerName};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// One Worker in the namespace of an environment, or one of the platform's Workers in the account.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Target {
    /// Where it is.
    pub namespace: Namespace,
    /// The Worker. In the account, it is one of the platform's.
    pub worker: WorkerName,
}

impl Target {
    /// A Worker in a namespace.
    #[must_use]
    pub fn new(namespace: impl Into<Namespace>, worker: WorkerName) -> Self {
        Self {
            namespace: namespace.into(),
            worker,
        }
    }

    /// The name of the dispatch namespace, or `account`.
    #[must_use]
    pub const fn namespace(&self) -> &'static str {
        self.namespace.name()
    }

    /// Whether it is a Worker of the account.
    #[must_use]
    pub const fn is_in_account(&self) -> bool {
        matches!(self.namespace, Namespace::Account)
    }

    /// Whether it is the deploy API itself.
    #[must_use]
    pub fn is_deploy_api(&self) -> bool {
        self.is_in_account() && self.worker.as_str() == dotdo_names::DEPLOY_API_WORKER
    }

    /// The labels of its host before the platform's domain, by the built-in rules of the dispatch Worker: `agents` in
    /// production, `staging.agents` in staging. The dispatch Worker does not route to Workers of the account.
    #[must_use]
    pub fn labels(&self) -> Option<String> {
        let environment = self.namespace.environment()?;
        Some(match environment.host_labels().first() {
            Some(label) => format!("{label}.{}", self.worker),
            None => self.worker.to_string(),
        })
    }

    /// The preview that it is, by its name; `None` for every Worker outside of development, and for other Workers.
    #[must_use]
    pub fn preview(&self) -> Option<PreviewName> {
        match self.namespace.environment() {
            Some(Environment::Development) => PreviewName::of(&self.worker),
            Some(Environment::Production | Environment::Staging) | None => None,
        }
    }
}

impl From<PreviewName> for Target {
    fn from(preview: PreviewName) -> Self {
        Self {
            namespace: Environment::Development.into(),
            worker: preview.name().clone(),
        }
    }
}

/// Formats as `dotdo-staging/agents`.
impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.namespace(), self.worker)
    }
}

/// Serializes in the format of [`Display`](fmt::Display).
impl Serialize for Target {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Target {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let (namespace, worker) = text
            .split_once('/')
            .ok_or_else(|| D::Error::custom("a target has the format namespace/worker"))?;
        Ok(Self {
            namespace: read_namespace(namespace)?,
            worker: WorkerName::parse(worker).map_err(D::Error::custom)?,
        })
    }
}

fn read_namespace<E: serde::de::Error>(name: &str) -> Result<Namespace, E> {
    Namespace::from_name(name).ok_or_else(|| E::custom("the namespace does not exist"))
}

/// Serializes a namespace as its name. For `#[serde(with = "…")]`.
pub mod namespace_name {
    use dotdo_names::Namespace;
    use serde::{Deserialize, Deserializer, Serializer};

    /// Serializes the name.
    ///
    /// # Errors
    /// If the serializer fails.
    pub fn serialize<S: Serializer>(namespace: &Namespace, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(namespace.name())
    }

    /// Deserializes the name.
    ///
    /// # Errors
    /// If the namespace does not exist.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Namespace, D::Error> {
        super::read_namespace(&String::deserialize(deserializer)?)
    }
}

/// A Worker's name in JSON. For `#[serde(with = "…")]`.
pub mod worker_name {
    use dotdo_names::WorkerName;
    use serde::de::Error as _;
    use serde::{Deserialize, Deserializer, Serializer};

    /// Writes the name.
    ///
    /// # Errors
    /// The errors of the serializer.
    pub fn serialize<S: Serializer>(name: &WorkerName, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(name.as_str())
    }

    /// Reads the name.
    ///
    /// # Errors
    /// If it is not a valid Worker name.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<WorkerName, D::Error> {
        WorkerName::parse(&String::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}
