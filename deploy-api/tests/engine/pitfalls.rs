//! Regression tests for defects of deploys in an earlier build of this system. Each comment describes the defect.

use deploy_api::code::Code;
use deploy_api::deployments::WorkerUrls;
use deploy_api::ledger::calls;
use deploy_api::v1;
use futures_executor::block_on;
use serde_json::json;

use super::cloud::{Fault, REFUSED};
use super::platform::Platform;
use super::rollbacks::roll_back;
use super::support::callers::grant;
use super::wrangler_upload::Upload;

/// The schema dropped `version`, so that a versioned deploy overwrote the live one silently.
#[test]
fn pitfall_11_a_versioned_deploy_is_refused_and_never_overwrites_the_live_one() {
    let platform = Platform::new();
    let token = platform.alice("dotdo-staging");
    platform.deploy(&token, &Upload::of("live"));
    let (content_type, body) = Upload::of("next").form();
    for call in [
        "PUT S?version=2",
        "POST S/versions",
        "POST A/workers/scripts/agents/versions",
    ] {
        let answer = block_on(platform.ask(&token, call, &[("content-type", &content_type)], body.clone()));
        assert!(answer.status >= 400, "{call}");
    }
    assert_eq!(platform.serves("dotdo-staging").unwrap(), "live");
    // Unknown members are forwarded, not dropped.
    platform.deploy(&token, &Upload::of("next").with("version", json!("2")));
    let scripts = platform.cloud.scripts.borrow();
    assert_eq!(
        scripts.get("dotdo-staging/agents").unwrap().metadata["version"],
        "2"
    );
}

/// CI's payload omitted a required field, so that every such deploy was rejected.
#[test]
fn pitfall_12_a_minimal_upload_is_deployed() {
    let platform = Platform::new();
    let token = platform.run_token(&[]);
    assert_eq!(
        platform.deploy(&token, &Upload::of("1")).status,
        403,
        "without a rule"
    );
    let alice = platform.alice("dotdo-staging");
    let mut upload = Upload::of("1");
    upload.metadata = json!({ "main_module": "index.js" });
    let answer = platform.deploy(&alice, &upload);
    assert_eq!(answer.status, 200, "{}", answer.text());
}

/// Author and branch came from the body of the request.
#[test]
fn pitfall_13_provenance_belongs_to_the_token_and_not_to_the_body() {
    let rule = super::support::rules::with(
        super::support::rules::production(),
        "/namespaces",
        json!(["dotdo-production", "dotdo-staging"]),
    );
    let platform = Platform::with_rules(&[rule]);
    let token = platform.run_token(&[grant(&["dotdo-staging"], &["agents"], &["read", "deploy"])]);
    let upload = Upload::of("1")
        .with("author", json!("mallory"))
        .with("branch", json!("evil"))
        .with(
            "annotations",
            json!({ "workers/triggered_by": "mallory", "actor": "mallory", "sha": "0" }),
        );
    let answer = platform.deploy(&token, &upload);
    assert_eq!(answer.status, 200, "{}", answer.text());
    let identity = platform.deployments("dotdo-staging")[0]["identity"].clone();
    assert_eq!(identity["actor"], "octocat");
    assert_eq!(identity["ref"], "refs/heads/main");
    assert_eq!(identity["sha"], "0f9f3a6c3b4a1d2e5f60718293a4b5c6d7e8f901");
    assert_eq!(identity["run_id"], "42");
    let record = platform.record();
    assert!(record.iter().all(|entry| entry["identity"] == identity));
    assert!(!json!(record).to_string().contains("mallory"));
}

/// `bindings` was sent as an object, but the API requires an array, and the compatibility date was fixed.
#[test]
fn pitfall_14_bindings_are_a_list_and_the_compatibility_date_is_unchanged() {
    let platform = Platform::new();
    let token = platform.alice("dotdo-staging");
    let answer = platform.deploy(
        &token,
        &Upload::of("1").with("bindings", json!({ "A": { "type": "ai" } })),
    );
    assert_eq!(answer.codes(), [u64::from(Code::UploadMalformed.number())]);
    assert!(answer.text().contains("is not a list"), "{}", answer.text());
    let upload = Upload::of("1")
        .with("compatibility_date", json!("2026-03-04"))
        .bound(json!({ "type": "ai", "name": "AI" }));
    platform.deploy(&token, &upload);
    let scripts = platform.cloud.scripts.borrow();
    let metadata = &scripts.get("dotdo-staging/agents").unwrap().metadata;
    assert_eq!(metadata["compatibility_date"], "2026-03-04");
    assert_eq!(metadata["bindings"], json!([{ "type": "ai", "name": "AI" }]));
}

