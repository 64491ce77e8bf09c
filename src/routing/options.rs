use std::ops::RangeInclusive;

use serde::{Serialize, Serializer, ser::Error};
use serde_json::value::RawValue;

use super::members::ObjectReader;

/// What one request may use in a user Worker, instead of the account's own limits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Limits {
    /// CPU time in milliseconds, from 1 to 300,000.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cpu_ms: Option<u32>,
    /// Subrequests, from 1 to 10,000.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subrequests: Option<u32>,
}

impl Limits {
    /// A Worker's CPU time in milliseconds: at most five minutes, as on the paid plan
    /// (<https://developers.cloudflare.com/workers/platform/limits/>).
    pub const CPU_MS: RangeInclusive<u32> = 1..=300_000;
    /// A Worker's subrequests: at most those of the paid plan (the same page).
    pub const SUBREQUESTS: RangeInclusive<u32> = 1..=10_000;

    /// Reads `"limits": {"cpu_ms": …, "subrequests": …}`; at least one of them must be there.
    pub(super) fn read(parent: &mut ObjectReader<'_>) -> Option<Self> {
        let limits = parent.object("limits", |limits| Self {
            cpu_ms: limits.number("cpu_ms", &Self::CPU_MS),
            subrequests: limits.number("subrequests", &Self::SUBREQUESTS),
        })?;
        if limits == Self::default() {
            parent.reject("limits", "`cpu_ms`, `subrequests` or both", "an empty object");
        }
        Some(limits)
    }
}

/// Parameters for the outbound Worker of a dispatch namespace: the text of a JSON object, whose keys the binding must
/// declare (`outbound.parameters` in `wrangler.jsonc`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outbound(Box<str>);

impl Outbound {
    /// Reads `"outbound": {…}`.
    pub(super) fn read(parent: &mut ObjectReader<'_>) -> Option<Self> {
        parent.raw_object("outbound").map(|json| Self(json.into()))
    }

    /// The object's JSON text, exactly as it was written: the order of keys and the digits of numbers are kept.
    #[must_use]
    pub fn as_json(&self) -> &str {
        &self.0
    }
}

impl Serialize for Outbound {
    /// Writes the object itself. Only a serializer of JSON can do that.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let json: &RawValue = serde_json::from_str(&self.0).map_err(S::Error::custom)?;
        json.serialize(serializer)
    }
}
