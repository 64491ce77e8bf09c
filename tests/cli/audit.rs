//! `audit`.

use std::fs;

use anyhow::{Context, Result};
use dotdo_names::Environment::Staging;
use end_to_end::Command;
use serde_json::Value;
use tempfile::TempDir;

use crate::program::{assert_contains, deploy, fails, json, succeeds};

#[end_to_end::test]
async fn lists_entries_with_filters() -> Result<()> {
    deploy(Staging, "audited", &["1"]).await?;
    let text = succeeds(&[
        "audit", "list", "audited", "--env", "staging", "--verb", "deploy", "--since", "1h",
    ])
    .await?;
    assert_contains(
        &text,
        &[
            "ENTRY",
            "deploy",
            "succeeded",
            "intent",
            "audited",
            "developer",
            "developer-of-this-machine",
        ],
    );
    assert_eq!(text.lines().count(), 3, "{text}");
    let entries = json(&[
        "audit",
        "list",
        "audited",
        "--outcome",
        "succeeded",
        "--limit",
        "1",
    ])
    .await?;
    assert_eq!(entries["items"][0]["entry"]["verb"], "deploy", "{entries}");
    assert_contains(
        &succeeds(&["audit", "verify"]).await?,
        &["The log is intact: entries 1 to "],
    );
    fails(2, &["audit", "list", "--verb", "dance"]).await?;
    Ok(())
}

#[end_to_end::test]
async fn an_exported_log_is_verified_without_the_deploy_api() -> Result<()> {
    deploy(Staging, "exported", &["1"]).await?;
    let folder = TempDir::with_prefix("dotdo-audit-")?;
    let at = |name: &str| folder.path().join(name).display().to_string();
    let checkpoint = succeeds(&["audit", "checkpoint"]).await?;
    fs::write(at("checkpoint.json"), &checkpoint)?;
    let checkpoint: Value = serde_json::from_str(&checkpoint)?;
    let key = checkpoint["key"].as_str().context("the checkpoint has no key")?;
    deploy(Staging, "exported", &["2"]).await?;
    let exported = json(&["audit", "export", &at("export")]).await?;
    assert!(exported["entries"].as_u64() > Some(0), "{exported}");
    // The command can be repeated.
    succeeds(&["audit", "export", &at("export")]).await?;

    let log = at("export/log.ndjson");
    let arguments = [
        "audit",
        "verify",
        "--log",
        &log,
        "--checkpoint",
        &at("checkpoint.json"),
        "--key",
        key,
    ];
    let valid = Command::dotdo(&arguments)?.run().await?;
    assert_eq!(valid.code, Some(0), "{}", valid.errors);
    assert_contains(&valid.output, &["The log is intact", "Later entries"]);
    let text = fs::read_to_string(&log)?;
    fs::write(
        &log,
        text.replacen("\"worker\":\"exported\"", "\"worker\":\"replaced\"", 1),
    )?;
    let broken = Command::dotdo(&arguments)?.run().await?;
    assert_eq!(broken.code, Some(1), "{}", broken.output);
    assert_contains(&broken.errors, &["broken at entry"]);
    fails(2, &["audit", "verify", "--key", key]).await?;
    fails(2, &["audit", "verify", "--log", &log, "--key", "61d5"]).await?;
    let missing = fails(2, &["audit", "verify", "--log", "/does/not/exist"]).await?;
    assert_contains(
        &missing.errors,
        &["/does/not/exist cannot be read", "dotdo audit export"],
    );
    Ok(())
}
