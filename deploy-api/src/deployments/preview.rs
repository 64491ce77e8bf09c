use dotdo_names::PreviewName;
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Deployment;
use crate::schema::{Time, WorkerName};

/// What a preview shows, and when it ends. A preview is a Worker in development that is deleted when it expires.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Preview {
    /// The Worker that it previews.
    #[schemars(with = "WorkerName")]
    pub of: String,
    /// The number of the pull request that it previews; null for the preview of a deployment.
    pub pull_request: Option<u32>,
    /// When it is deleted, unless it is deployed again before.
    #[schemars(with = "Time")]
    pub expires: Timestamp,
}

impl Preview {
    /// The preview of this name.
    #[must_use]
    pub fn new(name: &PreviewName, expires: Timestamp) -> Self {
        Self {
            of: name.previewed().to_string(),
            pull_request: name.pull_request(),
            expires,
        }
    }

    /// The preview that a deployment made; `None` if it did not make one.
    #[must_use]
    pub fn of(deployment: &Deployment) -> Option<Self> {
        Some(Self::new(&deployment.target.preview()?, deployment.expires?))
    }
}
