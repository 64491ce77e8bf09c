use jiff::Timestamp;

/// So many seconds after 2027-01-15T08:00:00Z, the moment at which tests begin.
pub fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + seconds).unwrap()
}
