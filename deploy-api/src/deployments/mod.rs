//! Deployments as they are recorded: their ids, states and health checks, and the versions of scripts at the upstream.

mod health;
mod id;
mod last_deployment;
mod preview;
mod record;
mod remote_version;
mod sent_change;
mod shown_drift;
mod worker_urls;

pub use health::{
    DeploymentHealth, HeaderProof, HealthCheckRequest, HealthResult, InvalidProof, Proof, Unresolved,
};
pub use id::{DeploymentId, InvalidDeploymentId, TAG_PREFIX};
pub use last_deployment::LastDeployment;
pub use preview::Preview;
pub use record::{Deployment, Failure, ImportedFrom, State, Warning};
pub use remote_version::{Drift, DriftKind, RemoteVersion};
pub use sent_change::{ExpectedState, SentChange};
pub use shown_drift::{ShownDrift, ShownVersion};
pub use worker_urls::{InvalidWorkerUrls, WorkerUrls};
