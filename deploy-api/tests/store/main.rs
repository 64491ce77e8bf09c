//! The tables, with the statements that run in the Durable Object.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "what a test is built from may fail it, too"
)]

#[path = "../support/mod.rs"]
mod support;

mod archive;
mod audit_log;
mod audit_pages;
mod denials;
mod lockouts;
mod policies;
mod previous_version;
mod recent_deployments;
mod replays;
mod tokens;
mod transactions;
