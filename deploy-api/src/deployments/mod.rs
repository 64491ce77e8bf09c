//! Deployments as they are recorded: their ids, states and health checks.

mod id;
mod record;

pub use id::{DeploymentId, InvalidDeploymentId, TAG_PREFIX};
pub use record::{Deployment, Failure, HealthCheckRequest, State, Warning};
