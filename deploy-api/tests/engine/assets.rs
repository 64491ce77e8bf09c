use data_encoding::BASE64;
use deploy_api::code::Code;
use deploy_api::deployments::Swept;
use futures_executor::block_on;
use serde_json::json;

use super::cloud::Fault;
use super::platform::{Answered, Platform};
use super::promotions::promote;
use super::rollbacks::roll_back;
use super::wrangler_upload::Upload;

const INDEX: &str = "00112233445566778899aabbccddeeff";
const STYLE: &str = "ffeeddccbbaa99887766554433221100";

/// Sends files as wrangler does, under a session's token.
fn send(platform: &Platform, jwt: &str, files: &[(&str, &[u8])]) -> Answered {
    let mut body = String::new();
    for (hash, content) in files {
        body.push_str("--b\r\nContent-Disposition: form-data; name=\"");
        body.push_str(hash);
        body.push_str("\"; filename=\"");
        body.push_str(hash);
        body.push_str("\"\r\nContent-Type: text/html\r\n\r\n");
        body.push_str(&BASE64.encode(content));
        body.push_str("\r\n");
    }
    body.push_str("--b--\r\n");
    block_on(platform.ask(
        jwt,
        "POST A/workers/assets/upload?base64=true",
        &[("content-type", "multipart/form-data; boundary=b")],
        body.into_bytes(),
    ))
}

/// Begins a session for a page of staging's agents.
fn begin(platform: &Platform, token: &str) -> Answered {
    let manifest = json!({ "manifest": { "/index.html": { "hash": INDEX, "size": 3 } } });
    platform.call(token, "POST S/assets-upload-session", &manifest.to_string())
}

/// Deploys a page as wrangler does: a session, the files that are missing, the upload.
fn deploy(platform: &Platform, token: &str, namespace: &str, hash: &str, content: &[u8]) -> Answered {
    let manifest = json!({ "manifest": { "/index.html": { "hash": hash, "size": content.len() } } });
    let call = format!("POST A/workers/dispatch/namespaces/{namespace}/scripts/agents/assets-upload-session");
    let session = platform.call(token, &call, &manifest.to_string());
    assert_eq!(session.status, 200, "{}", session.text());
    let result = &session.body["result"];
    let mut jwt = result["jwt"].as_str().unwrap().to_owned();
    if result["buckets"] != json!([]) {
        let sent = send(platform, &jwt, &[(hash, content)]);
        assert_eq!(sent.status, 201, "{}", sent.text());
        sent.body["result"]["jwt"].as_str().unwrap().clone_into(&mut jwt);
    }
    let assets = json!({ "jwt": jwt, "config": { "html_handling": "none" } });
    let upload = Upload::of(&format!("page {hash}")).with("assets", assets);
    platform.deploy_to(token, namespace, &upload)
}

fn page(platform: &Platform, namespace: &str) -> Vec<u8> {
    let scripts = platform.cloud.scripts.borrow();
    scripts.get(&format!("{namespace}/agents")).unwrap().assets["/index.html"].clone()
}

#[test]
fn static_assets_are_deployed_and_rolled_back() {
    let platform = Platform::new();
    let token = platform.alice("dotdo-staging");
    assert_eq!(
        deploy(&platform, &token, "dotdo-staging", INDEX, b"one").status,
        200
    );
    assert_eq!(
        deploy(&platform, &token, "dotdo-staging", STYLE, b"two").status,
        200
    );
    roll_back(&platform, "").unwrap();
    assert_eq!(page(&platform, "dotdo-staging"), b"one");
    // Even when the upstream has forgotten the files.
    platform.cloud.scripts.borrow_mut().forget_files();
    let first = platform.deployments("dotdo-staging")[1]["id"].clone();
    roll_back(&platform, &json!({ "deployment": first }).to_string()).unwrap();
    assert_eq!(page(&platform, "dotdo-staging"), b"two");
    platform.is_settled();
}

#[test]
fn static_assets_are_promoted() {
    let platform = Platform::new();
    let token = platform.alice("dotdo-staging");
    deploy(&platform, &token, "dotdo-staging", INDEX, b"one");
    promote(&platform, "dotdo-staging", &json!({ "to": "dotdo-production" })).unwrap();
    assert_eq!(page(&platform, "dotdo-production"), b"one");
}

