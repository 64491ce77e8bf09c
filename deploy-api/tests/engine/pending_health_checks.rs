//! The process ends between an upload and the end of its probe.

use deploy_api::code::Code;
use deploy_api::ledger::calls;
use deploy_api::v1;
use futures_executor::block_on;
use futures_util::future::join;
use serde_json::{Value, json};

use super::health_checks::{answer, with_probe};
use super::platform::Platform;
use super::reconciler::killed_after;
use super::wrangler_upload::Upload;

/// Serves "one", and whatever is deployed next must answer 204, and does not.
fn with_failing_probe() -> (Platform, String) {
    let (platform, token) = with_probe("/");
    *platform.cloud.probes.borrow_mut() = [answer(500)].into();
    (platform, token)
}

/// The same, with "two" uploaded and the process ended before that was on record, or, if it `is_on_record`, before the
/// probe was made.
fn uploaded(is_on_record: bool) -> (Platform, String) {
    for turns in 1.. {
        let (platform, token) = with_failing_probe();
        assert!(!killed_after(&platform, &token, &Upload::of("two"), turns));
        let is_uploaded = platform.serves("dotdo-staging").unwrap() == "two";
        let recorded = platform.deployments("dotdo-staging")[0]["state"] == "succeeded";
        let is_new = platform.deployments("dotdo-staging").len() == 2;
        if is_uploaded && is_new && recorded == is_on_record {
            assert!(platform.cloud.probed.borrow().is_empty());
            platform.cloud.pass(100);
            return (platform, token);
        }
    }
    unreachable!("an upload ends")
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
fn the_sweeper_makes_the_probe_and_rolls_back_what_fails_it() {
    for is_on_record in [false, true] {
        let (platform, _) = uploaded(is_on_record);
        assert_eq!(platform.reconcile(), 0);
        assert_eq!(platform.serves("dotdo-staging").unwrap(), "one");
        assert_eq!(states(&platform), pairs(&ROLLED_BACK));
        let record = platform.record();
        let [.., back, rolled_back] = record.as_slice() else {
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
        for entry in [back, rolled_back] {
            assert_eq!(
                entry["identity"]["subject"], "alice",
                "in the name of whoever deployed"
            );
            assert_eq!(entry["authority"]["rule"], "alice");
            assert_eq!(
                entry["client"].get("address"),
                None,
                "nobody's request was at work"
            );
        }
        platform.is_settled();
        assert_eq!(platform.reconcile(), 0, "it is made once");
    }
}

#[test]
fn wherever_the_process_ends_nothing_serves_that_failed_its_probe() {
    for turns in 1.. {
        let (platform, token) = with_failing_probe();
        let ended = killed_after(&platform, &token, &Upload::of("two"), turns);
        platform.cloud.pass(100);
        assert_eq!(platform.reconcile(), 0, "after {turns} turns");
        assert_eq!(
            platform.serves("dotdo-staging").unwrap(),
            "one",
            "after {turns} turns"
        );
        let kept: Vec<_> = states(&platform)
            .into_iter()
            .filter(|(verb, state)| verb == "deploy" && state == "succeeded")
            .collect();
        assert_eq!(kept.len(), 1, "the first one, after {turns} turns");
        platform.is_settled();
        if ended {
            assert!(turns > 12, "{turns}");
            return;
        }
    }
}

#[test]
fn what_passes_stays_and_is_on_record_as_verified() {
    let (platform, _) = uploaded(false);
    *platform.cloud.probes.borrow_mut() = [answer(204)].into();
    assert_eq!(platform.reconcile(), 0);
    assert_eq!(platform.serves("dotdo-staging").unwrap(), "two");
    assert_eq!(platform.story()[4..], ["deploy succeeded", "verify succeeded"]);
    platform.is_settled();
}

#[test]
fn a_retry_is_told_the_result_of_its_health_check() {
    for is_on_record in [false, true] {
        let (platform, token) = uploaded(is_on_record);
        platform.reconcile();
        let answered = platform.deploy(&token, &Upload::of("two"));
        assert_eq!(answered.codes(), [u64::from(Code::HealthCheckFailed.number())]);
        assert!(answered.text().contains("was rolled back"), "{}", answered.text());
        assert_eq!(platform.serves("dotdo-staging").unwrap(), "one");
        assert_eq!(states(&platform)[2..], pairs(&ROLLED_BACK));
        platform.is_settled();
    }
}

#[test]
fn the_next_change_comes_after_the_probe() {
    let (platform, token) = uploaded(true);
    *platform.cloud.probes.borrow_mut() = [answer(500), answer(500), answer(500), answer(204)].into();
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
        "a rollback from the third leads to the first"
    );
    platform.is_settled();
}

#[test]
fn a_locked_worker_is_probed_and_not_changed() {
    let (platform, _) = uploaded(true);
    let target = v1::target("dotdo-staging", "agents").unwrap();
    platform
        .access(|access, caller| calls::locks::lock_worker(access, caller, &target, br#"{"why": "stop"}"#))
        .unwrap();
    assert_eq!(platform.reconcile(), 0);
    assert_eq!(platform.serves("dotdo-staging").unwrap(), "two");
    assert_eq!(platform.story().last().unwrap(), "verify failed");
    assert_eq!(platform.reconcile(), 0);
}

#[test]
fn what_was_deployed_past_the_api_meanwhile_is_left_alone() {
    let (platform, _) = uploaded(true);
    platform
        .cloud
        .scripts
        .borrow_mut()
        .held
        .get_mut("dotdo-staging/agents")
        .unwrap()
        .tags = vec![];
    assert_eq!(platform.reconcile(), 0);
    assert_eq!(platform.serves("dotdo-staging").unwrap(), "two");
    assert!(platform.cloud.probed.borrow().is_empty());
    assert_eq!(platform.story().last().unwrap(), "verify failed");
}

#[test]
fn while_the_upstream_cannot_be_asked_the_probe_stays_owed() {
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
    platform.is_settled();
}
