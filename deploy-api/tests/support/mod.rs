//! What several tests need: a database in memory, an issuer, callers and times.
#![allow(dead_code, unreachable_pub, reason = "each test crate uses a part of it")]

pub mod api;
pub mod callers;
pub mod issuer;
pub mod oidc_tokens;
pub mod rules;
pub mod sqlite;
pub mod time;
