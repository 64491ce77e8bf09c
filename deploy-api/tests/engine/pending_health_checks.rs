//! The process ends between an upload and the end of its health check.

use deploy_api::code::Code;
use deploy_api::ledger::calls;
use deploy_api::v1;
use futures_executor::block_on;
use futures_util::future::join;
use serde_json::{Value, json};

use super::health_checks::{answer, with_health_check};
use super::platform::Platform;
use super::reconciler::killed_after;
use super::wrangler_upload::Upload;

/// A platform that serves "one". The health check of the next deployment expects 204 and fails.
fn with_failing_health_check() -> (Platform, String) {
    let (platform, token) = with_health_check("/");
    *platform.cloud.dispatcher_answers.borrow_mut() = [answer(500)].into();
    (platform, token)
}

/// [`with_failing_health_check`] with "two" uploaded. The process ended before the upload was recorded, or, if it `is_recorded`,
/// before the health check ran.
fn uploaded(is_recorded: bool) -> (Platform, String) {
    for polls in 1.. {
        let (platform, token) = with_failing_health_check();
        assert!(!killed_after(&platform, &token, &Upload::of("two"), polls));
        let is_uploaded = platform.serves("dotdo-staging").unwrap() == "two";
        let recorded = platform.deployments("dotdo-staging")[0]["state"] == "succeeded";
        let is_new = platform.deployments("dotdo-staging").len() == 2;
        if is_uploaded && is_new && recorded == is_recorded {
            assert!(platform.cloud.dispatcher_requests.borrow().is_empty());
            platform.cloud.pass(100);
            return (platform, token);
        }
    }
    unreachable!("an upload completes")
}

fn states(platform: &Platform) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    platform
        .deployments("dotdo-staging")
        .iter()
        .map(|deployment| (text(&deployment["verb"]), text(&deployment["state"])))
        .collect()
}

fn pairs(expected: &[(&str, &str)]) -> Vec<(String, String)> {
    let owned = |(verb, state): &(&str, &str)| ((*verb).to_owned(), (*state).to_owned());
    expected.iter().map(owned).collect()
}

const ROLLED_BACK: [(&str, &str); 3] = [
    ("rollback", "succeeded"),
    ("deploy", "rolled_back"),
    ("deploy", "succeeded"),
];

#[test]
fn the_reconciler_runs_the_health_check_and_rolls_back_on_failure() {
    for is_recorded in [false, true] {
        let (platform, _) = uploaded(is_recorded);
        assert_eq!(platform.reconcile(), 0);
        assert_eq!(platform.serves("dotdo-staging").unwrap(), "one");
        assert_eq!(states(&platform), pairs(&ROLLED_BACK));
        let record = platform.record();
        let [.., back, rolled_back, checked_back] = record.as_slice() else {
            panic!("{record:?}")
        };
        assert_eq!(
            (&back["verb"], &back["outcome"]),
            (&json!("rollback"), &json!("succeeded"))
        );
        assert_eq!(
            (&rolled_back["verb"], &rolled_back["outcome"]),
            (&json!("verify"), &json!("rolled_back"))
        );
        assert_eq!(
            (&checked_back["verb"], &checked_back["outcome"]),
            (&json!("verify"), &json!("failed")),
            "the rollback is checked as well"
        );
        for entry in [back, rolled_back, checked_back] {
            assert_eq!(
                entry["identity"]["subject"], "alice",
                "the identity that deployed"
            );
            assert_eq!(entry["authority"]["rule"], "alice");
            assert_eq!(
                entry["client"].get("address"),
                None,
                "the reconciler has no client address"
            );
        }
        platform.assert_reconciled();
        assert_eq!(platform.reconcile(), 0, "the health check runs once");
    }
}

#[test]
fn a_deployment_that_fails_its_health_check_is_not_served_after_any_crash() {
    for polls in 1.. {
        let (platform, token) = with_failing_health_check();
        let ended = killed_after(&platform, &token, &Upload::of("two"), polls);
        platform.cloud.pass(100);
        assert_eq!(platform.reconcile(), 0, "after {polls} polls");
        assert_eq!(
            platform.serves("dotdo-staging").unwrap(),
            "one",
            "after {polls} polls"
        );
        let kept: Vec<_> = states(&platform)
            .into_iter()
            .filter(|(verb, state)| verb == "deploy" && state == "succeeded")
            .collect();
        assert_eq!(kept.len(), 1, "the first one, after {polls} polls");
        platform.assert_reconciled();
        if ended {
            assert!(polls > 12, "{polls}");
            return;
        }
    }
}

