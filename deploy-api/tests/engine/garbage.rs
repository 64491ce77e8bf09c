//! Which objects of the bundle store the reconciler deletes.

use deploy_api::deploys::collect_garbage;
use deploy_api::v1;
use futures_executor::block_on;

use super::platform::Platform;
use super::wrangler_upload::Upload;

const DAY: i64 = 24 * 60 * 60;

/// Objects that no deployment needs, one under each prefix from which objects are deleted.
const UNREFERENCED: [&str; 3] = ["assets/session/1", "bundles/unused", "staging/attempt"];

/// Objects that are never deleted.
const KEPT: [&str; 2] = ["audit/000000000001-1000.ndjson", "sha256/unused"];

fn insert(platform: &Platform, keys: &[&str]) {
    platform.cloud.stored.set_time(platform.cloud.now.get());
    for key in keys {
        platform.cloud.stored.insert(key, b"content".to_vec());
    }
}

fn has(platform: &Platform, keys: &[&str]) -> Vec<bool> {
    let stored = platform.cloud.stored.keys();
    keys.iter()
        .map(|key| stored.iter().any(|stored| stored == key))
        .collect()
}

#[test]
fn only_old_unreferenced_objects_are_deleted() {
    let platform = Platform::new();
    let token = platform.alice("dotdo-staging");
    platform.deploy(&token, &Upload::of("one"));
    platform.deploy(&token, &Upload::of("two"));
    let bundles = platform.cloud.stored.keys();
    assert_eq!(bundles.len(), 2);
    insert(&platform, &UNREFERENCED);
    insert(&platform, &KEPT);

    platform.cloud.pass(DAY - 60);
    platform.reconcile();
    assert_eq!(
        has(&platform, &UNREFERENCED),
        [true; 3],
        "they are less than 24 hours old"
    );

    platform.cloud.pass(6 * 60 * 60);
    insert(&platform, &["staging/young"]);
    platform.reconcile();
    assert_eq!(has(&platform, &UNREFERENCED), [false; 3]);
    assert_eq!(has(&platform, &KEPT), [true; 2]);
    assert_eq!(has(&platform, &["staging/young"]), [true]);
    let stored = platform.cloud.stored.keys();
    assert!(bundles.iter().all(|bundle| stored.contains(bundle)), "{stored:?}");
}

#[test]
fn objects_of_a_deleted_worker_are_kept_for_30_days() {
    let platform = Platform::new();
    let token = platform.alice("dotdo-staging");
    platform.deploy(&token, &Upload::of("one"));
    let bundles = platform.cloud.stored.keys();
    let target = v1::target("dotdo-staging", "agents").unwrap();
    platform
        .v1(async |gateway, credential| v1::deletion::delete(gateway, credential, &target, &[]).await)
        .unwrap();

    platform.cloud.pass(29 * DAY);
    platform.reconcile();
    assert_eq!(platform.cloud.stored.keys(), bundles);
    platform.cloud.pass(2 * DAY);
    platform.reconcile();
    assert!(platform.cloud.stored.keys().is_empty());
}

#[test]
fn a_failure_of_the_bundle_store_deletes_nothing_and_is_retried() {
    let platform = Platform::new();
    insert(&platform, &UNREFERENCED);
    platform.cloud.pass(2 * DAY);
    platform.cloud.store_fails.set(true);
    let failed = block_on(platform.gateway(async |gateway| collect_garbage(gateway).await));
    assert!(failed.is_err());
    platform.cloud.store_fails.set(false);
    let deleted = block_on(platform.gateway(async |gateway| collect_garbage(gateway).await));
    assert_eq!(deleted.unwrap(), UNREFERENCED.len());
}
