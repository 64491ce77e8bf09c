use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::attempt::uuid_v7;
use crate::schema::text_schema;

/// Names a deployment: a UUID of version 7 (RFC 9562), so that ids sort by the time at which they were made.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct DeploymentId(String);

text_schema!(
    DeploymentId,
    "DeploymentId",
    "The id of a deployment, a UUID.",
    "^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$"
);

/// The text is not a [`DeploymentId`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("a deployment's id is a UUID: 32 hexadecimal digits, with or without hyphens")]
pub struct InvalidDeploymentId;

/// The prefix of the tag that names the deployment of a script.
pub const TAG_PREFIX: &str = "dotdo-deployment-";

impl DeploymentId {
    /// Makes an id from the time and random bytes.
    #[must_use]
    pub fn new(now: Timestamp, entropy: [u8; 16]) -> Self {
        Self(uuid_v7(now, entropy).to_string())
    }

    /// Reads an id, with hyphens or without.
    ///
    /// # Errors
    /// If the text is not a UUID.
    pub fn parse(text: &str) -> Result<Self, InvalidDeploymentId> {
        let is_written_as_here = matches!(text.len(), 32 | 36);
        uuid::Uuid::try_parse(text)
            .ok()
            .filter(|_| is_written_as_here)
            .map(|id| Self(id.to_string()))
            .ok_or(InvalidDeploymentId)
    }

    /// The id with hyphens.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The id without hyphens, as Cloudflare writes deployment ids.
    #[must_use]
    pub fn digits(&self) -> String {
        self.0.replace('-', "")
    }

    /// The time in the id. An id that this API did not create may contain any time.
    #[must_use]
    pub fn time(&self) -> Timestamp {
        let digits = self.digits();
        let milliseconds = digits
            .get(..12)
            .and_then(|digits| i64::from_str_radix(digits, 16).ok());
        milliseconds
            .and_then(|milliseconds| Timestamp::from_millisecond(milliseconds).ok())
            .unwrap_or(Timestamp::UNIX_EPOCH)
    }

    /// The tag of the script.
    #[must_use]
    pub fn tag(&self) -> String {
        format!("{TAG_PREFIX}{}", self.digits())
    }

    /// The deployment that a script's tags name.
    #[must_use]
    pub fn of_tags<'a>(tags: impl IntoIterator<Item = &'a String>) -> Option<Self> {
        tags.into_iter()
            .find_map(|tag| Self::parse(tag.strip_prefix(TAG_PREFIX)?).ok())
    }
}

impl fmt::Display for DeploymentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for DeploymentId {
    type Error = InvalidDeploymentId;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text)
    }
}

impl From<DeploymentId> for String {
    fn from(id: DeploymentId) -> Self {
        id.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_uuids_that_sort_by_time() {
        let at = |milliseconds| Timestamp::from_millisecond(milliseconds).unwrap();
        let first = DeploymentId::new(at(0x0123_4567_89ab), [0xff; 16]);
        assert_eq!(first.as_str(), "01234567-89ab-7fff-bfff-ffffffffffff");
        assert!(DeploymentId::new(at(0x0123_4567_89ac), [0; 16]) > first);
        assert_eq!(first.time(), at(0x0123_4567_89ab));
        assert_eq!(DeploymentId::parse(&first.digits()), Ok(first.clone()));
        assert_eq!(
            DeploymentId::parse(&first.as_str().to_uppercase()),
            Ok(first.clone())
        );
        for bad in ["", "0123", "01234567-89ab7fff-bfff-ffff-ffffffffffff", "../x"] {
            assert_eq!(DeploymentId::parse(bad), Err(InvalidDeploymentId), "{bad}");
        }
        let tags = ["a".to_owned(), first.tag()];
        assert_eq!(DeploymentId::of_tags(&tags), Some(first));
    }
}
