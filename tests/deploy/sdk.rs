//! Cloudflare's TypeScript SDK as a client of the deploy API.

use anyhow::Result;
use dotdo_names::Environment::Staging;
use end_to_end::Command;
use serde_json::{Value, json};

use crate::platforms::{platform, text};

/// Runs the program with the SDK.
async fn run(name: &str, token: &str, deletes: bool) -> Result<Value> {
    let platform = platform();
    let finished = Command::node(&["tests/deploy/sdk.mjs", name, Staging.namespace()])
        .variable("CLOUDFLARE_API_BASE_URL", platform.base_url())
        .variable("CLOUDFLARE_API_TOKEN", token)
        .variable("CLOUDFLARE_ACCOUNT_ID", platform.account())
        .variable("DELETE", if deletes { "true" } else { "false" })
        .run()
        .await?;
    anyhow::ensure!(finished.succeeded, "the SDK failed: {}", finished.errors);
    Ok(serde_json::from_str(&finished.output)?)
}

#[end_to_end::test]
async fn deploys_reads_and_deletes() -> Result<()> {
    let platform = platform();
    let name = "by-the-sdk";
    let result = run(name, platform.token(), false).await?;
    assert_eq!(text(platform, Staging, name).await?, "of the SDK");
    assert_eq!(result["deployed"], name);
    assert_eq!(result["script"], name);
    let bindings = json!([
        { "type": "plain_text", "name": "MODE", "text": "of the SDK" },
        { "type": "secret_text", "name": "KEY" }
    ]);
    assert_eq!(result["bindings"], bindings);
    assert_eq!(result["settings"]["bindings"], bindings);
    assert_eq!(result["settings"]["compatibility_date"], "2026-10-19");
    assert_eq!(result["settings"]["tags"], json!(["sdk"]));
    assert_eq!(result["tags"], json!(["sdk"]));
    assert_eq!(
        result["secrets"],
        json!([{ "type": "secret_text", "name": "KEY" }])
    );
    assert_eq!(result["changed"], json!(["KEY", "TWO"]));
    assert!(!result.to_string().contains("hunter2"));
    let deployments = platform.deploy_api().deployments(Staging, name).await?;
    assert_eq!(deployments.len(), 1, "{deployments:?}");

    let deleted = run("by-the-sdk-too", platform.token(), true).await?;
    assert_eq!(deleted["absent"], 10092, "{deleted}");
    let entries = platform
        .deploy_api()
        .audit("worker=by-the-sdk-too&verb=delete")
        .await?;
    assert_eq!(entries.len(), 2, "the intent and the outcome: {entries:?}");
    Ok(())
}
