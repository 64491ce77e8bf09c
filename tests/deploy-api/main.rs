//! The deploy API's Worker on the real runtime: what only shows there.
#![expect(
    clippy::indexing_slicing,
    reason = "a test that does not find what it looks for has failed"
)]

mod bodies;
mod misconfigured;
mod traps;
