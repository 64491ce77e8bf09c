//! Deployments as they are recorded: their ids, states and health checks.

mod health;
mod id;
mod record;
mod worker_urls;

pub use health::{
    DeploymentHealth, HeaderProof, HealthCheckRequest, HealthResult, InvalidProof, Proof, Unresolved,
};
pub use id::{DeploymentId, InvalidDeploymentId, TAG_PREFIX};
pub use record::{Deployment, Failure, State, Warning};
pub use worker_urls::{InvalidWorkerUrls, WorkerUrls};
