//! Entries and their chain.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "what a test is built from may fail it, too"
)]

#[path = "../support/mod.rs"]
mod support;

mod chain;
mod entries;
