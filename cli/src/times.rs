//! Times as people write and read them.

use deploy_api::time_filter;
use jiff::{SignedDuration, Timestamp};

/// How long ago a time was, in its largest unit: `3 min ago`.
#[must_use]
pub fn ago(time: Timestamp, now: Timestamp) -> String {
    let seconds = now.duration_since(time).as_secs();
    if seconds < 0 {
        return format!("in {}", length(-seconds));
    }
    if seconds < 5 {
        return "now".to_owned();
    }
    format!("{} ago", length(seconds))
}

/// When something expires or has expired: `expires in 3 d`, `expired 3 min ago`. A locked preview exists longer.
#[must_use]
pub fn expiry(expires: Timestamp, now: Timestamp) -> String {
    let verb = if expires > now { "expires" } else { "expired" };
    format!("{verb} {}", ago(expires, now))
}

fn length(seconds: i64) -> String {
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3600 => format!("{} min", seconds / 60),
        3600..86400 => format!("{} h", seconds / 3600),
        _ => format!("{} d", seconds / 86400),
    }
}

/// The time of a filter such as `--since`. The text is passed on as it is written, because the deploy API reads the same.
///
/// # Errors
/// What the text can be.
pub fn filter(text: &str) -> Result<String, String> {
    match time_filter::read(text, Timestamp::now()) {
        Some(_) => Ok(text.to_owned()),
        None => Err(format!("write {}", time_filter::EXPECTED)),
    }
}

/// A time in the future: a duration from now such as `1h`, a date or a time.
///
/// # Errors
/// What the text can be.
pub fn future(text: &str) -> Result<Timestamp, String> {
    let now = Timestamp::now();
    let read = time_filter::read(text, now).ok_or(
        "write a duration from now such as 90m, 1h or 2d, a date, or a time such as 2027-01-31T12:00:00Z",
    )?;
    let is_duration = !text.contains('-');
    let time = if is_duration {
        now.saturating_add(now.duration_since(read))
            .unwrap_or(Timestamp::MAX)
    } else {
        read
    };
    if time.duration_since(now) <= SignedDuration::ZERO {
        return Err(format!("{time} has passed"));
    }
    Ok(time)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_shown_in_its_largest_unit() {
        let at = |second| Timestamp::from_second(second).unwrap();
        let shown = |seconds| ago(at(0), at(seconds));
        assert_eq!(shown(4), "now");
        assert_eq!(shown(59), "59 s ago");
        assert_eq!(shown(61), "1 min ago");
        assert_eq!(shown(7200), "2 h ago");
        assert_eq!(shown(200_000), "2 d ago");
        assert_eq!(shown(-120), "in 2 min");
        assert_eq!(expiry(at(120), at(0)), "expires in 2 min");
        assert_eq!(expiry(at(0), at(120)), "expired 2 min ago");
    }

    #[test]
    fn a_duration_is_from_now_on() {
        let hour = future("1h").unwrap().duration_since(Timestamp::now());
        assert!((3590..=3600).contains(&hour.as_secs()), "{hour}");
        assert!(future("2020-01-01").unwrap_err().contains("has passed"));
        assert!(future("soon").is_err());
        assert!(filter("1h").is_ok() && filter("soon").is_err());
    }
}
