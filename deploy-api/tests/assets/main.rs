//! Static assets: session tokens, manifests, buckets, and uploads of files that are stored.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a failure in a test's own code fails the test"
)]

mod buckets;
mod deploys;
mod manifests;
mod redeploys;
mod session_tokens;
mod wrangler;
