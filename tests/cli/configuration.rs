//! `check`.

use anyhow::Result;
use end_to_end::{Command, Project};
use serde_json::{Value, json};

use crate::program::assert_contains;

#[end_to_end::test]
async fn names_what_a_namespace_does_not_support() -> Result<()> {
    let project = Project::new("checked")?;
    let folder = project.folder().display().to_string();
    let good = Command::dotdo(&["check", &folder])?.run().await?;
    assert_eq!(good.code, Some(0), "{}{}", good.output, good.errors);
    let project = project
        .setting("triggers", json!({ "crons": ["* * * * *"] }))?
        .setting("kv_namespaces", json!([{ "binding": "KV" }]))?;
    let folder = project.folder().display().to_string();
    let bad = Command::dotdo(&["check", &folder])?.run().await?;
    assert_eq!(bad.code, Some(1), "{}", bad.output);
    assert_contains(
        &bad.output,
        &[
            "error",
            "triggers.crons",
            "cron triggers",
            "warning",
            "kv_namespaces[0]",
            "Remove it.",
        ],
    );
    let findings = Command::dotdo(&["check", &folder, "--json"])?.run().await?;
    let findings: Value = serde_json::from_str(&findings.output)?;
    assert_eq!(findings["findings"][0]["code"], "TRIGGER_DROPPED", "{findings}");
    assert_eq!(findings["name"], "checked", "{findings}");
    assert_eq!(findings["main"], "index.js", "{findings}");
    let none = Command::dotdo(&["check", "/does/not/exist"])?.run().await?;
    assert_eq!(none.code, Some(2), "{}", none.errors);
    Ok(())
}
