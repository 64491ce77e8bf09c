//! The local platform's own tests, written in its language: clients of the REST API, Cloudflare's SDK among them, static
//! assets and Durable Objects.

use std::{env, process::Stdio};

use anyhow::Result;
use end_to_end::{Platform, repository};
use tokio::process::Command;

#[tokio::test]
async fn the_tests_in_typescript_pass() -> Result<()> {
    let platform = Platform::shared();
    let repository = repository();
    let programs = repository.join("node_modules/.bin");
    let path = env::var("PATH").unwrap_or_default();
    let output = Command::new(programs.join("node"))
        .args(["--test", "--test-concurrency=1", "local/tests/platform/*.test.ts"])
        .current_dir(&repository)
        .env("PATH", format!("{}:{path}", programs.display()))
        .env("CLOUDFLARE_API_BASE_URL", platform.base_url())
        .env("CLOUDFLARE_API_TOKEN", platform.token())
        .env("CLOUDFLARE_ACCOUNT_ID", platform.account())
        .stdin(Stdio::null())
        .output()
        .await?;
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success(),
        "{text}{}",
        String::from_utf8_lossy(&output.stderr)
    );
    // No file found is no success either.
    assert!(!text.contains("# tests 0") && text.contains("# pass"), "{text}");
    Ok(())
}
