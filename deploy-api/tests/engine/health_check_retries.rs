//! A repeated upload never skips a health check.

use deploy_api::code::Code;
use deploy_api::ledger::calls;
use deploy_api::v1;
use futures_executor::block_on;
use futures_util::future::join;
use serde_json::{Value, json};

use super::health_checks::answer;
use super::health_proofs::{health, set_health_check, with_proof};
use super::platform::Platform;
use super::reconciler::killed_after;
use super::wrangler_upload::Upload;

fn answers(platform: &Platform, statuses: &[u16]) {
    *platform.cloud.dispatcher_answers.borrow_mut() = statuses.iter().copied().map(answer).collect();
}

fn assert_failed(platform: &Platform, token: &str, upload: &Upload) -> String {
    let answered = platform.deploy(token, upload);
    assert_eq!(answered.status, 422, "{}", answered.text());
    assert_eq!(answered.codes(), [u64::from(Code::HealthCheckFailed.number())]);
    answered.text()
}

fn overview(platform: &Platform) -> Value {
    let target = v1::target("dotdo-staging", "agents").unwrap();
    platform
        .v1(async |gateway, credential| v1::workers::get(gateway, credential, &target).await)
        .unwrap()
}

#[test]
fn a_first_deploy_that_fails_is_checked_at_each_retry_and_shown_as_serving() {
    let (platform, token) = with_proof(&Value::Null);
    answers(&platform, &[500]);
    let upload = Upload::of("bad");
    for _ in 0..3 {
        let text = assert_failed(&platform, &token, &upload.retried());
        assert!(text.contains("It is serving, health check failed"), "{text}");
        let deployments = platform.deployments("dotdo-staging");
        assert_eq!(deployments.len(), 1, "the same bytes are not uploaded again");
        let shown = [
            deployments[0]["health"].clone(),
            overview(&platform)["health"].clone(),
        ];
        for health in shown {
            assert_eq!(health["result"], "failed");
            assert_eq!(
                health["detail"],
                "serving, health check failed: status 500 and not 200"
            );
        }
        platform.cloud.pass(20);
    }
    assert_eq!(platform.history().last().unwrap(), "verify failed");
    answers(&platform, &[200]);
    assert_eq!(platform.deploy(&token, &upload).status, 200);
    assert_eq!(overview(&platform)["health"]["result"], "unproven");
    platform.assert_reconciled();
}

#[test]
fn the_same_bytes_are_checked_after_a_health_check_was_set_or_changed() {
    let platform = Platform::new();
    let token = platform.alice("dotdo-staging");
    let bad = Upload::of("bad");
    assert_eq!(platform.deploy(&token, &bad).status, 200);
    assert_eq!(health(&platform)["result"], "none");
    answers(&platform, &[500]);
    let set = |expect: u16| {
        set_health_check(
            &platform,
            "dotdo-staging",
            &json!({ "path": "/", "expect": expect }),
        )
        .unwrap();
    };
    set(200);
    assert_failed(&platform, &token, &bad);
    set(500);
    assert_eq!(platform.deploy(&token, &bad).status, 200);
    set(200);
    assert_failed(&platform, &token, &bad);
    platform.assert_reconciled();
}

#[test]
fn the_same_bytes_are_rolled_back_when_a_new_health_check_fails() {
    let platform = Platform::new();
    let token = platform.alice("dotdo-staging");
    platform.deploy(&token, &Upload::of("good"));
    let bad = Upload::of("bad");
    platform.deploy(&token, &bad);
    set_health_check(&platform, "dotdo-staging", &json!({ "path": "/", "expect": 200 })).unwrap();
    answers(&platform, &[500, 500, 500, 500, 500, 200]);
    let text = assert_failed(&platform, &token, &bad);
    assert!(text.contains("was rolled back"), "{text}");
    assert_eq!(platform.serves("dotdo-staging").unwrap(), "good");
    assert_eq!(
        health(&platform)["result"],
        "unproven",
        "the rollback was checked"
    );
    // It is a new deployment now, which is checked again.
    answers(&platform, &[500, 500, 500, 500, 500, 200]);
    assert_failed(&platform, &token, &bad.retried());
    assert_eq!(platform.serves("dotdo-staging").unwrap(), "good");
    platform.assert_reconciled();
}

