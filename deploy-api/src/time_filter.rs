//! The times of the filters `since` and `until`.

use jiff::fmt::temporal::Pieces;
use jiff::{SignedDuration, Timestamp};

/// What a filter can be, for errors.
pub const EXPECTED: &str = "a time such as 2026-11-24T12:00:00Z, a date such as 2026-11-24, or a duration before now such as 90m, 1h or 2d";

/// The units of durations, in seconds.
const UNITS: [(char, i64); 5] = [
    ('s', 1),
    ('m', 60),
    ('h', 60 * 60),
    ('d', 24 * 60 * 60),
    ('w', 7 * 24 * 60 * 60),
];

/// The time of a filter: a time in RFC 3339, a date (its first moment in UTC), or a duration before `now`. A time that is
/// outside of the range of [`Timestamp`] becomes the first or the last time of the range. `None` for any other text.
#[must_use]
pub fn read(text: &str, now: Timestamp) -> Option<Timestamp> {
    duration(text)
        .map(|duration| now.saturating_sub(duration).unwrap_or(Timestamp::MIN))
        .or_else(|| date(text))
        .or_else(|| time(text))
}

/// A number of at most nine digits and a unit.
fn duration(text: &str) -> Option<SignedDuration> {
    let unit = text.chars().next_back()?;
    let (_, seconds) = UNITS.into_iter().find(|(name, _)| *name == unit)?;
    let number = text.strip_suffix(unit)?;
    let is_number = (1..=9).contains(&number.len()) && number.bytes().all(|byte| byte.is_ascii_digit());
    let number: i64 = is_number.then(|| number.parse().ok())??;
    Some(SignedDuration::from_secs(number.checked_mul(seconds)?))
}

/// A date of ten characters: `2026-11-24`.
fn date(text: &str) -> Option<Timestamp> {
    if text.len() != "2026-11-24".len() {
        return None;
    }
    time(&format!("{text}T00:00:00Z"))
}

fn time(text: &str) -> Option<Timestamp> {
    if let Ok(time) = text.parse() {
        return Some(time);
    }
    // RFC 3339 has years up to 9999, and a timestamp ends shortly before the last of them does.
    let pieces = Pieces::parse(text).ok()?;
    let is_time = pieces.time().is_some() && pieces.offset().is_some();
    is_time.then(|| {
        if pieces.date().year() > 0 {
            Timestamp::MAX
        } else {
            Timestamp::MIN
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: &str = "2026-11-27T12:00:00Z";

    fn shown(text: &str) -> Option<String> {
        read(text, NOW.parse().unwrap()).map(|time| time.to_string())
    }

    #[test]
    fn times_dates_and_durations_are_read() {
        for (text, expected) in [
            ("2026-11-24T12:00:00Z", "2026-11-24T12:00:00Z"),
            ("2026-11-24T12:00:00+01:00", "2026-11-24T11:00:00Z"),
            ("2026-11-24T12:00:00.5-00:30", "2026-11-24T12:30:00.5Z"),
            ("0001-01-01T00:00:00Z", "0001-01-01T00:00:00Z"),
            ("9999-12-31T23:59:59Z", "9999-12-30T22:00:00.999999999Z"),
            ("9999-12-31T23:59:59-12:00", "9999-12-30T22:00:00.999999999Z"),
            ("2026-11-24", "2026-11-24T00:00:00Z"),
            ("30s", "2026-11-27T11:59:30Z"),
            ("90m", "2026-11-27T10:30:00Z"),
            ("1h", "2026-11-27T11:00:00Z"),
            ("2d", "2026-11-25T12:00:00Z"),
            ("1w", "2026-11-20T12:00:00Z"),
            ("0h", NOW),
        ] {
            assert_eq!(shown(text).as_deref(), Some(expected), "{text}");
        }
        assert_eq!(
            shown("999999999w").as_deref(),
            Some("-009999-01-02T01:59:59Z"),
            "the first time"
        );
        assert!(shown("9999-12-31").is_some());
    }

    #[test]
    fn other_texts_are_refused() {
        for text in [
            "",
            "now",
            "h",
            "1",
            "-1h",
            "+1h",
            "1.5h",
            "1H",
            "1 h",
            "1y",
            "1h30m",
            "9999999999h",
            "2026-13-01",
            "2026-11-31",
            "20261124",
            "2026-11-24T12:00:00",
            "12:00:00Z",
            "2026-11-24T25:00:00Z",
            "\u{661}h",
            "2026-11-2\u{e9}",
        ] {
            assert_eq!(shown(text), None, "{text}");
        }
    }
}
