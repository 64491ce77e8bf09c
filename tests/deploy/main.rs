//! The deploy API end to end: stock wrangler deploys through it, and the dispatch Worker serves the result.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "test support fails the test"
)]

mod audit;
mod base_urls;
mod call_budget;
mod concurrent_deploys;
mod credentials;
mod documentation;
mod drift;
mod exports;
mod faults;
mod foreign_pages;
mod github;
mod github_workflows;
mod health_checks;
mod hostile_paths;
mod hostile_tokens;
mod keyless;
mod large_uploads;
mod lints;
mod locks;
mod logs;
mod markdown;
mod other_ci;
mod pitfalls;
mod platforms;
mod policy_lock_out;
mod readers;
mod records;
mod redeployed_bindings;
mod redeploys;
mod required_secrets;
mod resources;
mod retries;
mod secrecy;
mod service_bindings;
mod single_asset_uploads;
mod typescript_sdk;
mod uploads;
mod verification;
mod workflow;
mod wrangler_action;
mod wrangler_bindings;
mod wrangler_commands;
mod wrangler_deploys;
mod wrangler_requests;
mod wrangler_sessions;
