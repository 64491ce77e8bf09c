//! The audit log: it is complete, and a third party can verify it with the public key.

use std::fs;

use anyhow::{Context, Result};
use dotdo_names::Environment::{Production, Staging};
use end_to_end::{Command, Platform, Script, dotdo, worker_path};
use reqwest::Method;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::hostile_tokens::unknown_token;
use crate::platforms::platform;

#[end_to_end::test]
async fn records_the_intent_before_the_outcome_with_its_details() -> Result<()> {
    let platform = platform();
    let script = Script::answering("recorded")
        .with_text("MODE", "x")
        .with_binding(json!({ "type": "secret_text", "name": "KEY", "text": "hidden" }));
    let answer = platform.deploy(Production, "recorded", &script).await?;
    let entries = platform
        .deploy_api()
        .audit("namespace=dotdo-production&worker=recorded")
        .await?;
    let [intent, outcome] = entries.as_slice() else {
        anyhow::bail!("{entries:?}");
    };
    assert_eq!(intent["outcome"], "intent");
    assert_eq!(outcome["outcome"], "succeeded");
    assert_eq!(outcome["intent"], intent["sequence"]);
    for entry in [intent, outcome] {
        assert_eq!(entry["verb"], "deploy");
        assert_eq!(entry["namespace"], "dotdo-production");
        assert_eq!(entry["deployment"], answer["deployment_id"]);
        assert_eq!(entry["identity"]["subject"], "developer");
        assert!(entry["token"].is_string(), "{entry}");
        assert!(entry["authority"]["rule"].is_string(), "{entry}");
        assert!(entry["client"]["request_id"].is_string(), "{entry}");
    }
    let bundle = &intent["bundle"];
    assert_eq!(bundle["compatibility_date"], "2026-01-01");
    assert_eq!(bundle["modules"][0]["name"], "index.js");
    assert_eq!(bundle["modules"][0]["sha256"].as_str().map(str::len), Some(64));
    assert_eq!(
        bundle["bindings"],
        json!([{ "name": "MODE", "type": "plain_text" }, { "name": "KEY", "type": "secret_text" }])
    );
    assert_eq!(outcome["upstream"]["status"], 200);
    Ok(())
}

#[end_to_end::test]
async fn records_a_failed_authentication() -> Result<()> {
    let platform = platform();
    let client = "192.0.2.77";
    platform
        .anonymous(Method::GET, "/v1/namespaces")
        .header("CF-Connecting-IP", client)
        .bearer_auth(unknown_token(77))
        .send()
        .await?;
    let entries = platform
        .deploy_api()
        .audit(&format!("client={client}&verb=authenticate"))
        .await?;
    assert_eq!(entries.len(), 1, "{entries:?}");
    assert_eq!(entries[0]["outcome"], "denied");
    Ok(())
}

/// Exports the whole log as NDJSON, page by page.
async fn export(platform: &Platform) -> Result<String> {
    let api = platform.deploy_api();
    let mut text = String::new();
    let mut next = Some("/v1/audit?format=ndjson&order=oldest&limit=1000".to_owned());
    while let Some(path) = next {
        let answer = api.send(Method::GET, &path, None).await?;
        anyhow::ensure!(answer.status == 200, "{}", answer.text());
        text.push_str(&answer.text());
        next = answer
            .header("link")
            .strip_prefix('<')
            .and_then(|link| link.split_once('>'))
            .map(|(path, _)| path.to_owned());
    }
    Ok(text)
}

/// Runs `dotdo audit verify`. Returns whether it accepts the log, and its output.
async fn audit_verify(log: &str, checkpoint: &Value) -> Result<(bool, String)> {
    let folder = TempDir::with_prefix("dotdo-audit-")?;
    let log_file = folder.path().join("audit.ndjson");
    let checkpoint_file = folder.path().join("checkpoint.json");
    fs::write(&log_file, log)?;
    fs::write(&checkpoint_file, checkpoint.to_string())?;
    let mut command = std::process::Command::new(dotdo()?);
    command
        .args(["audit", "verify"])
        .arg("--log")
        .arg(&log_file)
        .arg("--checkpoint")
        .arg(&checkpoint_file)
        .args([
            "--key",
            checkpoint["key"].as_str().context("the checkpoint has no key")?,
        ]);
    let finished = Command::of(command).run().await?;
    Ok((finished.succeeded, finished.output + &finished.errors))
}

#[end_to_end::test]
async fn audit_verify_rejects_a_changed_log() -> Result<()> {
    let platform = platform();
    platform.deploy(Staging, "proof", &Script::answering("x")).await?;
    let api = platform.deploy_api();
    let checkpoint = api.get("/v1/audit/checkpoint").await?;
    platform
        .deploy(Staging, "proof", &Script::answering("later"))
        .await?;
    let log = export(platform).await?;
    let (valid, output) = audit_verify(&log, &checkpoint).await?;
    assert!(valid, "{output}");

    let changed = log.replacen("\"worker\":\"proof\"", "\"worker\":\"prooF\"", 1);
    assert_ne!(changed, log);
    let (valid, output) = audit_verify(&changed, &checkpoint).await?;
    assert!(!valid, "{output}");
    let (_, without_first) = log.split_once('\n').context("the log has only one entry")?;
    assert!(
        !audit_verify(without_first, &checkpoint).await?.0,
        "`dotdo audit verify` accepts a log without its first entry"
    );
    Ok(())
}

#[end_to_end::test]
async fn verifies_the_hash_chain() -> Result<()> {
    let verification = platform().deploy_api().get("/v1/audit/verify").await?;
    assert_eq!(verification["whole"], true, "{verification}");
    assert!(verification["size"].as_u64() > Some(0), "{verification}");
    Ok(())
}

#[end_to_end::test]
async fn a_token_for_one_worker_reads_only_that_worker() -> Result<()> {
    let platform = platform();
    let api = platform.deploy_api();
    let grant =
        json!({ "namespaces": ["dotdo-staging"], "workers": ["mine"], "actions": ["read", "deploy"] });
    let mut rule = grant.clone();
    rule["name"] = json!("bob");
    rule["who"] = json!({ "token": "bob" });
    api.allow(rule).await?;
    let expires = jiff::Timestamp::now() + jiff::SignedDuration::from_hours(1);
    let token = api
        .make_token("bob", &json!([grant]), &expires.to_string())
        .await?;
    let bob = platform.deploy_api_as(&token);
    for path in [
        "/v1/audit?namespace=dotdo-production",
        "/v1/audit?namespace=dotdo-staging&worker=proof",
        "/v1/audit/verify",
        "/v1/policy",
        "/v1/tokens",
    ] {
        let answer = bob.send(Method::GET, path, None).await?;
        assert_eq!(answer.status, 403, "{path}: {}", answer.text());
    }
    let other_worker = bob
        .send(
            Method::GET,
            &format!("{}/deployments", worker_path(Staging, "proof")),
            None,
        )
        .await?;
    assert_eq!(other_worker.status, 403, "{}", other_worker.text());
    bob.get("/v1/audit?namespace=dotdo-staging&worker=mine").await?;
    Ok(())
}
