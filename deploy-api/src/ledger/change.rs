//! A change of a Worker, and the messages by which it begins or is refused: [`Begin`] and [`Refuse`].

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Message;
use super::lease::Begun;
use crate::access::Allowed;
use crate::attempt::AttemptId;
use crate::audit::{self, Action, Annotations, Client, SubjectRecord};
use crate::deployments::{DeploymentId, ImportedFrom, Warning};
use crate::identity::ShownCredential;
use crate::policy::{self, Caller, Request};
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

impl Change {
    /// The action that is recorded.
    #[must_use]
    pub const fn action(&self) -> Action {
        match self {
            Self::Deploy(_) => Action::Deploy,
            Self::Import { .. } => Action::Import,
            Self::Rollback { .. } | Self::UndoDeployment { .. } | Self::Overwrite { .. } => Action::Rollback,
            Self::Adopt { .. } => Action::Adopt,
            Self::Promote { .. } => Action::Promote,
            Self::Preview { .. } => Action::Preview,
            Self::Delete => Action::Delete,
            Self::PutSecret { .. } => Action::SecretPut,
            Self::DeleteSecret { .. } => Action::SecretDelete,
            Self::ChangeSecrets { .. } => Action::SecretsBulk,
            Self::SetTags => Action::SettingsChange,
            Self::AssetSession { .. } => Action::AssetSession,
        }
    }

    /// The upload, if it is a new one.
    #[must_use]
    pub fn upload(&self) -> Option<&NewUpload> {
        match self {
            Self::Deploy(upload) | Self::Import { upload, .. } => Some(upload),
            _ => None,
        }
    }

    /// Whether it needs the exclusive lease of the Worker.
    #[must_use]
    pub const fn is_exclusive(&self) -> bool {
        !matches!(self, Self::AssetSession { .. })
    }

    /// The requests that the policy must allow, the change itself last.
    pub(super) fn requests(&self, target: &Target) -> Vec<Request> {
        let on = |action| Request::worker(action, target.clone());
        match self {
            Self::Deploy(_) | Self::SetTags | Self::AssetSession { .. } | Self::Adopt { .. } => {
                vec![on(policy::Action::Deploy)]
            }
            Self::Import { with_secrets, .. } => {
                // A caller who can read any Worker of the account is an administrator.
                let mut requests = vec![Request::platform(policy::Action::Admin)];
                if *with_secrets {
                    requests.push(on(policy::Action::Secrets));
                }
                requests.push(on(policy::Action::Deploy));
                requests
            }
            Self::Rollback {
                with_secrets: true, ..
            } => vec![on(policy::Action::Secrets), on(policy::Action::Rollback)],
            Self::Rollback { .. } | Self::UndoDeployment { .. } | Self::Overwrite { .. } => {
                vec![on(policy::Action::Rollback)]
            }
            Self::Promote {
                from, with_secrets, ..
            } => {
                let mut requests = vec![Request::worker(policy::Action::Read, from.clone())];
                if *with_secrets {
                    requests.push(on(policy::Action::Secrets));
                }
                requests.push(on(policy::Action::Promote));
                requests
            }
            Self::Preview {
                from, with_secrets, ..
            } => {
                // The preview gets the variables and the resources of the Worker in development.
                let bindings = Target {
                    namespace: target.namespace,
                    worker: from.worker.clone(),
                };
                let mut requests = vec![
                    Request::worker(policy::Action::Read, from.clone()),
                    Request::worker(policy::Action::Read, bindings),
                ];
                if *with_secrets {
                    requests.push(on(policy::Action::Secrets));
                }
                requests.push(on(policy::Action::Deploy));
                requests
            }
            Self::Delete => vec![on(policy::Action::Delete)],
            Self::PutSecret { .. } | Self::DeleteSecret { .. } | Self::ChangeSecrets { .. } => {
                vec![on(policy::Action::Secrets)]
            }
        }
    }

    /// What is recorded besides the Worker.
    pub(super) fn subject(&self) -> Option<SubjectRecord> {
        match self {
            Self::PutSecret { name } | Self::DeleteSecret { name } => {
                Some(SubjectRecord::Secret { name: name.clone() })
            }
            Self::ChangeSecrets { set, removed } => Some(SubjectRecord::Secrets {
                set: set.clone(),
                removed: removed.clone(),
            }),
            Self::AssetSession { assets } => Some(assets.clone()),
            Self::Import { from, .. } => Some(SubjectRecord::AccountWorker {
                name: from.worker.clone(),
                etag: from.etag.clone(),
            }),
            _ => None,
        }
    }
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
