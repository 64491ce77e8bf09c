use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};

use deploy_api::ledger::calls;
use deploy_api::upstream::UpstreamFailure;
use deploy_api::v1;
use futures_executor::block_on;

use super::cloud::Fault;
use super::platform::Platform;
use super::wrangler_upload::Upload;

fn poll<T>(future: Pin<&mut impl Future<Output = T>>) -> Option<T> {
    match future.poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => Some(output),
        Poll::Pending => None,
    }
}

/// Starts a deploy, and drops its future after this number of polls, as if the process had ended. Returns whether the deploy
/// was complete.
pub fn killed_after(platform: &Platform, token: &str, upload: &Upload, polls: usize) -> bool {
    let mut deploying = pin!(platform.deploying(token, "dotdo-staging", upload));
    (0..polls).any(|_| poll(deploying.as_mut()).is_some())
}

/// Interrupts a deploy after each number of polls, and checks the state. Returns the number of interrupted deploys.
fn crashes(prepare: impl Fn(&Platform)) -> usize {
    for polls in 1.. {
        let platform = Platform::new();
        let token = platform.alice("dotdo-staging");
        platform.deploy(&token, &Upload::of("one"));
        prepare(&platform);
        if killed_after(&platform, &token, &Upload::of("two"), polls) {
            return polls - 1;
        }
        platform.cloud.pass(100);
        assert_eq!(platform.reconcile(), 0, "after {polls} polls");
        platform.assert_reconciled();
        let deployments = platform.deployments("dotdo-staging");
        let serving: Vec<_> = deployments
            .iter()
            .filter(|deployment| deployment["serving"] == true)
            .collect();
        assert_eq!(serving.len(), 1);
        let target = v1::target("dotdo-staging", "agents").unwrap();
        let shown = platform
            .v1(async |gateway, credential| v1::workers::get(gateway, credential, &target).await)
            .unwrap();
        assert_eq!(
            shown["deployment"], serving[0]["id"],
            "the recorded deployment is served, after {polls} polls"
        );
        assert!(
            deployments
                .iter()
                .all(|deployment| deployment["state"] != "pending"),
            "after {polls} polls"
        );
        // A repeated upload creates at most one more deployment.
        let before = platform.cloud.scripts.borrow().uploads;
        platform.deploy(&token, &Upload::of("two"));
        assert!(
            platform.cloud.scripts.borrow().uploads <= before + 2,
            "the upload and its rollback"
        );
        platform.assert_reconciled();
    }
    unreachable!("a deploy completes")
}

#[test]
fn a_crash_at_any_point_is_reconciled_with_the_remote_state() {
    let points = crashes(|_| {});
    assert!(points >= 4, "{points}");
}

#[test]
fn a_crash_during_the_rollback_of_a_failed_health_check_is_reconciled() {
    let points = crashes(|platform| {
        let target = v1::target("dotdo-staging", "agents").unwrap();
        platform
            .access(|access, caller| {
                calls::health_check::put(access, caller, &target, br#"{"path": "/", "expect": 204}"#)
            })
            .unwrap();
    });
    assert!(points >= 12, "{points}");
}

#[test]
fn an_intent_stays_open_while_its_call_may_still_run() {
    let platform = Platform::new();
    let token = platform.alice("dotdo-staging");
    platform.cloud.fail_next(Fault::Lost(UpstreamFailure::Timeout));
    platform.deploy(&token, &Upload::of("one"));
    platform.cloud.pass(10);
    assert_eq!(platform.reconcile(), 1);
    platform.cloud.pass(100);
    platform.cloud.down.set(true);
    assert_eq!(platform.reconcile(), 1, "the upstream does not answer");
    platform.cloud.down.set(false);
    platform.cloud.pass(60);
    assert_eq!(platform.reconcile(), 0);
    assert_eq!(platform.history(), ["deploy intent", "deploy failed"]);
}

#[test]
fn the_deadline_of_an_intent_counts_from_the_last_upload() {
    let platform = Platform::new();
    let token = platform.alice("dotdo-staging");
    for _ in 0..2 {
        platform.cloud.fail_next(Fault::Lost(UpstreamFailure::Timeout));
    }
    platform.deploy(&token, &Upload::of("one"));
    platform.cloud.pass(80);
    let upload = Upload::of("one").retried();
    {
        let mut deploying = pin!(platform.deploying(&token, "dotdo-staging", &upload));
        while !platform.cloud.faults.borrow().is_empty() {
            assert!(poll(deploying.as_mut()).is_none());
        }
    }
    assert_eq!(platform.cloud.changes().len(), 2);
    // A hundred seconds after the first upload, and twenty after the second, which may still run.
    platform.cloud.pass(20);
    block_on(platform.reconciling());
    assert_eq!(platform.history(), ["deploy intent"]);
    platform.cloud.pass(80);
    assert_eq!(platform.reconcile(), 0);
    assert_eq!(platform.history(), ["deploy intent", "deploy failed"]);
}

#[test]
fn the_reconciler_skips_a_change_in_progress() {
    let platform = Platform::new();
    let token = platform.alice("dotdo-staging");
    let upload = Upload::of("one");
    block_on(async {
        let mut deploying = pin!(platform.deploying(&token, "dotdo-staging", &upload));
        while platform.history().is_empty() {
            assert!(poll(deploying.as_mut()).is_none());
        }
        platform.cloud.pass(80);
        platform.reconciling().await;
        assert_eq!(platform.open(), 1, "the lease has not expired");
        assert_eq!(deploying.await.status, 200);
    });
    assert_eq!(platform.history(), ["deploy intent", "deploy succeeded"]);
}

#[test]
fn a_deletion_with_a_lost_response_is_reconciled_with_the_remote_state() {
    let target = v1::target("dotdo-staging", "agents").unwrap();
    for (fault, outcome) in [
        (Fault::Lost(UpstreamFailure::Timeout), "delete failed"),
        (Fault::LostAfter(UpstreamFailure::Timeout), "delete succeeded"),
    ] {
        let platform = Platform::new();
        let token = platform.alice("dotdo-staging");
        platform.deploy(&token, &Upload::of("one"));
        platform.cloud.fail_next(fault);
        let lost = platform
            .v1(async |gateway, credential| v1::deletion::delete(gateway, credential, &target, &[]).await);
        // If the upstream was asked at once, the outcome is known already.
        assert_eq!(lost.is_ok(), outcome == "delete succeeded");
        platform.cloud.pass(100);
        assert_eq!(platform.reconcile(), 0);
        assert_eq!(platform.history().last().unwrap(), outcome);
        let serving = platform.deployments("dotdo-staging")[0]["serving"] == true;
        assert_eq!(serving, platform.serves("dotdo-staging").is_some());
        platform.assert_reconciled();
    }
}
