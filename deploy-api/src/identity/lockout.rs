//! The lockout of clients that guess credentials.
//!
//! If an address sends [`MAX_GUESSES`] unknown or forged credentials within [`WINDOW`], its further guesses get the error of a
//! lockout for [`LOCK`]. A valid credential is accepted from a locked address, because others may share the address. Which
//! credentials are guesses: [`Rejection::is_a_guess`](super::Rejection::is_a_guess). An IPv6 client is counted by its /64
//! prefix, the usual allocation of one customer. At most [`MAX_ADDRESSES`] addresses are stored; then the oldest is removed.
//!
//! Loopback addresses are never locked out, and neither are clients without a known address: on Cloudflare, every client has
//! one, and locally, all of them are the developer.

use std::net::IpAddr;

use jiff::{SignedDuration, Timestamp};

/// The number of guesses after which an address is locked out.
pub const MAX_GUESSES: u32 = 20;

/// The time window in which failures are counted.
pub const WINDOW: SignedDuration = SignedDuration::from_mins(10);

/// The duration of a lockout.
pub const LOCK: SignedDuration = SignedDuration::from_mins(15);

/// The maximum number of failures of one address that are recorded in the audit log within [`WINDOW`], so that a client
/// cannot fill the audit log.
pub const MAX_RECORDED: u32 = 100;

/// The maximum number of addresses that are stored.
pub const MAX_ADDRESSES: u32 = 10_000;

/// The failed attempts of an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attempts {
    /// The time of the first failure in this window.
    pub began: Timestamp,
    /// The number of failures in this window that were guesses.
    pub guesses: u32,
    /// The number of failures in this window.
    pub failures: u32,
    /// The end of the lockout, if the address is locked out.
    pub locked_until: Option<Timestamp>,
}

impl Attempts {
    /// The attempts of an address without failures. The window starts at `now`.
    #[must_use]
    pub const fn first(now: Timestamp) -> Self {
        Self {
            began: now,
            guesses: 0,
            failures: 0,
            locked_until: None,
        }
    }

    /// The remaining time of the lockout; `None` if the address is not locked out.
    #[must_use]
    pub fn locked_for(&self, now: Timestamp) -> Option<SignedDuration> {
        self.locked_until
            .map(|until| until.duration_since(now))
            .filter(SignedDuration::is_positive)
    }

    /// Counts a failure. Starts a new window if the current one has ended.
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

    /// Whether the last failure is recorded in the audit log.
    #[must_use]
    pub const fn is_recorded(&self) -> bool {
        self.failures <= MAX_RECORDED
    }
}

/// The key under which the failures of a client are counted: its IPv4 address, the /64 prefix of its IPv6 address, or
/// `unknown` for all clients without a known address.
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

/// Whether a client with this address can be locked out: not on loopback, and not without a known address.
#[must_use]
pub fn is_lockable(address: Option<&str>) -> bool {
    address
        .and_then(|text| text.parse::<IpAddr>().ok())
        .is_some_and(|address| !address.to_canonical().is_loopback())
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
    fn the_last_guess_locks_the_address_out_for_the_duration() {
        assert_eq!(after(MAX_GUESSES - 1, at(0)).locked_for(at(0)), None);
        let locked = after(MAX_GUESSES, at(0));
        assert_eq!(locked.locked_for(at(0)), Some(LOCK));
        assert_eq!(locked.locked_for(at(899)), Some(SignedDuration::from_secs(1)));
        assert_eq!(locked.locked_for(at(900)), None);
    }

    #[test]
    fn guesses_of_an_earlier_window_do_not_count() {
        let attempts = after(MAX_GUESSES - 1, at(0)).after_failure(true, at(600));
        assert_eq!((attempts.guesses, attempts.locked_until), (1, None));
    }

    #[test]
    fn other_failures_do_not_lock_and_are_recorded_up_to_a_maximum() {
        let many = (0..MAX_RECORDED).fold(Attempts::first(at(0)), |attempts, _| {
            attempts.after_failure(false, at(0))
        });
        assert_eq!(many.locked_for(at(0)), None);
        assert!(many.is_recorded() && !many.after_failure(false, at(0)).is_recorded());
    }

    #[test]
    fn nobody_is_locked_out_on_loopback_or_without_an_address() {
        for address in [
            "127.0.0.1",
            "127.8.9.10",
            "::1",
            "::ffff:127.0.0.1",
            "nonsense",
            "",
        ] {
            assert!(!is_lockable(Some(address)), "{address}");
        }
        assert!(!is_lockable(None));
        for address in ["192.0.2.1", "2001:db8::1", "::ffff:192.0.2.1", "10.0.0.1", "::2"] {
            assert!(is_lockable(Some(address)), "{address}");
        }
    }

    #[test]
    fn ipv6_clients_are_counted_by_their_64_bit_prefix() {
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
