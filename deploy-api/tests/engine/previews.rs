//! Previews: Workers in development that are deleted when they expire.

use std::pin::{Pin, pin};
use std::task::{Context, Waker};

use deploy_api::deployments::WorkerUrls;
use deploy_api::ledger::calls;
use deploy_api::v1;
use futures_executor::block_on;
use serde_json::{Value, json};

use super::cloud::Fault;
use super::platform::Platform;
use super::wrangler_upload::Upload;

const HOUR: i64 = 60 * 60;
const DAY: i64 = 24 * HOUR;
const NAMESPACE: &str = "dotdo-development";
const PREVIEW: &str = "agents-pr-12";

fn deploy(platform: &Platform, namespace: &str, worker: &str, code: &str) {
    let token = platform.alice(namespace);
    let target = v1::target(namespace, worker).unwrap();
    let answered = block_on(platform.deploying_as(&token, &target, &Upload::of(code)));
    assert_eq!(answered.status, 200, "{}", answered.text());
}

/// A platform with a preview.
fn with_preview() -> Platform {
    let platform = Platform::new();
    // Only a preview may have the name of an existing Worker with a suffix.
    deploy(&platform, "dotdo-production", "agents", "one");
    deploy(&platform, NAMESPACE, PREVIEW, "one");
    platform
}

fn exists(platform: &Platform, namespace: &str, worker: &str) -> bool {
    let scripts = platform.cloud.scripts.borrow();
    scripts.get(&format!("{namespace}/{worker}")).is_some()
}

fn is_there(platform: &Platform) -> bool {
    exists(platform, NAMESPACE, PREVIEW)
}

fn poll(future: Pin<&mut impl Future>) -> bool {
    future.poll(&mut Context::from_waker(Waker::noop())).is_ready()
}

/// The entries about deletions.
fn deletions(platform: &Platform) -> Vec<Value> {
    let entries = platform.record().into_iter();
    entries.filter(|entry| entry["verb"] == "delete").collect()
}

fn outcomes(platform: &Platform) -> Vec<String> {
    let entries = deletions(platform);
    let outcome = |entry: &Value| entry["outcome"].as_str().unwrap().to_owned();
    entries.iter().map(outcome).collect()
}

#[test]
fn a_preview_is_deleted_14_days_after_its_last_deploy() {
    let platform = with_preview();
    platform.cloud.pass(10 * DAY);
    deploy(&platform, NAMESPACE, PREVIEW, "two");
    let expires = platform.cloud.now.get() + jiff::SignedDuration::from_hours(14 * 24);
    let target = v1::target(NAMESPACE, PREVIEW).unwrap();
    let shown = json!({ "of": "agents", "pull_request": 12, "expires": expires.to_string() });
    let listed = platform
        .v1(async |gateway, credential| v1::workers::list(gateway, credential, target.namespace, &[]).await)
        .unwrap();
    assert_eq!(listed["items"][0]["preview"], shown, "{listed}");
    let deployments = platform
        .access(|access, caller| {
            calls::deployments::list(access, caller, &target, &[], &WorkerUrls::default())
        })
        .unwrap();
    assert_eq!(deployments["items"][0]["preview"], shown, "{deployments}");
    let status = platform.access(calls::status::status).unwrap();
    let previews = &status["namespaces"][2]["previews"];
    assert_eq!(*previews, json!([{ "worker": PREVIEW, "preview": shown }]));

    platform.cloud.pass(14 * DAY - 60);
    platform.reconcile();
    assert!(is_there(&platform), "a minute is left");
    platform.cloud.pass(60);
    platform.reconcile();
    assert!(!is_there(&platform));
    platform.assert_reconciled();
    let entries = deletions(&platform);
    assert_eq!(outcomes(&platform), ["intent", "succeeded"]);
    for entry in &entries {
        assert_eq!(entry["identity"], json!({ "kind": "platform" }), "{entry}");
        assert_eq!(entry["authority"]["rule"], "expired-preview", "{entry}");
        assert_eq!(entry["worker"], PREVIEW);
        assert_eq!(entry["namespace"], NAMESPACE);
    }
    let subject = &entries[0]["subject"];
    assert_eq!(subject["kind"], "expired_preview", "{subject}");
    let recorded: jiff::Timestamp = subject["expired"].as_str().unwrap().parse().unwrap();
    assert_eq!(recorded, expires);
    let status = platform.access(calls::status::status).unwrap();
    assert_eq!(status["namespaces"][2]["previews"], json!([]));

    // A preview that is deployed after it was deleted is a new one.
    deploy(&platform, NAMESPACE, PREVIEW, "three");
    platform.cloud.pass(13 * DAY);
    platform.reconcile();
    assert!(is_there(&platform));
}

#[test]
fn only_previews_in_development_are_deleted() {
    let others = [
        ("dotdo-production", "shop-pr-12"),
        ("dotdo-staging", "shop-pr-12"),
        (NAMESPACE, "agents"),
        (NAMESPACE, "shop-pr-next"),
        (NAMESPACE, "shop-pr-012"),
    ];
    let platform = with_preview();
    for (namespace, worker) in others {
        deploy(&platform, namespace, worker, "one");
    }
    platform.cloud.pass(400 * DAY);
    platform.reconcile();
    assert!(!is_there(&platform));
    for (namespace, worker) in others {
        assert!(exists(&platform, namespace, worker), "{namespace}/{worker}");
    }
}

