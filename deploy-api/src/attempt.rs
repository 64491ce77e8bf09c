//! Attempts: one try of a client's request. Each message to the ledger that changes something carries the attempt's id.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// The id of an attempt: a UUID of version 7.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AttemptId(String);

impl AttemptId {
    /// An id from the time and random bytes.
    #[must_use]
    pub fn new(now: Timestamp, entropy: [u8; 16]) -> Self {
        Self(uuid_v7(now, entropy).to_string())
    }

    /// An id that was stored.
    pub(crate) fn stored(text: &str) -> Self {
        Self(text.to_owned())
    }

    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for AttemptId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A UUID of version 7 (RFC 9562): ids of it sort by time.
pub(crate) fn uuid_v7(now: Timestamp, entropy: [u8; 16]) -> uuid::Uuid {
    let milliseconds = u64::try_from(now.as_millisecond()).unwrap_or_default();
    let [random @ .., _, _, _, _, _, _] = entropy;
    uuid::Builder::from_unix_timestamp_millis(milliseconds, &random).into_uuid()
}
