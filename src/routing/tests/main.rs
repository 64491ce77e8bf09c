//! Tests of the public API of routing.
#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a broken test setup may panic"
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

/// The properties that hold for any input: the fuzz targets check the same functions.
#[path = "../../../fuzz/properties/routing/mod.rs"]
mod properties;