/// A failed audit write was swallowed, failed deploys were never recorded, and a database error listed as "no
/// deployments".
#[test]
fn pitfall_15_unrecorded_changes_fail_and_a_failing_database_is_an_error() {
    let platform = Platform::new();
    let token = platform.alice("dotdo-staging");
    platform.sql.fail_at("INSERT INTO audit");
    let answer = platform.deploy(&token, &Upload::of("1"));
    assert_eq!(answer.codes(), [u64::from(Code::RecordUnavailable.number())]);
    assert!(platform.cloud.changes().is_empty());
    platform.sql.heal();
    platform.cloud.fail_next(Fault::Answer(400, REFUSED));
    platform.deploy(&token, &Upload::of("1"));
    assert_eq!(platform.deployments("dotdo-staging")[0]["state"], "failed");
    assert_eq!(platform.history(), ["deploy intent", "deploy failed"]);
    platform.sql.fail_at("FROM deployments");
    let target = v1::target("dotdo-staging", "agents").unwrap();
    let problem = platform
        .access(|access, caller| {
            calls::deployments::list(access, caller, &target, &[], &WorkerUrls::default())
        })
        .unwrap_err();
    assert_eq!(problem.code, Code::RecordUnavailable);
}

/// Rollback updated a row and returned success without redeploying anything.
#[test]
fn pitfall_16_a_rollback_redeploys_and_fails_if_the_upload_fails() {
    let platform = Platform::new();
    let token = platform.alice("dotdo-staging");
    platform.deploy(&token, &Upload::of("one"));
    platform.deploy(&token, &Upload::of("two"));
    platform.cloud.fail_next(Fault::Answer(400, REFUSED));
    assert_eq!(roll_back(&platform, "").unwrap_err().code, Code::UpstreamRefused);
    assert_eq!(platform.serves("dotdo-staging").unwrap(), "two");
    assert_eq!(platform.deployments("dotdo-staging")[1]["serving"], true);
    let uploads = platform.cloud.scripts.borrow().uploads;
    roll_back(&platform, "").unwrap();
    assert_eq!(platform.cloud.scripts.borrow().uploads, uploads + 1);
    assert_eq!(platform.serves("dotdo-staging").unwrap(), "one");
}

/// One key deployed any service to any environment.
#[test]
fn pitfall_17_a_token_deploys_its_own_workers_to_its_own_namespaces_only() {
    let platform = Platform::new();
    let token = platform.token("alice", &[grant(&["dotdo-staging"], &["agents"], &["deploy"])]);
    assert_eq!(platform.deploy(&token, &Upload::of("1")).status, 200);
    assert_eq!(
        platform
            .deploy_to(&token, "dotdo-production", &Upload::of("1"))
            .status,
        403
    );
    let other = platform.call(
        &token,
        "PUT A/workers/dispatch/namespaces/dotdo-staging/scripts/other",
        "",
    );
    assert_eq!(other.status, 403);
    assert_eq!(platform.cloud.scripts.borrow().uploads, 1);
}

/// The actor was not recorded.
#[test]
fn pitfall_18_every_entry_has_the_identity() {
    let platform = Platform::new();
    let token = platform.alice("dotdo-staging");
    platform.deploy(&token, &Upload::of("1"));
    platform.deploy(&token, &Upload::of("2"));
    roll_back(&platform, "").unwrap();
    platform.deploy(&platform.token("mallory", &[]), &Upload::of("3"));
    let record = platform.record();
    assert_eq!(record.len(), 7);
    for entry in &record {
        let denied = entry["outcome"] == "denied";
        assert_eq!(
            entry["identity"]["subject"],
            if denied { "mallory" } else { "alice" }
        );
        assert_eq!(entry["authority"]["policy_version"], 1);
        assert_eq!(entry["authority"]["rule"].is_string(), !denied);
        assert_eq!(entry["client"]["address"], "192.0.2.1");
    }
    assert!(record[0]["token"].is_string());
}
