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

use std::time::Duration;

use anyhow::Result;
use end_to_end::{Command, Platform};

/// The platform's tests in TypeScript use Cloudflare's SDK, static assets and Durable Objects.
#[end_to_end::test]
async fn the_typescript_tests_pass() -> Result<()> {
    let platform = Platform::shared();
    let finished = Command::node(&["--test", "--test-concurrency=1", "local/tests/platform/*.test.ts"])
        .variable("CLOUDFLARE_API_BASE_URL", platform.base_url())
        .variable("CLOUDFLARE_API_TOKEN", platform.token())
        .variable("CLOUDFLARE_ACCOUNT_ID", platform.account())
        .limit(Duration::from_mins(8))
        .run()
        .await?;
    let text = &finished.output;
    assert!(finished.succeeded, "{text}{}", finished.errors);
    // Node exits with 0 even if it finds no test file.
    assert!(!text.contains("# tests 0") && text.contains("# pass"), "{text}");
    Ok(())
}
