//! What is on record of static assets before the deploy that names them.

use deploy_api::code::Code;
use deploy_api::deployments::Swept;
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
