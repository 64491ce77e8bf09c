//! The policy: what loads, what it decides, how it explains, and what a change means.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "what a test is built from may fail it, too"
)]

#[path = "../support/mod.rs"]
mod support;

mod changes;
mod decisions;
mod explanations;
mod load_errors;
mod patterns;
