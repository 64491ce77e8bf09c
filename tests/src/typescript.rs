//! The tests of the local platform in TypeScript, which run on Node.

use std::time::Duration;

use anyhow::{Result, ensure};

use crate::{Command, Platform};

/// Runs the tests of these files, a pattern from the root of the repository, against a platform.
///
/// # Errors
/// When one fails, or no file has the pattern; the error contains their output.
pub async fn typescript_tests(platform: &Platform, files: &str) -> Result<()> {
    let finished = Command::node(&["--test", "--test-concurrency=1", files])
        .variable("CLOUDFLARE_API_BASE_URL", platform.base_url())
        .variable("CLOUDFLARE_API_TOKEN", platform.token())
        .variable("CLOUDFLARE_ACCOUNT_ID", platform.account())
        .limit(Duration::from_mins(8))
        .run()
        .await?;
    let text = &finished.output;
    ensure!(finished.succeeded, "{text}{}", finished.errors);
    // Node exits with 0 even if it finds no test file.
    ensure!(!text.contains("# tests 0") && text.contains("# pass"), "{text}");
    Ok(())
}
