//! Authentication, authorization and the calls of `/v1`, with the tables of the Durable Object.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "what a test is built from may fail it, too"
)]

#[path = "../support/mod.rs"]
mod support;

mod api_tokens;
mod audit_calls;
mod audit_segments;
mod authentication;
mod authorization;
mod ci_jobs;
mod exchange;
mod hostile_oidc_tokens;
mod keyring;
mod policy_calls;
mod secrets;
