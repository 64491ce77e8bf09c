use dotdo_names::{Environment, InvalidWorkerName, WorkerName};
use serde_json::value::RawValue;
use thiserror::Error;

use super::host::{Host, names_only};
use super::invalid_member::InvalidMembers;
use super::members::ObjectReader;
use super::target::{Limits, Outbound};

/// Where the requests of one custom hostname go: the value that the KV namespace `HOSTNAMES` holds under
/// `hostname:<host>` or the bare host.
///
/// A value is a Worker's name, which is in production, or JSON. A host that names another environment is never in
/// production by default:
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
    /// Its environment; production if neither the value nor the host says otherwise.
    pub environment: Environment,
    /// Limits for the Worker.
    pub limits: Option<Limits>,
    /// Parameters for the outbound Worker.
    pub outbound: Option<Outbound>,
}

/// Why a value is no [`CustomHostname`]. A request for such a host is answered with an error, not by production.
#[derive(Debug, Error)]
pub enum InvalidCustomHostname {
    /// The value begins with `{`, but is not JSON. The error has the line and the column.
    #[error("the value is neither a Worker's name nor a JSON object: {0}")]
    NotJson(serde_json::Error),
    /// The value is a JSON object with wrong members.
    #[error("{0}")]
    Members(#[from] InvalidMembers),
    /// The name could not be routed to.
    #[error("`{worker}` is no Worker: {reason}")]
    Worker {
        /// As the value has it.
        worker: String,
        /// What is wrong with it.
        reason: InvalidWorkerName,
    },
    /// None of the environments.
    #[error("`{text}` is no environment: write `production`, `staging` or `development`")]
    Environment {
        /// As the value has it.
        text: String,
    },
    /// No environment in the value, but one in the host.
    #[error(
        "the host names `{label}`, so the value must say which environment it means: write {{\"worker\": \"{worker}\", \
         \"environment\": …}}"
    )]
    EnvironmentUnsaid {
        /// The environment's label in the host.
        label: String,
        /// As the value has it.
        worker: String,
    },
}

impl CustomHostname {
    /// Parses the value of one custom hostname.
    ///
    /// # Errors
    /// The value is malformed in any way, or leaves open which environment the host means.
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

/// Production, unless the host names another environment: a forgotten key must not show production under such a name.
fn default_environment(host: Host<'_>, worker: &str) -> Result<Environment, InvalidCustomHostname> {
    match names_only(&host.normalized(), Some(Environment::Production)) {
        Ok(()) => Ok(Environment::Production),
        Err(label) => Err(InvalidCustomHostname::EnvironmentUnsaid {
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
