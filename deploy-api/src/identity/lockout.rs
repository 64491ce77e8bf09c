//! The lock-out against guessing credentials.
//!
//! An address that shows [`MAX_GUESSES`] credentials that do not exist within [`WINDOW`] is refused for [`LOCK`],
//! whatever it shows. Typos, and tokens that did exist, are no guesses. An IPv6 client counts by its /64, which is what
//! one customer has. At most [`MAX_ADDRESSES`] addresses are remembered; beyond that the oldest is forgotten.

use std::net::IpAddr;

use jiff::{SignedDuration, Timestamp};

/// How many guesses are let pass.
pub const MAX_GUESSES: u32 = 20;

/// Within which time guesses count together.
pub const WINDOW: SignedDuration = SignedDuration::from_mins(10);

/// For how long an address is locked out.
pub const LOCK: SignedDuration = SignedDuration::from_mins(15);

/// How many failures of one address go on record within [`WINDOW`]: more would let a stranger fill the audit log.
pub const MAX_RECORDED: u32 = 100;

/// How many addresses are remembered.
pub const MAX_ADDRESSES: u32 = 10_000;

/// What is remembered of an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attempts {
    /// When the first failure of this window was.
    pub began: Timestamp,
    /// How many of its failures were guesses.
    pub guesses: u32,
    /// How many failures there were.
    pub failures: u32,
    /// Until when the address is locked out.
    pub locked_until: Option<Timestamp>,
}

impl Attempts {
    /// The first failure of an address.
    #[must_use]
    pub const fn first(now: Timestamp) -> Self {
        Self {
            began: now,
            guesses: 0,
            failures: 0,
            locked_until: None,
        }
    }

    /// Whether the address is locked out, and for how long still.
    #[must_use]
    pub fn locked_for(&self, now: Timestamp) -> Option<SignedDuration> {
        self.locked_until
            .map(|until| until.duration_since(now))
            .filter(SignedDuration::is_positive)
    }

    /// Counts a failure. A window that is over starts anew.
    #[must_use]
    pub fn after_failure(self, is_a_guess: bool, now: Timestamp) -> Self {
        let is_over = now.duration_since(self.began) >= WINDOW;
        let mut next = if is_over { Self::first(now) } else { self };
        next.failures = next.failures.saturating_add(1);
        if is_a_guess {
            next.guesses = next.guesses.saturating_add(1);
            if next.guesses >= MAX_GUESSES {
                next.locked_until = now.checked_add(LOCK).ok();
            }
        }
        next
    }

    /// Whether this failure goes on record.
    #[must_use]
    pub const fn is_recorded(&self) -> bool {
        self.failures <= MAX_RECORDED
    }
}

/// The name under which a client's address is counted: itself, an IPv6 address's /64, or one name for all clients
/// whose address is not known.
#[must_use]
pub fn bucket(address: Option<&str>) -> String {
    match address
        .and_then(|text| text.parse::<IpAddr>().ok())
        .map(|address| address.to_canonical())
    {
        Some(IpAddr::V4(address)) => address.to_string(),
        Some(IpAddr::V6(address)) => {
            let [a, b, c, d, ..] = address.segments();
            format!("{a:x}:{b:x}:{c:x}:{d:x}::/64")
        }
        None => "unknown".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + seconds).unwrap()
    }

    fn after(guesses: u32, now: Timestamp) -> Attempts {
        (0..guesses).fold(Attempts::first(now), |attempts, _| {
            attempts.after_failure(true, now)
        })
    }

    #[test]
    fn the_last_guess_locks_for_a_while() {
        assert_eq!(after(MAX_GUESSES - 1, at(0)).locked_for(at(0)), None);
        let locked = after(MAX_GUESSES, at(0));
        assert_eq!(locked.locked_for(at(0)), Some(LOCK));
        assert_eq!(locked.locked_for(at(899)), Some(SignedDuration::from_secs(1)));
        assert_eq!(locked.locked_for(at(900)), None);
    }

    #[test]
    fn guesses_of_another_window_do_not_count() {
        let attempts = after(MAX_GUESSES - 1, at(0)).after_failure(true, at(600));
        assert_eq!((attempts.guesses, attempts.locked_until), (1, None));
    }

    #[test]
    fn what_is_no_guess_never_locks_and_is_recorded_only_so_often() {
        let many = (0..MAX_RECORDED).fold(Attempts::first(at(0)), |attempts, _| {
            attempts.after_failure(false, at(0))
        });
        assert_eq!(many.locked_for(at(0)), None);
        assert!(many.is_recorded() && !many.after_failure(false, at(0)).is_recorded());
    }

    #[test]
    fn a_client_counts_by_what_one_customer_has() {
        assert_eq!(bucket(Some("192.0.2.1")), "192.0.2.1");
        assert_eq!(bucket(Some("2001:db8:1:2:3:4:5:6")), "2001:db8:1:2::/64");
        assert_eq!(bucket(Some("2001:db8:1:2:ffff::")), "2001:db8:1:2::/64");
        assert_eq!(bucket(Some("::ffff:192.0.2.1")), "192.0.2.1");
        assert_eq!(
            (bucket(None), bucket(Some("nonsense"))),
            ("unknown".to_owned(), "unknown".to_owned())
        );
    }
}
