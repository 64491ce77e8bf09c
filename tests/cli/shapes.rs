//! The shape of each command's `--json`: its members and their types, as snapshots. `INSTA_UPDATE=always` writes them again.

use std::collections::BTreeMap;

use anyhow::Result;
use dotdo_names::Environment::{Production, Staging};
use end_to_end::{Project, Script};
use serde_json::{Map, Value, json};
use tempfile::TempDir;

use crate::program::{deploy, dotdo, json as of, platform};

/// A value with the names of types in place of texts, numbers and booleans. A list has the shape of all its items.
fn shape(value: &Value) -> Value {
    match value {
        Value::Null => json!("null"),
        Value::Bool(_) => json!("boolean"),
        Value::Number(_) => json!("number"),
        Value::String(_) => json!("text"),
        Value::Array(items) => Value::Array(items.iter().map(shape).reduce(merge).into_iter().collect()),
        Value::Object(members) => members
            .iter()
            .map(|(name, member)| (name.clone(), shape(member)))
            .collect::<Map<_, _>>()
            .into(),
    }
}

/// The shape of two items of a list. A member that only one of them has is marked.
fn merge(one: Value, other: Value) -> Value {
    match (one, other) {
        (Value::Object(one), Value::Object(other)) => {
            let mut all: BTreeMap<String, Value> = BTreeMap::new();
            for (name, member) in &one {
                let merged = other.get(name).map(|other| merge(member.clone(), other.clone()));
                all.insert(name.clone(), merged.unwrap_or_else(|| member.clone()));
            }
            all.extend(other.into_iter().filter(|(name, _)| !one.contains_key(name)));
            all.into_iter().collect::<Map<_, _>>().into()
        }
        (Value::Array(one), Value::Array(other)) => {
            Value::Array(one.into_iter().chain(other).reduce(merge).into_iter().collect())
        }
        (Value::String(null), other) | (other, Value::String(null)) if null == "null" => other,
        (one, _) => one,
    }
}

pub fn assert_shape(name: &str, value: &Value) {
    let text = serde_json::to_string_pretty(&shape(value)).expect("JSON");
    insta::with_settings!({ prepend_module_to_snapshot => false, omit_expression => true }, {
        insta::assert_snapshot!(name, text);
    });
}

#[end_to_end::test]
async fn of_reads() -> Result<()> {
    let script = Script::answering("1").with(
        "annotations",
        json!({ "workers/message": "a message", "workers/tag": "1.0" }),
    );
    platform().deploy(Staging, "shaped", &script).await?;
    let worker = ["shaped", "--env", "staging"];
    let with = |command: &[&'static str]| [command, &worker].concat();
    of(&[&with(&["tags", "set"])[..], &["a"]].concat()).await?;
    for (name, arguments) in [
        ("whoami", vec!["whoami"]),
        ("workers", vec!["workers", "staging", "--tag", "a"]),
        ("deployments", vec!["deployments", "shaped"]),
        ("tags", with(&["tags", "list"])),
        ("health-check", with(&["health", "check"])),
        ("policy-versions", vec!["policy", "versions"]),
        ("audit-list", vec!["audit", "list", "shaped", "--verb", "deploy"]),
        ("audit-verify", vec!["audit", "verify"]),
        ("audit-checkpoint", vec!["audit", "checkpoint"]),
        ("doctor", vec!["doctor"]),
        ("route", vec!["route", "https://staging.shaped.do/x"]),
        ("policy-explain", vec!["policy", "explain", "read"]),
    ] {
        assert_shape(name, &of(&arguments).await?);
    }
    let shown = of(&["worker", "shaped"]).await?;
    assert_shape("worker", &shown["environments"][1]);
    let status = of(&["status"]).await?;
    let mut namespace = status["namespaces"][0].clone();
    // Other tests lock Workers and change the numbers.
    for list in ["locks", "unhealthy", "drifts", "open_intents"] {
        namespace[list] = json!([]);
    }
    assert_shape("status", &namespace);
    Ok(())
}

#[end_to_end::test]
async fn of_changes() -> Result<()> {
    deploy(Staging, "reshaped", &["1", "2"]).await?;
    deploy(Production, "reshaped", &["0"]).await?;
    let in_staging = ["reshaped", "--env", "staging"];
    let with = |command: &[&'static str], more: &[&'static str]| [command, &in_staging, more].concat();
    for (name, arguments) in [
        ("rollback-dry-run", with(&["rollback"], &["--dry-run"])),
        ("rollback", with(&["rollback"], &[])),
        (
            "promote-dry-run",
            vec!["promote", "reshaped", "--env", "production", "--dry-run"],
        ),
        (
            "promote",
            vec!["promote", "reshaped", "--env", "production", "--yes"],
        ),
        ("lock", with(&["lock"], &["--why", "a reason", "--until", "1h"])),
        ("unlock", with(&["unlock"], &[])),
        (
            "health-set",
            with(
                &["health", "set"],
                &["--path", "/", "--proof-header", "x-version: {tag}"],
            ),
        ),
        ("health-remove", with(&["health", "remove"], &[])),
        ("delete-dry-run", with(&["delete"], &["--dry-run"])),
        ("delete", with(&["delete"], &[])),
        (
            "tokens-create",
            vec![
                "tokens",
                "create",
                "developer",
                "--allow",
                "read",
                "--expires",
                "1h",
            ],
        ),
    ] {
        assert_shape(name, &of(&arguments).await?);
    }
    Ok(())
}

#[end_to_end::test]
async fn of_files_and_errors() -> Result<()> {
    let folder = TempDir::with_prefix("dotdo-shapes-")?;
    let export = folder.path().join("export").display().to_string();
    assert_shape("audit-export", &of(&["audit", "export", &export]).await?);
    let log = format!("{export}/log.ndjson");
    assert_shape(
        "audit-verify-offline",
        &of(&["audit", "verify", "--log", &log]).await?,
    );
    let project = Project::new("shape-checked")?.setting("kv_namespaces", json!([{ "binding": "KV" }]))?;
    assert_shape(
        "check",
        &of(&["check", &project.folder().display().to_string()]).await?,
    );
    let failed = dotdo(&["delete", "never-deployed", "--env", "staging", "--json"])?
        .run()
        .await?;
    assert_eq!(failed.code, Some(1));
    assert_shape("error", &serde_json::from_str(&failed.errors)?);
    Ok(())
}
