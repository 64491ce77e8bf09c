use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Deployment, DeploymentId};
use crate::audit::Action;
use crate::identity::Identity;
use crate::schema::Time;

/// The current deployment of a Worker in an overview: who deployed it, and when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LastDeployment {
    /// Its id.
    pub id: DeploymentId,
    /// Whether it was deployed, rolled back, promoted or adopted.
    #[serde(rename = "verb")]
    pub action: Action,
    /// Who deployed it, and from which commit and run.
    pub identity: Identity,
    /// When it began.
    #[schemars(with = "Time")]
    pub created: Timestamp,
    /// The message of the developer.
    pub message: Option<String>,
    /// The tag of the developer.
    pub tag: Option<String>,
}

impl LastDeployment {
    /// The summary of a deployment.
    #[must_use]
    pub fn of(deployment: &Deployment) -> Self {
        Self {
            id: deployment.id.clone(),
            action: deployment.action,
            identity: deployment.identity.clone(),
            created: deployment.created,
            message: deployment.annotations.message.clone(),
            tag: deployment.annotations.tag.clone(),
        }
    }
}
