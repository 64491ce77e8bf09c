//! Cloudflare's own SDK as a client, in a program beside this file.

use std::process::Stdio;

use anyhow::Result;
use dotdo_names::Environment;
use end_to_end::{Platform, repository};
use tokio::process::Command;

#[tokio::test]
async fn the_sdk_deploys_reads_changes_and_deletes() -> Result<()> {
    let platform = Platform::shared();
    let repository = repository();
    let output = Command::new(repository.join("node_modules/.bin/node"))
        .arg(repository.join("tests/local/sdk.mjs"))
        .arg(Environment::Development.namespace())
        .env("CLOUDFLARE_BASE_URL", platform.base_url())
        .env("CLOUDFLARE_API_TOKEN", platform.token())
        .env("CLOUDFLARE_ACCOUNT_ID", platform.account())
        .env("PLATFORM", format!("http://127.0.0.1:{}", platform.port()))
        .stdin(Stdio::null())
        .output()
        .await?;
    assert!(
        output.status.success(),
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    // What it left behind is served.
    let answer = platform.get("dev.by-sdk.do", "/").await?;
    assert_eq!(answer.text(), "left by the SDK");
    Ok(())
}
