//! The audit entries of static assets.

use deploy_api::code::Code;
use serde_json::json;

use super::assets::{INDEX, deploy, send};
use super::cloud::Fault;
use super::platform::{Answered, Platform};
use super::wrangler_upload::Upload;

/// Begins a session for a page of staging's agents.
fn begin(platform: &Platform, token: &str) -> Answered {
    let manifest = json!({ "manifest": { "/index.html": { "hash": INDEX, "size": 3 } } });
    platform.call(token, "POST S/assets-upload-session", &manifest.to_string())
}

#[test]
fn a_session_is_recorded_with_a_digest_a_count_and_a_total() {
    let platform = Platform::new();
    let token = platform.alice("dotdo-staging");
    deploy(&platform, &token, "dotdo-staging", INDEX, b"one");
    assert_eq!(
        platform.history(),
        [
            "asset_session intent",
            "asset_session succeeded",
            "deploy intent",
            "deploy succeeded"
        ]
    );
    let record = platform.record();
    for entry in &record[..2] {
        assert_eq!(entry["identity"]["subject"], "alice", "{entry}");
        assert_eq!(entry["authority"]["rule"], "alice", "{entry}");
        assert_eq!(entry["worker"], "agents", "{entry}");
        assert_eq!(entry["token"], record[2]["token"], "{entry}");
    }
    let subject = &record[0]["subject"];
    assert_eq!((&subject["files"], &subject["bytes"]), (&json!(1), &json!(3)));
    let key = format!("assets/manifests/{}", subject["manifest"].as_str().unwrap());
    assert!(platform.cloud.stored.object(&key).is_some());
    assert_eq!(record[1]["intent"], record[0]["sequence"]);
    assert!(record[1]["upstream"]["status"].is_u64());
    platform.assert_reconciled();
}

#[test]
fn without_an_intent_no_session_is_opened_upstream() {
    let platform = Platform::new();
    let token = platform.alice("dotdo-staging");
    platform.sql.fail_at("INSERT INTO audit ");
    assert_eq!(
        begin(&platform, &token).codes(),
        [u64::from(Code::RecordUnavailable.number())]
    );
    assert!(platform.cloud.seen.borrow().is_empty());
}

#[test]
fn denied_and_failed_sessions_are_recorded() {
    let platform = Platform::new();
    let token = platform.token("bob", &[]);
    assert_eq!(begin(&platform, &token).status, 403);
    let alice = platform.alice("dotdo-staging");
    platform.call(&alice, "POST S/assets-upload-session", "no manifest");
    platform.cloud.fail_next(Fault::Answer(500, "{}"));
    begin(&platform, &alice);
    assert_eq!(
        platform.history(),
        [
            "asset_session denied",
            "asset_session denied",
            "asset_session intent",
            "asset_session failed",
        ]
    );
    let codes: Vec<_> = platform
        .record()
        .iter()
        .filter_map(|entry| entry["reason"]["code"].as_str().map(str::to_owned))
        .collect();
    assert_eq!(
        codes,
        ["PERMISSION_DENIED", "UPLOAD_MALFORMED", "UPSTREAM_UNAVAILABLE"]
    );
    platform.assert_reconciled();
}

#[test]
fn assets_that_cannot_be_read_or_stored_are_refused() {
    let platform = Platform::new();
    let alice = platform.alice("dotdo-staging");
    let session = begin(&platform, &alice);
    let jwt = session.body["result"]["jwt"].as_str().unwrap();
    let malformed = send(&platform, jwt, &[("no-hash", b"one")]);
    assert_eq!(malformed.codes(), [u64::from(Code::UploadMalformed.number())]);
    platform.cloud.store_fails.set(true);
    let unavailable = send(&platform, jwt, &[(INDEX, b"one")]);
    assert_eq!(
        unavailable.codes(),
        [u64::from(Code::BundleStoreUnavailable.number())]
    );
    let uploads = platform.cloud.seen.borrow();
    assert!(!uploads.iter().any(|seen| seen.line.contains("/assets/upload")));
}

#[test]
fn an_interrupted_session_does_not_block_deploys_and_is_closed_later() {
    let platform = Platform::new();
    let token = platform.alice("dotdo-staging");
    {
        let manifest = json!({ "manifest": { "/index.html": { "hash": INDEX, "size": 3 } } });
        let call = "POST S/assets-upload-session";
        let body = manifest.to_string().into_bytes();
        let mut asking = std::pin::pin!(platform.ask(&token, call, &[], body));
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        while platform.history().is_empty() {
            assert!(asking.as_mut().poll(&mut context).is_pending());
        }
        assert_eq!(platform.deploy(&token, &Upload::of("1")).status, 200);
        assert_eq!(platform.reconcile(), 1);
    }
    platform.cloud.pass(100);
    assert_eq!(platform.reconcile(), 0);
    assert_eq!(platform.history().last().unwrap(), "asset_session failed");
    platform.assert_reconciled();
}
