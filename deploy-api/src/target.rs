//! What a call is about: one Worker in one environment.

use std::fmt;

use dotdo_names::{Environment, WorkerName};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

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

/// The form of [`Display`](fmt::Display).
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
            .ok_or_else(|| D::Error::custom("a target is a namespace, a slash and a Worker"))?;
        Ok(Self {
            environment: read_namespace(namespace)?,
            worker: WorkerName::parse(worker).map_err(D::Error::custom)?,
        })
    }
}

fn read_namespace<E: serde::de::Error>(name: &str) -> Result<Environment, E> {
    Environment::from_namespace(name).ok_or_else(|| E::custom("there is no such namespace"))
}

/// An environment in JSON: the name of its namespace. For `#[serde(with = "…")]`.
pub mod namespace_name {
    use dotdo_names::Environment;
    use serde::{Deserialize, Deserializer, Serializer};

    /// Writes the name.
    ///
    /// # Errors
    /// Those of the serializer.
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature that serde calls")]
    pub fn serialize<S: Serializer>(environment: &Environment, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(environment.namespace())
    }

    /// Reads the name.
    ///
    /// # Errors
    /// When there is no such namespace.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Environment, D::Error> {
        super::read_namespace(&String::deserialize(deserializer)?)
    }
}
