//! Tests of the policy: loading, decisions, explanations and the difference between two policies.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a panic in the setup of a test fails the test"
)]

#[path = "../support/mod.rs"]
mod support;

mod changes;
mod decisions;
mod explanations;
mod load_errors;
mod patterns;
