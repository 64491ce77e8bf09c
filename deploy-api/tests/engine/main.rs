//! The wrangler gateway and the deploy engine, with a real SQLite database and a test double for every external service.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "what a test is built from may fail it, too"
)]

#[path = "../support/mod.rs"]
mod support;

mod cloud;
mod platform;
mod scripts;
mod wrangler_upload;

mod account_deploys;
mod archive;
mod asset_records;
mod assets;
mod authority;
mod call_budget;
mod deployment_previews;
mod deploys;
mod drift;
mod environment_suffix;
mod exports;
mod faults;
mod garbage;
mod hanging_store;
mod health_check_retries;
mod health_checks;
mod health_proofs;
mod hostile_uploads;
mod imports;
mod lints;
mod locks;
mod lost_answers;
mod marked_secret;
mod messages;
mod migrations;
mod overviews;
mod pending_health_checks;
mod pitfalls;
mod previews;
mod promotions;
mod recent_deployments;
mod reconciler;
mod redeployed_bindings;
mod rollbacks;
mod sdk_calls;
mod secrets;
mod service_bindings;
mod slow_bodies;
mod staging;
mod state_machine;
mod wrangler_calls;
