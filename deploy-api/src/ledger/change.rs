//! The messages by which a change of a Worker begins and ends: [`Begin`], [`Renew`], [`Finish`] and [`Refuse`].

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::health_check::{DueHealthCheck, ExpectedAnswer};
use super::{Message, RedeployPlan};
use crate::access::Allowed;
use crate::attempt::AttemptId;
use crate::audit::{self, Action, Annotations, Client, SubjectRecord};
use crate::deployments::{Deployment, DeploymentId, ImportedFrom, RemoteVersion, SentChange, Warning};
use crate::identity::ShownCredential;
use crate::policy::Caller;
use crate::problem::Problem;
use crate::target::Target;
use crate::upload::{Migrations, ObjectClasses, Unresolved};

/// Begins a change: authorizes it again, waits for the lease on the Worker, and records the intent.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Begin {
    /// The attempt.
    pub attempt: AttemptId,
    /// The authority for the change.
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

/// The authority for a change.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Authority {
    /// The credential of a caller, which the ledger checks again.
    Credential(ShownCredential),
    /// The authority of an intent that was allowed: a deployment is rolled back because its health check failed.
    HealthCheck {
        /// The attempt that makes the health check.
        attempt: AttemptId,
    },
    /// The expiry of a preview, which is deleted.
    ExpiredPreview {
        /// When it expired.
        expired: Timestamp,
    },
}

/// A change of a Worker.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    /// A new upload.
    Deploy(Box<NewUpload>),
    /// A Worker of the account, as a new upload.
    Import {
        /// The upload.
        upload: Box<NewUpload>,
        /// The account Worker.
        from: ImportedFrom,
        /// Whether secrets are set with it, which needs the action `secrets`.
        with_secrets: bool,
    },
    /// A redeploy of an earlier deployment; `None` for the deployment before the current one.
    Rollback {
        /// Its id, as the caller wrote it.
        deployment: Option<String>,
        /// Whether secrets are set with it, which needs the action `secrets`.
        #[serde(default)]
        with_secrets: bool,
    },
    /// A deployment of another namespace; `None` for its current deployment.
    Promote {
        /// The Worker in the other namespace.
        from: Target,
        /// Its id, as the caller wrote it.
        deployment: Option<String>,
        /// Whether secrets are set with it, which needs the action `secrets`.
        with_secrets: bool,
    },
    /// A deployment of any namespace to its preview.
    Preview {
        /// The Worker that was deployed.
        from: Target,
        /// The deployment.
        deployment: DeploymentId,
        /// Whether secrets are set with it, which needs the action `secrets`.
        with_secrets: bool,
    },
    /// A redeploy of the deployment before one whose health check failed.
    UndoDeployment {
        /// The deployment to undo.
        deployment: DeploymentId,
    },
    /// A redeploy of the current deployment over a change that was made outside of this API.
    Overwrite {
        /// The deployment that must be current when the change begins.
        deployment: DeploymentId,
    },
    /// A change that was made outside of this API is recorded.
    Adopt {
        /// Whether the Worker was deleted.
        is_deleted: bool,
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
    /// Several secrets are set or removed.
    ChangeSecrets {
        /// The names of those that are set.
        set: Vec<String>,
        /// The names of those that are removed.
        removed: Vec<String>,
    },
    /// The Worker's tags are replaced.
    SetTags,
    /// An upload of static assets begins. It needs no lease, because the current deployment does not change.
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
    /// The fingerprint that identifies the same upload: see [`FingerprintKey`](crate::upload::FingerprintKey).
    pub fingerprint: String,
    /// The tags that it sets; `None` keeps those that the Worker has.
    pub tags: Option<Vec<String>>,
    /// The Durable Object migrations that it executes.
    pub migrations: Option<Migrations>,
    /// The Durable Object classes that it names.
    #[serde(default)]
    pub classes: ObjectClasses,
    /// What the developer wrote about it.
    #[serde(default)]
    pub annotations: Annotations,
    /// The warnings.
    pub warnings: Vec<Warning>,
    /// The bindings from the version before whose values are not known.
    #[serde(default)]
    pub unresolved: Vec<Unresolved>,
    /// What must be current when the change begins, because the upload was completed from it.
    #[serde(default)]
    pub based_on: Option<BasedOn>,
    /// The id of the version that was uploaded before and is deployed now; it becomes the id of the deployment.
    #[serde(default)]
    pub version: Option<DeploymentId>,
}

