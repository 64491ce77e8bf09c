//! The local platform: its REST API, and what it keeps.
#![expect(
    clippy::indexing_slicing,
    reason = "a test that does not find what it looks for has failed"
)]

mod access;
mod durability;
mod envelope;
mod modules;
mod namespaces;
mod own_clients;
mod refusals;
mod scripts;
mod wrangler_deploys;
