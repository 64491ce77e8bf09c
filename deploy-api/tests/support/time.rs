use jiff::Timestamp;

/// The time `seconds` after 2027-01-15T08:00:00Z, when tests start.
pub fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + seconds).unwrap()
}
