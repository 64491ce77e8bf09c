use deploy_api::code::Code;
use deploy_api::ledger::calls;
use deploy_api::v1;
use dotdo_names::Environment;
use serde_json::json;

use super::platform::Platform;
use super::rollbacks::roll_back;
use super::support::time::at;
use super::wrangler_upload::Upload;

#[test]
fn a_lock_rejects_every_change_with_owner_reason_and_end() {
    let platform = Platform::new();
    let token = platform.alice("dotdo-staging");
    platform.deploy(&token, &Upload::of("1"));
    platform.deploy(&token, &Upload::of("2"));
    let target = v1::target("dotdo-staging", "agents").unwrap();
    let body = json!({ "why": "the demo is on", "until": at(600).to_string() }).to_string();
    platform
        .access(|access, caller| calls::locks::lock_worker(access, caller, &target, body.as_bytes()))
        .unwrap();
    let uploads = platform.cloud.changes().len();
    let answer = platform.deploy(&token, &Upload::of("3"));
    assert_eq!(answer.status, 409);
    assert_eq!(answer.codes(), [u64::from(Code::WorkerLocked.number())]);
    for part in ["alice", "the demo is on", &format!("{:.0}", at(600))] {
        assert!(answer.text().contains(part), "{}", answer.text());
    }
    assert_eq!(roll_back(&platform, "").unwrap_err().code, Code::WorkerLocked);
    let secret = platform.call(
        &token,
        "PUT A/workers/scripts/agents/secrets",
        r#"{"name": "T", "text": "w", "type": "secret_text"}"#,
    );
    assert_eq!(secret.status, 409);
    let deleted = platform
        .v1(async |gateway, credential| v1::deletion::delete(gateway, credential, &target, &[]).await);
    assert_eq!(deleted.unwrap_err().code, Code::WorkerLocked);
    assert_eq!(
        platform.cloud.changes().len(),
        uploads,
        "nothing reached the upstream"
    );
    assert_eq!(
        platform.record().last().unwrap()["reason"]["code"],
        "WORKER_LOCKED"
    );
    // The lock expires.
    platform.cloud.pass(600);
    assert_eq!(platform.deploy(&token, &Upload::of("3")).status, 200);
}

#[test]
fn a_retry_of_a_deploy_from_before_the_lock_succeeds() {
    let platform = Platform::new();
    let token = platform.alice("dotdo-staging");
    let first = platform.deploy(&token, &Upload::of("1"));
    let target = v1::target("dotdo-staging", "agents").unwrap();
    platform
        .access(|access, caller| calls::locks::lock_worker(access, caller, &target, br#"{"why": "x"}"#))
        .unwrap();
    assert_eq!(platform.deploy(&token, &Upload::of("1")).body, first.body);
}

#[test]
fn a_namespace_lock_covers_its_workers_and_is_removed_separately() {
    let platform = Platform::new();
    let token = platform.alice("dotdo-staging");
    platform
        .access(|access, caller| {
            calls::locks::lock_namespace(
                access,
                caller,
                Environment::Staging.into(),
                br#"{"why": "freeze"}"#,
            )
        })
        .unwrap();
    let answer = platform.deploy(&token, &Upload::of("1"));
    assert_eq!(answer.status, 409);
    assert!(answer.text().contains("The namespace dotdo-staging is locked"));
    assert!(answer.text().contains("DELETE /v1/namespaces/dotdo-staging/lock"));
    let target = v1::target("dotdo-staging", "agents").unwrap();
    let shown = platform
        .access(|access, caller| calls::locks::unlock_worker(access, caller, &target))
        .unwrap();
    assert_eq!(shown["lock"]["why"], "freeze", "the namespace is still locked");
    platform
        .access(|access, caller| calls::locks::unlock_namespace(access, caller, Environment::Staging.into()))
        .unwrap();
    assert_eq!(platform.deploy(&token, &Upload::of("1")).status, 200);
    assert_eq!(
        platform.history(),
        [
            "lock succeeded",
            "deploy denied",
            "unlock succeeded",
            "deploy intent",
            "deploy succeeded"
        ]
    );
}

#[test]
fn a_lock_without_a_reason_or_in_the_past_is_refused() {
    let platform = Platform::new();
    let target = v1::target("dotdo-staging", "agents").unwrap();
    for body in [
        json!({}),
        json!({ "why": " " }),
        json!({ "why": "a\u{1b}[31m" }),
        json!({ "why": "x".repeat(301) }),
        json!({ "why": "x", "until": at(0).to_string() }),
        json!({ "why": "x", "untill": at(9).to_string() }),
    ] {
        let body = body.to_string();
        let problem = platform
            .access(|access, caller| calls::locks::lock_worker(access, caller, &target, body.as_bytes()))
            .unwrap_err();
        assert_eq!(problem.code, Code::BodyInvalid, "{body}");
    }
}
