//! The lease of a change: what it grants, and the messages by which it is renewed and released: [`Renew`] and [`Finish`].

use serde::{Deserialize, Serialize};

use super::Message;
use super::health_check::{DueHealthCheck, ExpectedAnswer};
use crate::attempt::AttemptId;
use crate::audit::{self, Client};
use crate::deployments::{Deployment, RemoteVersion, SentChange, Warning};
use crate::problem::Problem;
use crate::store::locks::Lock;
use crate::store::object_classes::RecordedClass;
use crate::upload::Migrations;

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
    /// The current deployment is not [`NewUpload::based_on`](super::NewUpload::based_on).
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

/// What a rollback or a promotion is made from.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RedeployPlan {
    /// The deployment that is uploaded again.
    pub source: Deployment,
    /// The current deployment of the Worker that is changed.
    pub current: Option<Deployment>,
    /// The known migrations of the Worker that the deployment is of, in every namespace.
    pub migrations: Vec<Migrations>,
    /// The Durable Object classes that were removed from the Worker.
    pub removed_classes: Vec<RecordedClass>,
    /// Whether the caller may read the Worker that is changed.
    pub may_read: bool,
    /// The lock that is in effect for that Worker.
    #[serde(default)]
    pub lock: Option<Lock>,
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
