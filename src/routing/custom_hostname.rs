use dotdo_names::{Environment, InvalidWorkerName, WorkerName};
use serde_json::value::RawValue;
use thiserror::Error;

use super::host::{Host, other_environment};
use super::invalid_member::InvalidMembers;
use super::members::ObjectReader;
use super::target::{Limits, Outbound};

/// Where the requests of one custom hostname go: the value in the KV namespace `HOSTNAMES` under the key
/// `hostname:<host>` or the bare host.
///
/// A value is the name of a Worker in production, or a JSON object. A host that names another environment never leads
/// to production by default:
///
/// ```
/// use dispatcher::routing::{CustomHostname, Host};
/// use dotdo_names::Environment;
///
/// let shop = Host::parse("shop.example.com").unwrap();
/// let bare = CustomHostname::parse(shop, "shop")?;
/// assert_eq!((bare.worker.as_str(), bare.environment), ("shop", Environment::Production));
///
/// let json = CustomHostname::parse(shop, r#"{"worker": "shop", "environment": "staging", "limits": {"cpu_ms": 50}}"#)?;
/// assert_eq!((json.worker.as_str(), json.environment), ("shop", Environment::Staging));
///
/// assert!(CustomHostname::parse(shop, r#"{"worker": "shop", "enviroment": "staging"}"#).is_err());
///
/// let staging = Host::parse("staging.example.com").unwrap();
/// assert!(CustomHostname::parse(staging, "shop").is_err());
/// # Ok::<(), dispatcher::routing::InvalidCustomHostname>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CustomHostname {
    /// The Worker.
    pub worker: WorkerName,
    /// Its environment; production if neither the value nor the host names another one.
    pub environment: Environment,
    /// Limits for the Worker.
    pub limits: Option<Limits>,
    /// Parameters for the outbound Worker.
    pub outbound: Option<Outbound>,
}

/// Why a value is not a valid [`CustomHostname`]. A request for such a host gets an error and does not go to
/// production.
#[derive(Debug, Error)]
pub enum InvalidCustomHostname {
    /// The value begins with `{`, but is not JSON. The error has the line and the column.
    #[error("the value is neither a Worker's name nor a JSON object: {0}")]
    NotJson(serde_json::Error),
    /// The value is a JSON object with wrong members.
    #[error("{0}")]
    Members(#[from] InvalidMembers),
    /// The Worker's name is invalid.
    #[error("`{worker}` is not a valid Worker name: {reason}")]
    Worker {
        /// The name in the value.
        worker: String,
        /// What is wrong with it.
        reason: InvalidWorkerName,
    },
    /// The environment is unknown.
    #[error("`{text}` is not an environment: write `production`, `staging` or `development`")]
    Environment {
        /// The environment in the value.
        text: String,
    },
    /// The host names an environment, and the value has none.
    #[error(
        "the host names the environment `{label}`, so the value must contain its environment: write {{\"worker\": \"{worker}\", \
         \"environment\": …}}"
    )]
    EnvironmentMissing {
        /// The environment's label in the host.
        label: String,
        /// The Worker in the value.
        worker: String,
    },
}

impl CustomHostname {
    /// Parses the value of one custom hostname.
    ///
    /// # Errors
    /// The value is invalid, or it has no environment although the host names one.
    pub fn parse(host: Host<'_>, value: &str) -> Result<Self, InvalidCustomHostname> {
        let value = value.trim_ascii();
        if !value.starts_with('{') {
            return Ok(Self {
                worker: worker(value)?,
                environment: default_environment(host, value)?,
                limits: None,
                outbound: None,
            });
        }
        let json: &RawValue = serde_json::from_str(value).map_err(InvalidCustomHostname::NotJson)?;
        let mut object = ObjectReader::new(json)?;
        let worker_name = object.required_string("worker").unwrap_or_default();
        let environment_name = object.string("environment");
        let limits = Limits::read(&mut object);
        let outbound = Outbound::read(&mut object);
        object.finish()?;
        Ok(Self {
            worker: worker(&worker_name)?,
            environment: match environment_name {
                None => default_environment(host, &worker_name)?,
                Some(name) => environment(&name)?,
            },
            limits,
            outbound,
        })
    }
}

/// Production, unless the host names another environment: a forgotten member must not show production under such a
/// host.
fn default_environment(host: Host<'_>, worker: &str) -> Result<Environment, InvalidCustomHostname> {
    match other_environment(&host.normalized(), Some(Environment::Production)) {
        None => Ok(Environment::Production),
        Some(label) => Err(InvalidCustomHostname::EnvironmentMissing {
            label: label.to_owned(),
            worker: worker.to_owned(),
        }),
    }
}

fn environment(text: &str) -> Result<Environment, InvalidCustomHostname> {
    Environment::from_name(text).ok_or_else(|| InvalidCustomHostname::Environment {
        text: text.to_owned(),
    })
}

fn worker(text: &str) -> Result<WorkerName, InvalidCustomHostname> {
    WorkerName::parse(text).map_err(|reason| InvalidCustomHostname::Worker {
        worker: text.to_owned(),
        reason,
    })
}