#[test]
fn a_locked_preview_is_deleted_within_an_hour_after_the_lock() {
    let platform = with_preview();
    let target = v1::target(NAMESPACE, PREVIEW).unwrap();
    platform
        .access(|access, caller| {
            calls::locks::lock_worker(access, caller, &target, br#"{"why": "it is examined"}"#)
        })
        .unwrap();
    platform.cloud.pass(15 * DAY);
    platform.reconcile();
    assert!(is_there(&platform));
    assert_eq!(
        outcomes(&platform),
        [""; 0],
        "nothing is recorded again and again"
    );
    platform
        .access(|access, caller| calls::locks::unlock_worker(access, caller, &target))
        .unwrap();
    platform.cloud.pass(HOUR);
    platform.reconcile();
    assert!(!is_there(&platform));
}

#[test]
fn a_deploy_that_is_open_when_a_preview_expires_renews_it() {
    let platform = with_preview();
    let token = platform.alice(NAMESPACE);
    platform.cloud.pass(14 * DAY - 10);
    let before = platform.history().len();
    let upload = Upload::of("two");
    let preview = v1::target(NAMESPACE, PREVIEW).unwrap();
    block_on(async {
        let mut deploying = pin!(platform.deploying_as(&token, &preview, &upload));
        while platform.history().len() == before {
            assert!(!poll(deploying.as_mut()));
        }
        platform.cloud.pass(20);
        platform.reconciling().await;
        assert_eq!(deploying.await.status, 200);
    });
    platform.reconcile();
    platform.cloud.pass(2 * HOUR);
    platform.reconcile();
    assert!(is_there(&platform));
    assert_eq!(outcomes(&platform), [""; 0]);
}

#[test]
fn a_deploy_during_the_deletion_comes_after_it() {
    let platform = with_preview();
    let token = platform.alice(NAMESPACE);
    platform.cloud.pass(14 * DAY);
    let upload = Upload::of("two");
    let preview = v1::target(NAMESPACE, PREVIEW).unwrap();
    block_on(async {
        let mut reconciling = pin!(platform.reconciling());
        while outcomes(&platform).is_empty() {
            assert!(!poll(reconciling.as_mut()));
        }
        let mut deploying = pin!(platform.deploying_as(&token, &preview, &upload));
        for _ in 0..100 {
            assert!(!poll(deploying.as_mut()), "it waits for the deletion");
        }
        reconciling.await;
        assert_eq!(deploying.await.status, 200);
    });
    platform.reconcile();
    assert!(is_there(&platform));
    assert_eq!(outcomes(&platform), ["intent", "succeeded"]);
}

#[test]
fn a_crash_at_any_point_of_the_deletion_is_continued() {
    for polls in 1.. {
        let platform = with_preview();
        platform.cloud.pass(14 * DAY);
        let is_complete = {
            let mut reconciling = pin!(platform.reconciling());
            (0..polls).any(|_| poll(reconciling.as_mut()))
        };
        platform.restart_ledger();
        // The lease expires, and then the deletion is tried again.
        platform.cloud.pass(100);
        platform.reconcile();
        platform.cloud.pass(HOUR);
        platform.reconcile();
        assert!(!is_there(&platform), "after {polls} polls");
        platform.assert_reconciled();
        let succeeded = outcomes(&platform)
            .iter()
            .filter(|outcome| *outcome == "succeeded")
            .count();
        assert_eq!(succeeded, 1, "after {polls} polls: {:?}", platform.history());
        if is_complete {
            assert!(polls > 6, "{polls}");
            return;
        }
    }
}

#[test]
fn a_deletion_that_fails_is_recorded_and_tried_again() {
    let platform = with_preview();
    platform.cloud.pass(14 * DAY);
    platform.cloud.fail_next(Fault::Answer(400, "{}"));
    platform.reconcile();
    assert!(is_there(&platform));
    assert_eq!(outcomes(&platform), ["intent", "failed"]);
    platform.cloud.pass(HOUR);
    platform.reconcile();
    assert!(!is_there(&platform));
    platform.assert_reconciled();
}

#[test]
fn a_preview_that_was_deleted_without_the_deploy_api_is_recorded_as_deleted() {
    let platform = with_preview();
    platform
        .cloud
        .scripts
        .borrow_mut()
        .by_key
        .remove(&format!("{NAMESPACE}/{PREVIEW}"));
    platform.cloud.pass(14 * DAY);
    platform.reconcile();
    platform.cloud.pass(3 * HOUR);
    platform.reconcile();
    assert_eq!(outcomes(&platform), ["intent", "succeeded"]);
    platform.assert_reconciled();
}

#[test]
fn a_preview_that_its_owner_deleted_is_forgotten() {
    let platform = with_preview();
    let target = v1::target(NAMESPACE, PREVIEW).unwrap();
    platform
        .v1(async |gateway, credential| v1::deletion::delete(gateway, credential, &target, &[]).await)
        .unwrap();
    platform.cloud.pass(15 * DAY);
    platform.reconcile();
    assert_eq!(outcomes(&platform), ["intent", "succeeded"]);
    assert_eq!(deletions(&platform)[0]["identity"]["kind"], "api_token");
}
