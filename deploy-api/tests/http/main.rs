//! Requests to `/v1`, and their status, headers and body.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "what a test is built from may fail it, too"
)]

#[path = "../support/mod.rs"]
mod support;

mod alone;
mod answers;
mod bodies;
mod failing_database;
mod lists;
mod logs;
mod refusals;
