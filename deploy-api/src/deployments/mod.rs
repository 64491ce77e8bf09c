//! Deployments as they are recorded: their ids, states and health checks.

mod id;
mod record;
mod worker_urls;

pub use id::{DeploymentId, InvalidDeploymentId, TAG_PREFIX};
pub use record::{Deployment, Failure, HealthCheckRequest, State, Warning};
pub use worker_urls::{InvalidWorkerUrls, WorkerUrls};