#[test]
fn a_retry_during_the_check_waits_for_its_result() {
    let (platform, token) = with_proof(&Value::Null);
    answers(&platform, &[500]);
    let upload = Upload::of("bad");
    let retried = upload.retried();
    let (first, second) = block_on(join(
        platform.deploying(&token, "dotdo-staging", &upload),
        platform.deploying(&token, "dotdo-staging", &retried),
    ));
    assert_eq!((first.status, second.status), (422, 422), "{}", second.text());
    assert_eq!(platform.deployments("dotdo-staging").len(), 1);
    platform.assert_reconciled();
}

#[test]
fn a_retry_whose_process_ends_is_checked_by_the_reconciler() {
    for polls in 1.. {
        let (platform, token) = with_proof(&Value::Null);
        answers(&platform, &[500]);
        let upload = Upload::of("bad");
        platform.deploy(&token, &upload);
        platform.cloud.pass(20);
        let has_ended = killed_after(&platform, &token, &upload, polls);
        platform.cloud.pass(100);
        assert_eq!(platform.reconcile(), 0, "after {polls} polls");
        assert_eq!(health(&platform)["result"], "failed", "after {polls} polls");
        platform.assert_reconciled();
        if has_ended {
            return;
        }
    }
}

#[test]
fn a_lock_during_the_check_keeps_the_deployment_and_reports_it() {
    let (platform, token) = with_proof(&Value::Null);
    answers(&platform, &[200]);
    platform.deploy(&token, &Upload::of("good"));
    answers(&platform, &[500]);
    let bad = Upload::of("bad");
    let target = v1::target("dotdo-staging", "agents").unwrap();
    let lock = async {
        while platform.serves("dotdo-staging").unwrap() != "bad" {
            super::cloud::yield_once().await;
        }
        platform
            .access(|access, caller| {
                calls::locks::lock_worker(access, caller, &target, br#"{"why": "stop"}"#)
            })
            .unwrap();
    };
    let (answered, ()) = block_on(join(platform.deploying(&token, "dotdo-staging", &bad), lock));
    assert_eq!(answered.status, 422);
    assert!(
        answered.text().contains("the Worker was locked"),
        "{}",
        answered.text()
    );
    assert_eq!(platform.serves("dotdo-staging").unwrap(), "bad");
    assert_eq!(overview(&platform)["health"]["result"], "failed");
    // A retry is checked again and does not answer 200.
    assert_failed(&platform, &token, &bad.retried());
    platform.assert_reconciled();
}

#[test]
fn a_health_check_that_is_removed_while_it_is_pending_has_no_result() {
    let pending = (1..).find_map(|polls| {
        let (platform, token) = with_proof(&Value::Null);
        answers(&platform, &[500]);
        assert!(!killed_after(&platform, &token, &Upload::of("one"), polls));
        (health_or_none(&platform) == "pending").then_some(platform)
    });
    let platform = pending.unwrap();
    let target = v1::target("dotdo-staging", "agents").unwrap();
    platform
        .access(|access, caller| calls::health_check::delete(access, caller, &target))
        .unwrap();
    platform.cloud.pass(100);
    assert_eq!(platform.reconcile(), 0);
    assert_eq!(health(&platform)["result"], "none");
    assert_eq!(platform.history().last().unwrap(), "verify failed");
    platform.assert_reconciled();
}

fn health_or_none(platform: &Platform) -> String {
    let deployments = platform.deployments("dotdo-staging");
    let result = deployments
        .first()
        .map(|deployment| deployment["health"]["result"].clone());
    result
        .as_ref()
        .and_then(Value::as_str)
        .unwrap_or("none")
        .to_owned()
}
