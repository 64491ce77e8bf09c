//! A bundle store whose calls do not end: a call to it has a time limit, and other work does not wait for it.

use deploy_api::code::Code;
use futures_executor::block_on;
use futures_util::future::join;

use super::cloud::yield_once;
use super::platform::Platform;
use super::support::time::at;
use super::wrangler_upload::Upload;

/// The maximum time that a deploy waits for the store: two minutes for the write, and three tries of 15 seconds and two pauses for
/// the check whether the object exists.
const LIMIT: i64 = 120 + 47;

/// The time of the lease of a change, in seconds.
const LEASE: i64 = 90;

#[test]
fn a_deploy_gets_the_error_of_the_store_within_the_time_limit() {
    for size in [1, 2 * 1024 * 1024, 6 * 1024 * 1024] {
        let platform = Platform::new();
        let token = platform.alice("dotdo-staging");
        platform.cloud.store_hangs.set(true);
        let answer = platform.deploy(&token, &Upload::of(&"x".repeat(size)));
        assert_eq!(
            answer.codes(),
            [u64::from(Code::BundleStoreUnavailable.number())],
            "{}",
            answer.text()
        );
        assert!(platform.cloud.now.get() <= at(LIMIT + 1), "{size}");
        assert_eq!(platform.cloud.changes(), [""; 0]);
        platform.cloud.store_hangs.set(false);
        assert_eq!(platform.deploy(&token, &Upload::of("2")).status, 200);
    }
}

#[test]
fn the_reconciler_and_other_deploys_run_while_a_deploy_waits_for_the_store() {
    let platform = Platform::new();
    let token = platform.alice("dotdo-staging");
    let other = platform.alice("dotdo-production");
    platform.cloud.store_hangs.set(true);
    let upload = Upload::of("1");
    let deploying = platform.deploying(&token, "dotdo-staging", &upload);
    let meanwhile = async {
        while platform.history().is_empty() {
            yield_once().await;
        }
        platform.cloud.pass(LEASE + 1);
        // Garbage collection, which is due as well, fails.
        let failed = platform.reconciling_with(None).await.unwrap_err();
        assert_eq!(failed.code, Code::BundleStoreUnavailable);
        assert_eq!(platform.history(), ["deploy intent", "deploy failed"]);
        assert_eq!(platform.open(), 0);
        // It does not call the store before it writes its bundle.
        let second = Upload::of("2");
        let other = platform.deploying(&other, "dotdo-production", &second).await;
        assert_eq!(other.codes(), [u64::from(Code::BundleStoreUnavailable.number())]);
    };
    let (answer, ()) = block_on(join(deploying, meanwhile));
    assert_eq!(
        answer.codes(),
        [u64::from(Code::BundleStoreUnavailable.number())],
        "{}",
        answer.text()
    );
    platform.assert_reconciled();
    platform.cloud.store_hangs.set(false);
    assert_eq!(platform.deploy(&token, &upload).status, 200);
}
