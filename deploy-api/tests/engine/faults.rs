use deploy_api::code::Code;
use deploy_api::upstream::UpstreamFailure;

use super::cloud::{Fault, REFUSED};
use super::platform::Platform;
use super::wrangler_upload::Upload;

const HTML: &str = "<html><body>502 Bad Gateway</body></html>";

#[test]
fn a_rejection_by_the_upstream_returns_the_upstream_error_first() {
    let platform = Platform::new();
    let token = platform.alice("dotdo-staging");
    platform.cloud.fail_next(Fault::Answer(400, REFUSED));
    let answer = platform.deploy(&token, &Upload::of("1"));
    assert_eq!(answer.status, 422);
    assert_eq!(answer.codes(), [10021, u64::from(Code::UpstreamRefused.number())]);
    assert_eq!(platform.history(), ["deploy intent", "deploy failed"]);
    assert_eq!(platform.record()[1]["reason"]["upstream_code"], 10021);
    let deployments = platform.deployments("dotdo-staging");
    assert_eq!(deployments[0]["state"], "failed");
    assert_eq!(deployments[0]["failure"]["upstream_code"], 10021);
    platform.assert_reconciled();
}

#[test]
fn a_failure_without_a_remote_script_is_a_failed_deployment() {
    for (fault, code) in [
        (Fault::Answer(500, REFUSED), Code::UpstreamUnavailable),
        (Fault::Answer(429, HTML), Code::UpstreamRateLimited),
        (Fault::Answer(403, REFUSED), Code::UpstreamCredentialRefused),
        (Fault::Answer(403, HTML), Code::UpstreamUnavailable),
    ] {
        let platform = Platform::new();
        let token = platform.alice("dotdo-staging");
        platform.cloud.fail_next(fault.clone());
        let answer = platform.deploy(&token, &Upload::of("1"));
        assert_eq!(answer.status, code.status(), "{fault:?}");
        assert!(answer.codes().contains(&code.number().into()), "{fault:?}");
        assert!(!answer.codes().contains(&10000), "on which wrangler goes astray");
        assert_eq!(
            platform.history(),
            ["deploy intent", "deploy failed"],
            "{fault:?}"
        );
        assert_eq!(platform.serves("dotdo-staging"), None);
        platform.assert_reconciled();
        // wrangler retries, and the result is one uploaded deployment.
        assert_eq!(platform.deploy(&token, &Upload::of("1")).status, 200);
        assert_eq!(platform.cloud.scripts.borrow().uploads, 1);
    }
}

#[test]
fn a_rate_limit_error_has_retry_after() {
    let platform = Platform::new();
    let token = platform.alice("dotdo-staging");
    platform.cloud.fail_next(Fault::Answer(429, HTML));
    let answer = platform.deploy(&token, &Upload::of("1"));
    assert_eq!(answer.status, 429);
    assert!(answer.headers.contains(&("retry-after", "7".to_owned())));
}

#[test]
fn a_deploy_with_a_lost_response_succeeds_if_the_upload_was_processed() {
    for fault in [
        Fault::LostAfter(UpstreamFailure::Timeout),
        Fault::LostAfter(UpstreamFailure::Connection),
        Fault::LostAfter(UpstreamFailure::Interrupted),
        Fault::AnswerAfter(502, HTML),
        Fault::AnswerAfter(500, REFUSED),
        Fault::AnswerAfter(200, HTML),
    ] {
        let platform = Platform::new();
        let token = platform.alice("dotdo-staging");
        platform.cloud.fail_next(fault.clone());
        let answer = platform.deploy(&token, &Upload::of("1"));
        assert_eq!(answer.status, 200, "{fault:?}: {}", answer.text());
        assert_eq!(
            platform.history(),
            ["deploy intent", "deploy succeeded"],
            "{fault:?}"
        );
        platform.assert_reconciled();
    }
}