#[test]
fn assets_that_a_deploy_keeps_are_part_of_its_bundle() {
    let platform = Platform::new();
    let token = platform.alice("dotdo-staging");
    deploy(&platform, &token, "dotdo-staging", INDEX, b"one");
    let kept = Upload::of("kept").with("keep_assets", json!(true));
    assert_eq!(platform.deploy(&token, &kept).status, 200);
    deploy(&platform, &token, "dotdo-staging", STYLE, b"two");
    roll_back(&platform, "").unwrap();
    assert_eq!(platform.serves("dotdo-staging").unwrap(), "kept");
    assert_eq!(page(&platform, "dotdo-staging"), b"one");
}

#[test]
fn a_bearer_is_passed_on_only_when_its_session_was_begun_here() {
    let platform = Platform::new();
    let token = platform.alice("dotdo-staging");
    for stranger in ["stolen-jwt", &token, ""] {
        let answer = send(&platform, stranger, &[(INDEX, b"x")]);
        assert_eq!(answer.codes(), [u64::from(Code::AssetSessionUnknown.number())]);
    }
    assert!(platform.cloud.seen.borrow().is_empty());
    deploy(&platform, &token, "dotdo-staging", INDEX, b"one");
    let seen = platform.cloud.seen.borrow();
    let bearers: Vec<_> = seen
        .iter()
        .filter(|seen| seen.line.contains("/workers/assets/upload"))
        .map(|seen| seen.bearer.as_str())
        .collect();
    assert_eq!(bearers, ["jwt-0"]);
    assert!(seen.iter().all(|seen| !seen.bearer.contains("dotdo_")));
}

#[test]
fn a_session_ends_and_is_good_for_its_own_worker_only() {
    let platform = Platform::new();
    let token = platform.alice("dotdo-staging");
    let production = platform.alice("dotdo-production");
    let manifest = json!({ "manifest": { "/index.html": { "hash": INDEX, "size": 1 } } }).to_string();
    let session = platform.call(&token, "POST S/assets-upload-session", &manifest);
    let jwt = session.body["result"]["jwt"].as_str().unwrap().to_owned();
    let upload = Upload::of("1").with("assets", json!({ "jwt": jwt }));
    let answer = platform.deploy_to(&production, "dotdo-production", &upload);
    assert_eq!(answer.codes(), [u64::from(Code::AssetSessionUnknown.number())]);
    platform.cloud.pass(3601);
    let answer = send(&platform, &jwt, &[(INDEX, b"x")]);
    assert_eq!(answer.codes(), [u64::from(Code::AssetSessionUnknown.number())]);
}

#[test]
fn guessing_at_sessions_locks_out() {
    let platform = Platform::new();
    let last = (0..50)
        .map(|guess| send(&platform, &format!("guess-{guess}"), &[]).status)
        .last();
    assert_eq!(last, Some(429));
}

#[test]
fn a_file_of_another_worker_cannot_be_slipped_in_by_its_hash() {
    let platform = Platform::new();
    let staging = platform.alice("dotdo-staging");
    let production = platform.alice("dotdo-production");
    deploy(&platform, &production, "dotdo-production", INDEX, b"good");
    deploy(&platform, &staging, "dotdo-staging", INDEX, b"evil");
    deploy(&platform, &production, "dotdo-production", STYLE, b"next");
    let target = deploy_api::v1::target("dotdo-production", "agents").unwrap();
    platform.cloud.scripts.borrow_mut().forget_files();
    platform
        .v1(async |engine, caller| deploy_api::v1::rollback::rollback(engine, caller, &target, b"").await)
        .unwrap();
    assert_eq!(page(&platform, "dotdo-production"), b"good");
}

#[test]
fn a_session_and_its_uploads_are_on_record_before_and_after_their_calls() {
    let platform = Platform::new();
    let token = platform.alice("dotdo-staging");
    deploy(&platform, &token, "dotdo-staging", INDEX, b"one");
    assert_eq!(
        platform.story(),
        [
            "asset_session intent",
            "asset_session succeeded",
            "asset_upload intent",
            "asset_upload succeeded",
            "deploy intent",
            "deploy succeeded"
        ]
    );
    let record = platform.record();
    for entry in &record[..4] {
        assert_eq!(entry["identity"]["subject"], "alice", "{entry}");
        assert_eq!(entry["authority"]["rule"], "alice", "{entry}");
        assert_eq!(entry["worker"], "agents", "{entry}");
        assert_eq!(entry["token"], record[4]["token"], "{entry}");
    }
    for intent in [0, 2] {
        let (files, bytes) = (
            &record[intent]["subject"]["files"],
            &record[intent]["subject"]["bytes"],
        );
        assert_eq!((files, bytes), (&json!(1), &json!(3)), "{}", record[intent]);
        let manifest = record[intent]["subject"]["manifest"].as_str().unwrap();
        assert!(
            platform
                .cloud
                .stored
                .borrow()
                .keys()
                .any(|digest| digest.as_str() == manifest),
            "what was begun can be looked up"
        );
        assert_eq!(record[intent + 1]["intent"], record[intent]["sequence"]);
        assert!(record[intent + 1]["upstream"]["status"].is_u64());
    }
    platform.is_settled();
}

