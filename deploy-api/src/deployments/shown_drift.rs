use std::borrow::Cow;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{DeploymentId, Drift, DriftKind, RemoteVersion};
use crate::schema::Time;

/// A change of a Worker that was made outside of this API.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "Drift")]
pub struct ShownDrift {
    /// What was changed.
    pub kind: DriftKind,
    /// The same in words.
    pub explanation: Cow<'static, str>,
    /// When it was found.
    #[schemars(with = "Time")]
    pub since: Timestamp,
    /// The script at the upstream; null if there is none.
    pub found: Option<ShownVersion>,
}

/// A script at the upstream.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "RemoteVersion")]
pub struct ShownVersion {
    /// The deployment that its tags name.
    pub deployment: Option<DeploymentId>,
    /// The upstream's digest of it.
    pub etag: Option<String>,
    /// When it or its settings changed last.
    #[schemars(with = "Option<Time>")]
    pub modified_on: Option<Timestamp>,
}

impl ShownDrift {
    /// The drift as responses contain it.
    #[must_use]
    pub fn of(drift: Drift) -> Self {
        let version = |found: RemoteVersion| ShownVersion {
            deployment: found.deployment,
            etag: found.etag,
            modified_on: found.modified,
        };
        Self {
            kind: drift.kind,
            explanation: Cow::Borrowed(drift.kind.explanation()),
            since: drift.since,
            found: drift.found.map(version),
        }
    }
}