#[test]
fn an_answered_health_check_is_recorded_and_keeps_the_deployment() {
    let (platform, _) = uploaded(false);
    *platform.cloud.dispatcher_answers.borrow_mut() = [answer(204)].into();
    assert_eq!(platform.reconcile(), 0);
    assert_eq!(platform.serves("dotdo-staging").unwrap(), "two");
    assert_eq!(platform.history()[4..], ["deploy succeeded", "verify unproven"]);
    platform.assert_reconciled();
}

#[test]
fn a_retry_returns_the_result_of_the_health_check() {
    for is_recorded in [false, true] {
        let (platform, token) = uploaded(is_recorded);
        platform.reconcile();
        let answered = platform.deploy(&token, &Upload::of("two"));
        assert_eq!(answered.codes(), [u64::from(Code::HealthCheckFailed.number())]);
        assert!(answered.text().contains("was rolled back"), "{}", answered.text());
        assert_eq!(platform.serves("dotdo-staging").unwrap(), "one");
        assert_eq!(states(&platform)[2..], pairs(&ROLLED_BACK));
        platform.assert_reconciled();
    }
}

#[test]
fn the_next_change_waits_for_the_health_check() {
    let (platform, token) = uploaded(true);
    *platform.cloud.dispatcher_answers.borrow_mut() = [
        answer(500),
        answer(500),
        answer(500),
        answer(500),
        answer(500),
        answer(204),
    ]
    .into();
    let three = Upload::of("three");
    let (deployed, ()) = block_on(join(
        platform.deploying(&token, "dotdo-staging", &three),
        platform.reconciling(),
    ));
    assert_eq!(deployed.status, 200, "{}", deployed.text());
    assert_eq!(platform.serves("dotdo-staging").unwrap(), "three");
    assert_eq!(
        states(&platform)[1..],
        pairs(&ROLLED_BACK),
        "a rollback of the third deploys the first"
    );
    platform.assert_reconciled();
}

#[test]
fn a_locked_worker_is_health_checked_and_not_changed() {
    let (platform, _) = uploaded(true);
    let target = v1::target("dotdo-staging", "agents").unwrap();
    platform
        .access(|access, caller| calls::locks::lock_worker(access, caller, &target, br#"{"why": "stop"}"#))
        .unwrap();
    assert_eq!(platform.reconcile(), 0);
    assert_eq!(platform.serves("dotdo-staging").unwrap(), "two");
    assert_eq!(platform.history().last().unwrap(), "verify failed");
    assert_eq!(platform.reconcile(), 0);
}

#[test]
fn a_deploy_made_without_the_api_is_not_rolled_back() {
    let (platform, _) = uploaded(true);
    platform
        .cloud
        .scripts
        .borrow_mut()
        .by_key
        .get_mut("dotdo-staging/agents")
        .unwrap()
        .tags = vec![];
    assert_eq!(platform.reconcile(), 0);
    assert_eq!(platform.serves("dotdo-staging").unwrap(), "two");
    assert!(platform.cloud.dispatcher_requests.borrow().is_empty());
    let history = platform.history();
    assert_eq!(history[history.len() - 2..], ["verify failed", "drift succeeded"]);
}

#[test]
fn the_health_check_stays_pending_while_the_upstream_is_unavailable() {
    let (platform, token) = uploaded(true);
    platform.cloud.down.set(true);
    assert_eq!(platform.reconcile(), 1);
    let answered = platform.deploy(&token, &Upload::of("three"));
    assert_eq!(answered.codes(), [u64::from(Code::DeploymentUnsettled.number())]);
    assert!(answered.headers.iter().any(|(name, _)| *name == "retry-after"));
    platform.cloud.down.set(false);
    platform.cloud.pass(100);
    assert_eq!(platform.reconcile(), 0);
    assert_eq!(platform.serves("dotdo-staging").unwrap(), "one");
    platform.assert_reconciled();
}
