//! The local platform: its REST API, and the durability of its state.
#![expect(clippy::indexing_slicing, reason = "a missing element fails the test")]

mod access;
mod account_workers;
mod alarms;
mod doors;
mod durability;
mod envelope;
mod examples;
mod memory;
mod modules;
mod namespaces;
mod queues;
mod rejected_deploys;
mod scripts;
mod seeding;
mod single_asset_uploads;
mod supervisor;
mod unread_bodies;
mod wrangler_deploys;

use anyhow::Result;
use end_to_end::{Platform, typescript_tests};

/// The platform's tests in TypeScript use Cloudflare's SDK, static assets and Durable Objects.
#[end_to_end::test]
async fn the_typescript_tests_pass() -> Result<()> {
    typescript_tests(Platform::shared(), "local/tests/platform/*.test.ts").await
}
