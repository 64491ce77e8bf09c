//! The messages by which a change of a Worker begins and ends: [`Begin`], [`Renew`], [`Finish`], [`Refuse`] and
//! [`FinishHealthCheck`].

use serde::{Deserialize, Serialize};

use super::Message;
use crate::access::Allowed;
use crate::attempt::AttemptId;
use crate::audit::{self, Action, Client, SubjectRecord};
use crate::deployments::{Deployment, DeploymentId, HealthCheckRequest, Warning};
use crate::identity::ShownCredential;
use crate::policy::Caller;
use crate::problem::Problem;
use crate::store::workers::WorkerRecord;
use crate::target::Target;
use crate::upload::Migrations;

/// Begins a change: authorizes it again, waits for the lease on the Worker, and records the intent.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Begin {
    /// The attempt.
    pub attempt: AttemptId,
    /// By whose authority.
    pub authority: Authority,
    /// Where the request came from.
    pub client: Client,
    /// The Worker.
    pub target: Target,
    /// The change.
    pub change: Change,
}

impl Message for Begin {
    const NAME: &'static str = "begin";
    type Answer = Begun;
}

/// By whose authority a change begins.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Authority {
    /// A caller's, which the ledger checks again.
    Credential(ShownCredential),
    /// That of an intent that was allowed: a deployment is rolled back because its health check failed.
    HealthCheck {
        /// The attempt that makes the health check.
        attempt: AttemptId,
    },
}

/// A change of a Worker.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    /// A new upload.
    Deploy(Box<NewUpload>),
    /// An earlier deployment again; `None` means the one before the one that serves.
    Rollback {
        /// Its id, as the caller wrote it.
        deployment: Option<String>,
    },
    /// A deployment of another namespace; `None` means the one that serves there.
    Promote {
        /// The Worker in the other namespace.
        from: Target,
        /// Its id, as the caller wrote it.
        deployment: Option<String>,
        /// Whether secrets are set with it, which needs the action `secrets`.
        with_secrets: bool,
    },
    /// What served before a deployment whose health check failed.
    UndoDeployment {
        /// The deployment to undo.
        deployment: DeploymentId,
    },
    /// The Worker is deleted.
    Delete,
    /// A secret is set.
    PutSecret {
        /// Its name.
        name: String,
    },
    /// A secret is deleted.
    DeleteSecret {
        /// Its name.
        name: String,
    },
    /// The Worker's tags are replaced.
    SetTags,
    /// An upload of static assets begins. It needs no lease: nothing that serves changes.
    AssetSession {
        /// What is recorded of the assets.
        assets: SubjectRecord,
    },
}

/// What the ledger records of an upload before it is sent to the upstream.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct NewUpload {
    /// Its digests.
    pub bundle: audit::Bundle,
    /// The key of its object in the bundle store.
    pub object: String,
    /// The keys of the other objects that it needs: manifests and contents of static assets.
    pub pins: Vec<String>,
    /// By which the same upload is recognised: see [`UploadKey`](crate::upload::FingerprintKey).
    pub fingerprint: String,
    /// The tags that it sets; `None` keeps those that the Worker has.
    pub tags: Option<Vec<String>>,
    /// The Durable Object migrations that it carries out.
    pub migrations: Option<Migrations>,
    /// What is questionable about it.
    pub warnings: Vec<Warning>,
    /// The deployment that must serve when the change begins, because the upload was completed from it.
    pub based_on: Option<DeploymentId>,
}

/// How a change began.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Begun {
    /// The attempt holds the lease, and the intent is recorded.
    Lease(Box<GrantedLease>),
    /// The same upload is what serves: it was deployed by an earlier attempt.
    Replayed(Box<Deployment>),
    /// Another deployment serves than [`NewUpload::based_on`].
    Outdated,
}

