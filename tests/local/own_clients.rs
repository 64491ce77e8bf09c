//! The local platform's own tests, written in its language: clients of the REST API, Cloudflare's SDK among them, static
//! assets and Durable Objects.

use std::time::Duration;

use anyhow::Result;
use end_to_end::{Command, Platform};

#[end_to_end::test]
async fn the_tests_in_typescript_pass() -> Result<()> {
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
    // No file found is no success either.
    assert!(!text.contains("# tests 0") && text.contains("# pass"), "{text}");
    Ok(())
}
