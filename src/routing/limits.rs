use std::ops::RangeInclusive;

use serde::Serialize;

use super::problem::Problem;
use crate::json::{JsonError, Value};

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

    /// Reads `{"cpu_ms": …, "subrequests": …}`, at least one of them.
    pub(super) fn read(value: Value<'_>) -> Result<Self, Problem> {
        let read = || -> Result<Self, JsonError> {
            let mut members = value.into_members("\"limits\"")?;
            let mut number = |key: &'static str, place| {
                let value = members.take(key)?;
                value.map(|value| value.to_u32(place)).transpose()
            };
            let limits = Self {
                cpu_ms: number("cpu_ms", "\"cpu_ms\"")?,
                subrequests: number("subrequests", "\"subrequests\"")?,
            };
            members.finish()?;
            Ok(limits)
        };
        read().map_err(Problem::Json)?.check()
    }

    /// Checks both ranges.
    fn check(self) -> Result<Self, Problem> {
        let outside =
            |value: Option<u32>, range: &RangeInclusive<u32>| value.filter(|value| !range.contains(value));
        if let Some(value) = outside(self.cpu_ms, &Self::CPU_MS) {
            return Err(Problem::LimitRange {
                key: "cpu_ms",
                value,
                most: *Self::CPU_MS.end(),
            });
        }
        if let Some(value) = outside(self.subrequests, &Self::SUBREQUESTS) {
            return Err(Problem::LimitRange {
                key: "subrequests",
                value,
                most: *Self::SUBREQUESTS.end(),
            });
        }
        if self == Self::default() {
            return Err(Problem::LimitsEmpty);
        }
        Ok(self)
    }
}
