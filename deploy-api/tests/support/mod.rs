//! What several tests need: a database in memory, callers and times.
#![allow(dead_code, unreachable_pub, reason = "each test crate uses a part of it")]

pub mod callers;
pub mod sqlite;
pub mod time;
