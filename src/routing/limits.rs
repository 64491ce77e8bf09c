use std::ops::RangeInclusive;

use serde::Serialize;

use super::invalid_options::InvalidOptions;
use crate::json::Members;

/// What one request may use in a user Worker, in place of the account's own limits.
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
    /// A Worker's CPU time, in milliseconds: at most five minutes, as on the paid plan
    /// (<https://developers.cloudflare.com/workers/platform/limits/>).
    pub const CPU_MS: RangeInclusive<u32> = 1..=300_000;
    /// A Worker's subrequests: at most those of the paid plan (the same page).
    pub const SUBREQUESTS: RangeInclusive<u32> = 1..=10_000;

    /// Takes `"limits": {"cpu_ms": …, "subrequests": …}`, at least one of them, if it is there.
    pub(super) fn take(members: &mut Members<'_>) -> Result<Option<Self>, InvalidOptions> {
        let Some(mut members) = members.object("limits")? else {
            return Ok(None);
        };
        let limits = Self {
            cpu_ms: members.number("cpu_ms")?,
            subrequests: members.number("subrequests")?,
        };
        members.finish()?;
        limits.check().map(Some)
    }

    /// Checks both ranges.
    fn check(self) -> Result<Self, InvalidOptions> {
        let outside =
            |value: Option<u32>, range: &RangeInclusive<u32>| value.filter(|value| !range.contains(value));
        if let Some(value) = outside(self.cpu_ms, &Self::CPU_MS) {
            return Err(InvalidOptions::LimitRange {
                key: "cpu_ms",
                value,
                most: *Self::CPU_MS.end(),
            });
        }
        if let Some(value) = outside(self.subrequests, &Self::SUBREQUESTS) {
            return Err(InvalidOptions::LimitRange {
                key: "subrequests",
                value,
                most: *Self::SUBREQUESTS.end(),
            });
        }
        if self == Self::default() {
            return Err(InvalidOptions::LimitsEmpty);
        }
        Ok(self)
    }
}
