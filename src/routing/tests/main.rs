//! Routing, seen from outside.
#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "what a test is built from may fail it, too"
)]

mod builtin;
mod captures;
mod conflicts;
mod corpus;
mod custom_hostnames;
mod documentation;
mod environments;
mod explanations;
mod hosts;
mod loading;
mod localhost;
mod locations;
mod outcome;
mod paths;
mod pitfalls;
mod random;
mod targets;

/// What must hold for any input: the same functions as the fuzz targets'.
#[path = "../../../fuzz/properties/routing/mod.rs"]
mod properties;
