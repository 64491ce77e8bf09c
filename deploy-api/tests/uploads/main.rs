//! Uploads that are read while they arrive, stored, opened and sent, without the complete upload in memory.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails where an assumption does not hold"
)]

#[path = "../support/memory_store.rs"]
#[allow(
    dead_code,
    unreachable_pub,
    reason = "each test crate uses only a part of the module"
)]
mod memory_store;

mod bodies;
mod form_pieces;
mod limits;
mod reading;
mod stored_bundles;
