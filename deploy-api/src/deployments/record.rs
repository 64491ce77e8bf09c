use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{DeploymentHealth, DeploymentId};
use crate::audit::{self, Action, Annotations};
use crate::identity::Identity;
use crate::target::Target;
use crate::upload::{Migrations, ObjectClasses, Unresolved};

/// One upload to the upstream, with its state.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deployment {
    /// Its id, which the uploaded script has as a tag.
    pub id: DeploymentId,
    /// The Worker and its namespace.
    pub target: Target,
    /// Whether it was deployed, rolled back or promoted. In JSON its name is `verb`, as in the audit log.
    #[serde(rename = "verb")]
    pub action: Action,
    /// How it ended.
    pub state: State,
    /// The sequence number of its intent in the audit log.
    pub intent: u64,
    /// What was uploaded.
    pub bundle: audit::Bundle,
    /// What the developer wrote about the upload.
    #[serde(default)]
    pub annotations: Annotations,
    /// The key of the bundle's object; `None` for a bundle of the first format, whose key is its digest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub object: Option<String>,
    /// The key of the object with the metadata that it was uploaded with, if that is not the bundle's: a promotion or a rollback
    /// with other bindings.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metadata: Option<String>,
    /// The bindings from the version before whose values are not known, so that it cannot be redeployed exactly; `None` if that was
    /// not recorded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unresolved: Option<Vec<Unresolved>>,
    /// Who deployed it, and from which commit and run.
    pub identity: Identity,
    /// The id of the token of the request.
    pub token: Option<String>,
    /// The account Worker of an import; `None` for other deployments.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub imported: Option<ImportedFrom>,
    /// The deployment whose bundle it deploys again.
    pub source: Option<DeploymentId>,
    /// The deployment that served before it.
    pub previous: Option<DeploymentId>,
    /// When it began.
    pub created: Timestamp,
    /// When it ended.
    pub finished: Option<Timestamp>,
    /// The upstream's digest of the script.
    pub etag: Option<String>,
    /// How long the script took to start, as the upstream measured it.
    pub startup_time_ms: Option<u64>,
    /// The Durable Object migration tag that the Worker has with it.
    pub migration_tag: Option<String>,
    /// The migrations that it executes.
    pub migrations: Option<Migrations>,
    /// The Durable Object classes that it names; `None` if they were not recorded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub classes: Option<ObjectClasses>,
    /// The tags that the Worker has with it, without the one that names the deployment.
    pub tags: Vec<String>,
    /// Why it failed, or was rolled back.
    pub failure: Option<Failure>,
    /// The warnings.
    pub warnings: Vec<Warning>,
    /// The Worker's count of changes when it had succeeded: the same later means that nothing was changed since.
    pub revision: Option<u64>,
    /// The result of its health check.
    #[serde(default)]
    pub health: DeploymentHealth,
    /// When the preview that it made expires; `None` unless it succeeded and made a preview.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<Timestamp>,
}

/// The account Worker that was imported.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ImportedFrom {
    /// Its name.
    pub worker: String,
    /// Cloudflare's digest of its script; null if it returned none.
    pub etag: Option<String>,
}

/// How a deployment ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "DeploymentState")]
pub enum State {
    /// It is in progress, or the response of the upstream was lost and the outcome is not known yet.
    Pending,
    /// The upstream accepted it.
    Succeeded,
    /// The upstream did not accept it.
    Failed,
    /// The upstream accepted it, its health check failed, and the deployment before it was deployed again.
    RolledBack,
}

impl State {
    const ALL: [Self; 4] = [Self::Pending, Self::Succeeded, Self::Failed, Self::RolledBack];

    /// Its name in answers and in the database.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::RolledBack => "rolled_back",
        }
    }

    /// The state of that [`name`](Self::name).
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }
}

/// Why a deployment failed, by codes only: texts of the upstream may quote what was uploaded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "DeploymentFailure")]
pub struct Failure {
    /// The name of the code.
    pub code: String,
    /// The error number of the upstream.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub upstream_code: Option<u32>,
}

/// A warning about an upload, which is deployed nevertheless.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "DeploymentWarning")]
pub struct Warning {
    /// The name of the code.
    pub code: String,
    /// The problem, and the fix.
    pub message: String,
}