/// The version from which an upload was completed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BasedOn {
    /// The current deployment; `None` if there was none.
    pub deployment: Option<DeploymentId>,
}

/// How a change began.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Begun {
    /// The attempt holds the lease, and the intent is recorded.
    Lease(Box<GrantedLease>),
    /// The same upload is the current deployment: an earlier attempt deployed it. The Worker has no health check.
    Replayed(Box<Deployment>),
    /// The same upload is the current deployment, and its health check is to be made again.
    Check(Box<DueHealthCheck>),
    /// The current deployment is not [`NewUpload::based_on`].
    Outdated,
}

/// A lease, with the data that the gateway needs for the change.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct GrantedLease {
    /// The attempt that holds it.
    pub attempt: AttemptId,
    /// The sequence number of the intent.
    pub intent: u64,
    /// The deployment that is made; `None` for a change that is not an upload.
    pub deployment: Option<Deployment>,
    /// Whether an earlier attempt may have executed the change. The upstream has the answer.
    pub is_resumed: bool,
    /// What a rollback or a promotion is made from; `None` for other changes.
    #[serde(default)]
    pub redeploy: Option<Box<RedeployPlan>>,
}

/// Renews the lease of an attempt. Sent before each upload to the upstream.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Renew {
    /// The attempt.
    pub attempt: AttemptId,
    /// The change of secrets or tags that is sent next.
    #[serde(default)]
    pub sent: Option<SentChange>,
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
    /// The upstream executed it.
    Succeeded {
        /// The answer of the upstream; `None` if the outcome was determined later.
        upstream: Option<audit::Upstream>,
        /// The state of the script after the change.
        script: Box<ScriptState>,
    },
    /// The upstream did not execute it, or it was never sent.
    Failed {
        /// The answer of the upstream; `None` if it was not called.
        upstream: Option<audit::Upstream>,
        /// Why.
        problem: Box<Problem>,
    },
    /// The upstream can no longer execute it, and does not tell whether it did.
    Undetermined {
        /// What was lost, and what to do now.
        problem: Box<Problem>,
    },
    /// The outcome is not known yet. The lease stays, and the reconciler determines the outcome.
    Unknown,
}

/// The state of a script after a change.
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
    /// The executed migrations, if they differ from the intent.
    pub migrations: Option<Migrations>,
    /// The warnings since the intent.
    #[serde(default)]
    pub warnings: Vec<Warning>,
    /// The script before an upload.
    #[serde(default)]
    pub before: BeforeUpload,
    /// The version after the change; `None` if there is no script, or the upstream was not asked.
    #[serde(default)]
    pub after: Option<RemoteVersion>,
}

/// The script before an upload.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BeforeUpload {
    /// The upstream was not asked.
    #[default]
    NotAsked,
    /// There was none.
    NoScript,
    /// There was one, with this version.
    Script(RemoteVersion),
}

/// The result of recording an outcome.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Finished {
    /// The recorded deployment; `None` for a change that is not an upload.
    pub deployment: Option<Deployment>,
    /// The health check to make now. Until its result is recorded, no other change of the Worker begins.
    pub health_check: Option<ExpectedAnswer>,
}

/// Records that a request was refused before it began.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Refuse {
    /// The attempt.
    pub attempt: AttemptId,
    /// Who sent it.
    pub caller: Caller,
    /// The rule that would have allowed it.
    pub allowed: Allowed,
    /// Where it came from.
    pub client: Client,
    /// The Worker that it was about.
    pub target: Target,
    /// The action.
    pub action: Action,
    /// Why it was refused.
    pub problem: Problem,
    /// The binding because of which it was refused.
    pub binding: Option<String>,
}

impl Message for Refuse {
    const NAME: &'static str = "refuse";
    type Answer = ();
}