/// A lease, with what the gateway needs to carry the change out.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct GrantedLease {
    /// The attempt that holds it.
    pub attempt: AttemptId,
    /// The sequence number of the intent.
    pub intent: u64,
    /// The deployment that is made; `None` for a change that is not an upload.
    pub deployment: Option<Deployment>,
    /// Whether an earlier attempt may have carried the change out: the upstream knows.
    pub is_resumed: bool,
    /// The deployment that is uploaded again, for a rollback or promotion.
    pub source: Option<Deployment>,
    /// What the ledger knows of the Worker; `None` if it was never changed through here.
    pub worker: Option<WorkerRecord>,
    /// The Worker's known migrations, for a rollback or promotion.
    pub migrations: Vec<Migrations>,
}

/// Says that an attempt is at work. Sent before each upload to the upstream.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Renew {
    /// The attempt.
    pub attempt: AttemptId,
}

impl Message for Renew {
    const NAME: &'static str = "renew";
    type Answer = ();
}

/// Records how a change ended, and releases the lease.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Finish {
    /// The attempt that holds the lease.
    pub attempt: AttemptId,
    /// Where the request came from; the reconciler has no address.
    pub client: Client,
    /// How it ended.
    pub end: End,
}

impl Message for Finish {
    const NAME: &'static str = "finish";
    type Answer = Finished;
}

/// How a change ended.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum End {
    /// The upstream carried it out.
    Succeeded {
        /// What the upstream answered; `None` if it was found out later.
        upstream: Option<audit::Upstream>,
        /// What is known of the script now.
        script: Box<ScriptState>,
    },
    /// The upstream did not carry it out, or it was never sent.
    Failed {
        /// What the upstream answered; `None` if it was not called.
        upstream: Option<audit::Upstream>,
        /// Why.
        problem: Box<Problem>,
    },
    /// Nobody knows yet. The lease stays, and the reconciler finds out.
    Unknown,
}

/// What is known of a script after a change.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct ScriptState {
    /// The upstream's digest of it.
    pub etag: Option<String>,
    /// How long it took to start, in milliseconds.
    pub startup_time_ms: Option<u64>,
    /// The handlers that it exports.
    pub handlers: Vec<String>,
    /// Its tags, without the one that names the deployment; `None` if they are those of the intent.
    pub tags: Option<Vec<String>>,
    /// Its Durable Object migration tag, if it is not the one of the intent.
    pub migration_tag: Option<Option<String>>,
    /// The migrations that were carried out, if they are not those of the intent.
    pub migrations: Option<Migrations>,
    /// What was found to be questionable since the intent.
    #[serde(default)]
    pub warnings: Vec<Warning>,
}

/// What follows from the end of a change.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Finished {
    /// The deployment as it is recorded; `None` for a change that is not an upload.
    pub deployment: Option<Deployment>,
    /// The health check to make now. Until its result is recorded, no other change of the Worker begins.
    pub health_check: Option<HealthCheckRequest>,
}

/// Records that a request was refused before it began.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Refuse {
    /// The attempt.
    pub attempt: AttemptId,
    /// Who sent it.
    pub caller: Caller,
    /// What would have allowed it.
    pub allowed: Allowed,
    /// Where it came from.
    pub client: Client,
    /// The Worker that it was about.
    pub target: Target,
    /// What it would have done.
    pub action: Action,
    /// Why it was refused.
    pub problem: Problem,
    /// The binding that it was refused for.
    pub binding: Option<String>,
}

impl Message for Refuse {
    const NAME: &'static str = "refuse";
    type Answer = ();
}

/// Records the result of a health check, and lets other changes of the Worker begin.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct FinishHealthCheck {
    /// The attempt that made it.
    pub attempt: AttemptId,
    /// Where the request came from.
    pub client: Client,
    /// The Worker.
    pub target: Target,
    /// The deployment that was checked.
    pub deployment: DeploymentId,
    /// The result.
    pub result: HealthCheckResult,
}

impl Message for FinishHealthCheck {
    const NAME: &'static str = "finish-health-check";
    type Answer = ();
}

/// The result of a health check.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HealthCheckResult {
    /// The Worker answered as expected.
    Passed,
    /// It did not, and the deployment still serves.
    Failed {
        /// What was wrong.
        problem: Box<Problem>,
    },
    /// It did not, and what served before serves again.
    RolledBack {
        /// What was wrong.
        problem: Box<Problem>,
    },
    /// Something else serves by now: the check would say nothing about the deployment.
    Superseded,
}