#[test]
fn without_an_intent_no_asset_goes_upstream() {
    let platform = Platform::new();
    let token = platform.alice("dotdo-staging");
    let unavailable = [u64::from(Code::RecordUnavailable.number())];
    platform.sql.fail_at("INSERT INTO audit ");
    assert_eq!(begin(&platform, &token).codes(), unavailable);
    assert!(platform.cloud.seen.borrow().is_empty());
    assert!(platform.cloud.stored.borrow().is_empty());
    platform.sql.heal();
    let session = begin(&platform, &token);
    let jwt = session.body["result"]["jwt"].as_str().unwrap();
    let before = platform.cloud.seen.borrow().len();
    platform.sql.fail_at("INSERT INTO audit ");
    assert_eq!(send(&platform, jwt, &[(INDEX, b"one")]).codes(), unavailable);
    assert_eq!(platform.cloud.seen.borrow().len(), before);
}

#[test]
fn denied_and_failed_assets_are_on_record() {
    let platform = Platform::new();
    let token = platform.token("bob", &[]);
    assert_eq!(begin(&platform, &token).status, 403);
    send(&platform, "stolen-jwt", &[(INDEX, b"one")]);
    let alice = platform.alice("dotdo-staging");
    platform.call(&alice, "POST S/assets-upload-session", "no manifest");
    platform.cloud.fail_next(Fault::Answer(500, "{}"));
    begin(&platform, &alice);
    let session = begin(&platform, &alice);
    let jwt = session.body["result"]["jwt"].as_str().unwrap();
    send(&platform, jwt, &[("no-hash", b"one")]);
    platform.cloud.store_fails.set(true);
    send(&platform, jwt, &[(INDEX, b"one")]);
    assert_eq!(
        platform.story(),
        [
            "asset_session denied",
            "asset_upload denied",
            "asset_session denied",
            "asset_session intent",
            "asset_session failed",
            "asset_session intent",
            "asset_session succeeded",
            "asset_upload denied",
            "asset_upload intent",
            "asset_upload failed",
        ]
    );
    let codes: Vec<_> = platform
        .record()
        .iter()
        .filter_map(|entry| entry["reason"]["code"].as_str().map(str::to_owned))
        .collect();
    assert_eq!(
        codes,
        [
            "PERMISSION_DENIED",
            "ASSET_SESSION_UNKNOWN",
            "UPLOAD_MALFORMED",
            "UPSTREAM_UNAVAILABLE",
            "UPLOAD_MALFORMED",
            "BUNDLE_STORE_UNAVAILABLE"
        ]
    );
    platform.is_settled();
}

#[test]
fn an_upload_of_assets_that_the_process_did_not_live_to_end_is_closed_later_and_stops_nobody() {
    let platform = Platform::new();
    let token = platform.alice("dotdo-staging");
    let session = begin(&platform, &token);
    let jwt = session.body["result"]["jwt"].as_str().unwrap();
    {
        let form = "--b\r\nContent-Disposition: form-data; name=\"00112233445566778899aabbccddeeff\"\r\n\r\nb25l\r\n--b--\r\n";
        let headers = [("content-type", "multipart/form-data; boundary=b")];
        let call = "POST A/workers/assets/upload?base64=true";
        let mut sending = std::pin::pin!(platform.ask(jwt, call, &headers, form.into()));
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        while !platform.story().contains(&"asset_upload intent".to_owned()) {
            assert!(sending.as_mut().poll(&mut context).is_pending());
        }
        // While it is under way, a deploy of the Worker neither waits for it nor closes it.
        assert_eq!(platform.deploy(&token, &Upload::of("1")).status, 200);
        assert_eq!(platform.sweep(), Swept { closed: 0, open: 1 });
    }
    platform.cloud.pass(100);
    assert_eq!(platform.sweep(), Swept { closed: 1, open: 0 });
    assert_eq!(platform.story().last().unwrap(), "asset_upload failed");
    platform.is_settled();
}
