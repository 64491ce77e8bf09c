//! The deploy API, from stock wrangler in front of it to the dispatch Worker behind it.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "what a test is built from may fail it, too"
)]

mod audit;
mod bundle_store;
mod deletion;
mod faults;
mod hostile_paths;
mod hostile_tokens;
mod hostile_uploads;
mod keyless;
mod kills;
mod lints;
mod lockout;
mod locks;
mod order;
mod pitfalls;
mod platforms;
mod promotion;
mod retries;
mod rollback;
mod secrecy;
mod size;
mod verification;
mod wrangler_commands;
mod wrangler_deploys;
mod wrangler_requests;
