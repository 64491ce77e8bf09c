use dotdo_names::{Environment, InvalidWorkerName, WorkerName};
use serde::Deserialize;
use thiserror::Error;

use super::limits::Limits;
use super::outbound::Outbound;
use super::problem::Problem;

/// Where the requests of one custom hostname go: the value that the KV namespace `HOSTNAMES` holds under the host.
///
/// A value is a Worker's name, which is in production, or JSON:
///
/// ```
/// use dispatcher::routing::CustomHostname;
/// use dotdo_names::Environment;
///
/// let bare = CustomHostname::parse("shop")?;
/// assert_eq!((bare.worker.as_str(), bare.environment), ("shop", Environment::Production));
///
/// let json = CustomHostname::parse(r#"{"worker": "shop", "environment": "staging", "limits": {"cpu_ms": 50}}"#)?;
/// assert_eq!((json.worker.as_str(), json.environment), ("shop", Environment::Staging));
///
/// assert!(CustomHostname::parse(r#"{"worker": "shop", "enviroment": "staging"}"#).is_err());
/// # Ok::<(), dispatcher::routing::InvalidCustomHostname>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CustomHostname {
    /// The Worker.
    pub worker: WorkerName,
    /// Its environment; production if the value does not say.
    pub environment: Environment,
    /// Limits for the Worker.
    pub limits: Option<Limits>,
    /// Parameters for the outbound Worker.
    pub outbound: Option<Outbound>,
}

/// Why a value is no [`CustomHostname`]. A request for such a host is answered with an error, not by production.
#[derive(Debug, Error)]
pub enum InvalidCustomHostname {
    /// Neither a Worker's name nor the JSON of one.
    #[error(
        "the value is neither a Worker's name nor {{\"worker\": …}} with optionally \"environment\", \"limits\" and \
         \"outbound\": {0}"
    )]
    Json(serde_json::Error),
    /// The name could not be routed to.
    #[error("`{worker}` is no Worker: {reason}")]
    Worker {
        /// As the value has it.
        worker: String,
        /// What is wrong with it.
        reason: InvalidWorkerName,
    },
    /// Environment, limits or outbound parameters.
    #[error("{0}")]
    Problem(Problem),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CustomHostnameJson {
    worker: String,
    environment: Option<String>,
    limits: Option<Limits>,
    outbound: Option<Outbound>,
}

impl CustomHostname {
    /// Parses the value of one custom hostname.
    ///
    /// # Errors
    /// The value is malformed in any way.
    pub fn parse(value: &str) -> Result<Self, InvalidCustomHostname> {
        let value = value.trim();
        if !value.starts_with('{') {
            let environment = Environment::Production;
            return Ok(Self {
                worker: worker(value)?,
                environment,
                limits: None,
                outbound: None,
            });
        }
        let value: CustomHostnameJson = serde_json::from_str(value).map_err(InvalidCustomHostname::Json)?;
        let environment = match value.environment {
            None => Environment::Production,
            Some(text) => Environment::from_name(&text).ok_or(InvalidCustomHostname::Problem(
                Problem::EnvironmentUnknown { text },
            ))?,
        };
        let limits = value
            .limits
            .map(Limits::check)
            .transpose()
            .map_err(InvalidCustomHostname::Problem)?;
        let outbound = value
            .outbound
            .map(Outbound::check)
            .transpose()
            .map_err(InvalidCustomHostname::Problem)?;
        Ok(Self {
            worker: worker(&value.worker)?,
            environment,
            limits,
            outbound,
        })
    }
}

fn worker(text: &str) -> Result<WorkerName, InvalidCustomHostname> {
    WorkerName::parse(text).map_err(|reason| InvalidCustomHostname::Worker {
        worker: text.to_owned(),
        reason,
    })
}
