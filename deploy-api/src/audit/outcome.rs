use std::fmt;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::schema::name_schema;

/// The outcome of an action, or that it is about to begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// Written before the upstream is called. Another entry closes it by its sequence number.
    Intent,
    /// It was rejected, and nothing was done.
    Denied,
    /// It was done.
    Succeeded,
    /// It was tried and was not done.
    Failed,
    /// It was done, its health check failed, and it was rolled back.
    RolledBack,
    /// It was a health check whose answer was as expected, and another version may have given it.
    Unproven,
    /// It had been done before, and the repeated request got the same response.
    Replayed,
    /// It was tried, and it is not known whether it was done.
    Unknown,
}

impl Outcome {
    /// Every outcome.
    pub const ALL: [Self; 8] = [
        Self::Intent,
        Self::Denied,
        Self::Succeeded,
        Self::Failed,
        Self::RolledBack,
        Self::Unproven,
        Self::Replayed,
        Self::Unknown,
    ];

    /// The outcome of that [`name`](Self::name).
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|outcome| outcome.name() == name)
    }

    /// The name that entries and filters use.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Intent => "intent",
            Self::Denied => "denied",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::RolledBack => "rolled_back",
            Self::Unproven => "unproven",
            Self::Replayed => "replayed",
            Self::Unknown => "unknown",
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

name_schema!(
    Outcome,
    "Outcome",
    "How it ended.",
    Outcome::ALL.map(Outcome::name)
);

impl Serialize for Outcome {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

impl<'de> Deserialize<'de> for Outcome {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        Self::from_name(&name).ok_or_else(|| D::Error::custom("there is no outcome of this name"))
    }
}
