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

/// Deploys, and ends the process in the middle: after so many turns of the request. Says whether it came to its end.
pub fn killed_after(platform: &Platform, token: &str, upload: &Upload, turns: usize) -> bool {
    let mut deploying = pin!(platform.deploying(token, "dotdo-staging", upload));
    (0..turns).any(|_| poll(deploying.as_mut()).is_some())
}

/// Ends the process at each moment of a deploy in turn, and gives how many moments there were.
fn crashes(prepare: impl Fn(&Platform)) -> usize {
    for turns in 1.. {
        let platform = Platform::new();
        let token = platform.alice("dotdo-staging");
        platform.deploy(&token, &Upload::of("one"));
        prepare(&platform);
        if killed_after(&platform, &token, &Upload::of("two"), turns) {
            return turns - 1;
        }
        platform.cloud.pass(100);
        assert_eq!(platform.reconcile(), 0, "after {turns} turns");
        platform.is_settled();
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
            "what is on record is what serves, after {turns} turns"
        );
        assert!(
            deployments
                .iter()
                .all(|deployment| deployment["state"] != "pending"),
            "after {turns} turns"
        );
        // The same upload again is one deployment more at most.
        let before = platform.cloud.scripts.borrow().uploads;
        platform.deploy(&token, &Upload::of("two"));
        assert!(
            platform.cloud.scripts.borrow().uploads <= before + 2,
            "the upload and its rollback"
        );
        platform.is_settled();
    }
    unreachable!("a deploy ends")
}

#[test]
fn a_crash_at_any_moment_is_found_and_closed_by_what_is_really_there() {
    let moments = crashes(|_| {});
    assert!(moments >= 4, "{moments}");
}

#[test]
fn a_crash_while_a_failed_probe_is_rolled_back_is_closed_as_well() {
    let moments = crashes(|platform| {
        let target = v1::target("dotdo-staging", "agents").unwrap();
        platform
            .access(|access, caller| {
                calls::health_check::put(access, caller, &target, br#"{"path": "/", "expect": 204}"#)
            })
            .unwrap();
    });
    assert!(moments >= 12, "{moments}");
}

#[test]
fn an_intent_whose_call_may_still_be_at_work_is_left_open() {
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
    assert_eq!(platform.story(), ["deploy intent", "deploy failed"]);
}

#[test]
fn the_reconciler_leaves_a_change_alone_that_is_under_way() {
    let platform = Platform::new();
    let token = platform.alice("dotdo-staging");
    let upload = Upload::of("one");
    block_on(async {
        let mut deploying = pin!(platform.deploying(&token, "dotdo-staging", &upload));
        while platform.story().is_empty() {
            assert!(poll(deploying.as_mut()).is_none());
        }
        platform.cloud.pass(80);
        platform.reconciling().await;
        assert_eq!(platform.open(), 1, "its time is not over");
        assert_eq!(deploying.await.status, 200);
    });
    assert_eq!(platform.story(), ["deploy intent", "deploy succeeded"]);
}

#[test]
fn a_deletion_whose_answer_was_lost_is_settled_by_asking() {
    let target = v1::target("dotdo-staging", "agents").unwrap();
    for (fault, outcome) in [
        (Fault::Lost(UpstreamFailure::Timeout), "delete failed"),
        (Fault::LostAfter(UpstreamFailure::Timeout), "delete succeeded"),
    ] {
        let platform = Platform::new();
        let token = platform.alice("dotdo-staging");
        platform.deploy(&token, &Upload::of("one"));
        platform.cloud.fail_next(fault);
        let lost =
            platform.v1(async |gateway, credential| v1::workers::delete(gateway, credential, &target).await);
        assert!(lost.is_err());
        platform.cloud.pass(100);
        assert_eq!(platform.reconcile(), 0);
        assert_eq!(platform.story().last().unwrap(), outcome);
        let serving = platform.deployments("dotdo-staging")[0]["serving"] == true;
        assert_eq!(serving, platform.serves("dotdo-staging").is_some());
        platform.is_settled();
    }
}