#[test]
fn a_retry_continues_a_change_whose_response_was_lost() {
    for (fault, code) in [
        (Fault::Lost(UpstreamFailure::Timeout), Code::UpstreamTimeout),
        (
            Fault::Lost(UpstreamFailure::Connection),
            Code::UpstreamUnavailable,
        ),
        (Fault::Answer(502, HTML), Code::UpstreamUnavailable),
    ] {
        let platform = Platform::new();
        let token = platform.alice("dotdo-staging");
        let upload = Upload::of("1");
        platform.cloud.fail_next(fault.clone());
        let lost = platform.deploy(&token, &upload);
        assert_eq!(lost.codes(), [u64::from(code.number())], "{fault:?}");
        assert!(lost.status >= 500, "wrangler retries only after these");
        // Another change waits until the outcome is known.
        let other = platform.deploy(&token, &Upload::of("2"));
        assert_eq!(other.codes(), [u64::from(Code::DeploymentUnsettled.number())]);
        assert!(other.headers.iter().any(|(name, _)| *name == "retry-after"));
        let again = platform.deploy(&token, &upload.retried());
        assert_eq!(again.status, 200, "{}", again.text());
        assert_eq!(
            platform.history(),
            ["deploy intent", "deploy failed", "deploy succeeded"],
            "the failed entry is the rejection of the other change"
        );
        let deployments = platform.deployments("dotdo-staging");
        assert_eq!(deployments.len(), 1, "the retry creates no second deployment");
        platform.assert_reconciled();
        assert_eq!(platform.deploy(&token, &Upload::of("2")).status, 200);
    }
}

#[test]
fn a_retry_returns_the_lost_deploy_when_the_upstream_is_available_again() {
    let platform = Platform::new();
    let token = platform.alice("dotdo-staging");
    let upload = Upload::of("1");
    // The outcome of the deploy is lost, and the upstream is unavailable for a while.
    platform.deploy(&token, &Upload::of("0"));
    platform.cloud.fail_next(Fault::Down);
    let lost = platform.deploy(&token, &upload);
    assert_eq!(lost.status, 502);
    platform.cloud.down.set(false);
    let again = platform.deploy(&token, &upload);
    assert_eq!(again.status, 200);
    assert_eq!(platform.deployments("dotdo-staging").len(), 2);
    platform.assert_reconciled();
}

#[test]
fn when_the_bundle_store_fails_nothing_is_deployed() {
    let platform = Platform::new();
    let token = platform.alice("dotdo-staging");
    platform.cloud.store_fails.set(true);
    let answer = platform.deploy(&token, &Upload::of("1"));
    assert_eq!(answer.codes(), [u64::from(Code::BundleStoreUnavailable.number())]);
    assert_eq!(platform.cloud.changes(), [""; 0]);
    assert_eq!(platform.history(), ["deploy intent", "deploy failed"]);
    platform.assert_reconciled();
}

#[test]
fn when_the_intent_cannot_be_written_nothing_is_deployed() {
    for part in [
        "INSERT INTO audit",
        "INSERT INTO open_intents",
        "INSERT INTO deployments",
    ] {
        let platform = Platform::new();
        let token = platform.alice("dotdo-staging");
        platform.sql.fail_at(part);
        let answer = platform.deploy(&token, &Upload::of("1"));
        assert_eq!(
            answer.codes(),
            [u64::from(Code::RecordUnavailable.number())],
            "{part}"
        );
        assert_eq!(platform.cloud.changes(), [""; 0], "{part}");
        assert_eq!(platform.history(), [""; 0], "{part}");
    }
}

#[test]
fn an_unrecorded_outcome_is_reported_and_the_retry_records_it() {
    let platform = Platform::new();
    let token = platform.alice("dotdo-staging");
    platform.sql.fail_at("UPDATE deployments");
    let answer = platform.deploy(&token, &Upload::of("1"));
    assert_eq!(answer.status, 503);
    assert_eq!(
        platform.history(),
        ["deploy intent"],
        "a success is always recorded"
    );
    platform.sql.heal();
    platform.cloud.pass(100);
    assert_eq!(platform.reconcile(), 0);
    let again = platform.deploy(&token, &Upload::of("1"));
    assert_eq!(again.status, 200);
    assert_eq!(platform.cloud.scripts.borrow().uploads, 1);
    assert_eq!(
        platform.history(),
        ["deploy intent", "deploy succeeded", "deploy replayed"]
    );
    platform.assert_reconciled();
}
