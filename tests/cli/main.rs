//! `dotdo` end to end: each command against one running platform, as people and programs run it.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "test support fails the test"
)]

mod access;
mod audit;
mod changes;
mod configuration;
mod credentials;
mod killed;
mod logs;
mod migrate;
mod previews;
mod program;
mod restarts;
mod setup;
mod shapes;
mod workers;
