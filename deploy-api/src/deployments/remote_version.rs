use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::DeploymentId;

/// The version of a script at the upstream: what shows that it was changed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RemoteVersion {
    /// The deployment that its tags name; `None` if they name none, or the upstream did not return the tags.
    #[serde(default)]
    pub deployment: Option<DeploymentId>,
    /// Whether the upstream returned the tags.
    #[serde(default)]
    pub has_tags: bool,
    /// The upstream's digest of the script.
    #[serde(default)]
    pub etag: Option<String>,
    /// When the script or its settings changed last.
    #[serde(default)]
    pub modified: Option<Timestamp>,
}

impl RemoteVersion {
    /// Whether it can be the upload of a deployment: its tags name the deployment, or are not known.
    #[must_use]
    pub fn can_be(&self, deployment: &DeploymentId) -> bool {
        !self.has_tags || self.deployment.as_ref() == Some(deployment)
    }

    /// Whether the script or its settings were changed since an earlier version; `None` if the upstream does not tell.
    #[must_use]
    pub fn is_modified_since(&self, earlier: &Self) -> Option<bool> {
        match (self.modified, earlier.modified) {
            (Some(now), Some(before)) => Some(milliseconds(now) != milliseconds(before)),
            _ => None,
        }
    }

    /// The difference to what is recorded of a Worker: its current deployment, and the version that the upstream had after the last
    /// change through this API. Members of that version that are not known do not count. `found` is the script at the upstream.
    #[must_use]
    pub fn drift(
        recorded: &Self,
        deployment: Option<&DeploymentId>,
        found: Option<&Self>,
    ) -> Option<DriftKind> {
        let (deployment, found) = match (deployment, found) {
            (None, None) => return None,
            (None, Some(_)) => return Some(DriftKind::Created),
            (Some(_), None) => return Some(DriftKind::Deleted),
            (Some(deployment), Some(found)) => (deployment, found),
        };
        let has_other_code =
            matches!((&recorded.etag, &found.etag), (Some(own), Some(there)) if own != there);
        if has_other_code || !found.can_be(deployment) {
            return Some(DriftKind::Code);
        }
        (found.is_modified_since(recorded) == Some(true)).then_some(DriftKind::Settings)
    }
}

/// The database and the audit log keep milliseconds.
fn milliseconds(time: Timestamp) -> i64 {
    time.as_millisecond()
}

/// A difference between what is recorded of a Worker and what the upstream has: a change that was not made through this API.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Drift {
    /// What was changed.
    pub kind: DriftKind,
    /// The script at the upstream; `None` if there is none.
    pub found: Option<RemoteVersion>,
    /// When it was found.
    pub since: Timestamp,
}

/// What was changed outside of this API.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum DriftKind {
    /// Another script was uploaded.
    Code,
    /// The script is the recorded one, but it was uploaded again, or its settings, secrets or tags were changed.
    Settings,
    /// The Worker was deleted.
    Deleted,
    /// There is a Worker, and no deployment of it is recorded as current.
    Created,
}

impl DriftKind {
    /// Its name in responses, in the audit log and in the database.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Code => "code",
            Self::Settings => "settings",
            Self::Deleted => "deleted",
            Self::Created => "created",
        }
    }

    /// What it means, in one sentence.
    #[must_use]
    pub const fn explanation(self) -> &'static str {
        match self {
            Self::Code => "Another script was uploaded without the deploy API.",
            Self::Settings => {
                "The Worker was changed without the deploy API: its settings, secrets or tags, or the same script again."
            }
            Self::Deleted => "The Worker was deleted without the deploy API.",
            Self::Created => "The Worker was not deployed through the deploy API.",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(digit: u8) -> DeploymentId {
        DeploymentId::new(Timestamp::UNIX_EPOCH, [digit; 16])
    }

    fn version(digit: u8, etag: &str, second: i64) -> RemoteVersion {
        RemoteVersion {
            deployment: Some(id(digit)),
            has_tags: true,
            etag: Some(etag.to_owned()),
            modified: Timestamp::from_second(second).ok(),
        }
    }

    #[test]
    fn each_difference_has_a_kind() {
        let recorded = version(1, "a", 1);
        let drift = |found: Option<&RemoteVersion>| RemoteVersion::drift(&recorded, Some(&id(1)), found);
        assert_eq!(drift(Some(&recorded)), None);
        assert_eq!(drift(None), Some(DriftKind::Deleted));
        for (found, kind) in [
            (version(2, "a", 1), DriftKind::Code),
            (version(1, "b", 1), DriftKind::Code),
            (version(1, "a", 2), DriftKind::Settings),
        ] {
            assert_eq!(drift(Some(&found)), Some(kind), "{found:?}");
        }
        let untagged = RemoteVersion {
            deployment: None,
            ..recorded.clone()
        };
        assert_eq!(drift(Some(&untagged)), Some(DriftKind::Code));
        let none = RemoteVersion::drift(&recorded, None, Some(&recorded));
        assert_eq!(none, Some(DriftKind::Created));
        assert_eq!(RemoteVersion::drift(&recorded, None, None), None);
    }

    #[test]
    fn what_is_not_known_is_not_compared() {
        let unknown = RemoteVersion::default();
        let recorded = version(1, "a", 1);
        assert_eq!(
            RemoteVersion::drift(&recorded, Some(&id(1)), Some(&unknown)),
            None
        );
        assert_eq!(
            RemoteVersion::drift(&unknown, Some(&id(1)), Some(&recorded)),
            None
        );
    }
}
