//! Uploads that are read while they arrive, stored, opened and sent without being in memory as a whole.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails where an assumption does not hold"
)]

mod bodies;
mod form_pieces;
mod limits;
mod reading;
mod stored_bundles;
