use data_encoding::BASE64;
use deploy_api::code::Code;
use futures_executor::block_on;
use serde_json::json;

use super::platform::{Answered, Platform};
use super::promotions::promote;
use super::rollbacks::roll_back;
use super::wrangler_upload::Upload;

pub const INDEX: &str = "00112233445566778899aabbccddeeff";
const STYLE: &str = "ffeeddccbbaa99887766554433221100";

/// Sends files as wrangler does, with the token of a session.
pub fn send(platform: &Platform, jwt: &str, files: &[(&str, &[u8])]) -> Answered {
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

/// Deploys a page as wrangler does: a session, the files that are missing, the upload.
pub fn deploy(platform: &Platform, token: &str, namespace: &str, hash: &str, content: &[u8]) -> Answered {
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
    // Also if the upstream has deleted the files.
    platform.cloud.scripts.borrow_mut().forget_files();
    let first = platform.deployments("dotdo-staging")[1]["id"].clone();
    roll_back(&platform, &json!({ "deployment": first }).to_string()).unwrap();
    assert_eq!(page(&platform, "dotdo-staging"), b"two");
    platform.assert_reconciled();
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
fn a_session_token_is_forwarded_only_for_a_session_of_this_api() {
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
fn a_session_expires_and_is_limited_to_its_worker() {
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
fn asset_uploads_and_invalid_sessions_send_no_message_to_the_ledger() {
    let platform = Platform::new();
    let token = platform.alice("dotdo-staging");
    for guess in 0..50 {
        let answer = send(&platform, &format!("guess-{guess}"), &[]);
        assert_eq!(answer.codes(), [u64::from(Code::AssetSessionUnknown.number())]);
    }
    assert!(platform.sent.borrow().is_empty());
    deploy(&platform, &token, "dotdo-staging", INDEX, b"one");
    let sent = platform.sent.borrow().clone();
    assert_eq!(
        sent,
        ["authorize", "begin", "finish", "authorize", "begin", "finish"],
        "a session and a deploy, and nothing for the bucket"
    );
}

#[test]
fn a_file_of_another_worker_cannot_be_used_by_its_hash() {
    let platform = Platform::new();
    let staging = platform.alice("dotdo-staging");
    let production = platform.alice("dotdo-production");
    deploy(&platform, &production, "dotdo-production", INDEX, b"good");
    deploy(&platform, &staging, "dotdo-staging", INDEX, b"evil");
    deploy(&platform, &production, "dotdo-production", STYLE, b"next");
    let target = deploy_api::v1::target("dotdo-production", "agents").unwrap();
    platform.cloud.scripts.borrow_mut().forget_files();
    platform
        .v1(async |gateway, credential| {
            deploy_api::v1::rollback::rollback(gateway, credential, &target, &[], b"").await
        })
        .unwrap();
    assert_eq!(page(&platform, "dotdo-production"), b"good");
}

/// Opens a session for a page and a style sheet, and returns its token.
fn two_files(platform: &Platform, token: &str, page: &[u8]) -> String {
    let manifest = json!({ "manifest": {
        "/index.html": { "hash": INDEX, "size": page.len() },
        "/style.css": { "hash": STYLE, "size": 4 },
    } });
    let session = platform.call(token, "POST S/assets-upload-session", &manifest.to_string());
    assert_eq!(session.status, 200, "{}", session.text());
    session.body["result"]["jwt"].as_str().unwrap().to_owned()
}

/// Sends one file as it is, as wrangler does since 4.141.
fn send_single(platform: &Platform, jwt: &str, hash: &str, content: &[u8]) -> Answered {
    block_on(platform.ask(
        jwt,
        &format!("POST A/workers/assets/upload/{hash}"),
        &[("content-type", "text/html; charset=utf-8")],
        content.to_vec(),
    ))
}

#[test]
fn single_files_are_deployed_and_rolled_back() {
    let platform = Platform::new();
    let token = platform.alice("dotdo-staging");
    let large = vec![7; 2 << 20];
    let jwt = two_files(&platform, &token, &large);
    let first = send_single(&platform, &jwt, STYLE, b"blue");
    assert_eq!((first.status, &first.body["result"]["jwt"]), (200, &json!(null)));
    let last = send_single(&platform, &jwt, INDEX, &large);
    assert_eq!(last.status, 201, "{}", last.text());
    let completion = last.body["result"]["jwt"].as_str().unwrap();
    let upload = Upload::of("large").with("assets", json!({ "jwt": completion }));
    assert_eq!(platform.deploy_to(&token, "dotdo-staging", &upload).status, 200);
    assert_eq!(page(&platform, "dotdo-staging"), large);
    let seen: Vec<_> = platform
        .cloud
        .seen
        .borrow()
        .iter()
        .filter(|seen| seen.line.contains("/workers/assets/upload/"))
        .map(|seen| {
            (
                seen.line.rsplit('/').next().unwrap().to_owned(),
                seen.bearer.clone(),
            )
        })
        .collect();
    let sent = |hash: &str| (hash.to_owned(), "jwt-0".to_owned());
    assert_eq!(seen, [sent(STYLE), sent(INDEX)]);

    let other = "aa112233445566778899aabbccddeeff";
    assert_eq!(
        deploy(&platform, &token, "dotdo-staging", other, b"two").status,
        200
    );
    platform.cloud.scripts.borrow_mut().forget_files();
    roll_back(&platform, "").unwrap();
    assert_eq!(page(&platform, "dotdo-staging"), large);
    platform.assert_reconciled();
}

#[test]
fn a_single_file_is_refused_unless_it_is_in_the_manifest_of_an_open_session() {
    let platform = Platform::new();
    let token = platform.alice("dotdo-staging");
    let jwt = two_files(&platform, &token, b"page");
    let stored = platform.cloud.stored.keys();
    let unknown = Code::AssetSessionUnknown;
    let malformed = Code::UploadMalformed;
    let other = "aa112233445566778899aabbccddeeff";
    for (bearer, hash, content, code) in [
        ("stolen-jwt", INDEX, &b"page"[..], unknown),
        (&token, INDEX, b"page", unknown),
        (&jwt, other, b"page", malformed),
        (&jwt, INDEX, b"pag", malformed),
        (&jwt, INDEX, b"pages", malformed),
    ] {
        let answer = send_single(&platform, bearer, hash, content);
        assert_eq!(answer.codes(), [u64::from(code.number())], "{}", answer.text());
    }
    assert_eq!(platform.cloud.stored.keys(), stored, "nothing is stored");
    let seen = platform.cloud.seen.borrow();
    assert!(!seen.iter().any(|seen| seen.line.contains("/assets/upload/")));
}
