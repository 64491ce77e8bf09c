//! Test support: an in-memory database, an issuer, callers, rules and times.
#![allow(
    dead_code,
    unreachable_pub,
    reason = "each test crate uses only a part of the module"
)]

pub mod api;
pub mod audit;
pub mod callers;
pub mod issuer;
pub mod memory_store;
pub mod oidc_tokens;
pub mod openapi;
pub mod rules;
pub mod sqlite;
pub mod time;
pub mod upstream_form;
