//! The tables, with the very statements that run in the Durable Object.

#[path = "../support/mod.rs"]
mod support;

mod audit_log;
mod lockouts;
mod policies;
mod replays;
mod tokens;
mod transactions;
