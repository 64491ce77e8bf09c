//! Static assets: session tokens, manifests, buckets, and uploads of files that are stored.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a failure in a test's own code fails the test"
)]

#[path = "../support/memory_store.rs"]
#[allow(
    dead_code,
    unreachable_pub,
    reason = "each test crate uses only a part of the module"
)]
mod memory_store;
#[path = "../support/upstream_form.rs"]
#[allow(
    dead_code,
    unreachable_pub,
    reason = "each test crate uses only a part of the module"
)]
mod upstream_form;

mod buckets;
mod deploys;
mod manifests;
mod redeploys;
mod session_tokens;
mod single_files;
mod wrangler;
