use deploy_api::code::Code;
use deploy_api::upstream::UpstreamFailure;

use super::cloud::{Fault, REFUSED};
use super::platform::Platform;
use super::wrangler_upload::Upload;

const HTML: &str = "<html><body>502 Bad Gateway</body></html>";

#[test]
fn a_refusal_of_the_upstream_fails_with_its_own_error_first() {
    let platform = Platform::new();
    let token = platform.alice("dotdo-staging");
    platform.cloud.fail_next(Fault::Answer(400, REFUSED));
    let answer = platform.deploy(&token, &Upload::of("1"));
    assert_eq!(answer.status, 422);
    assert_eq!(answer.codes(), [10021, u64::from(Code::UpstreamRefused.number())]);
    assert_eq!(platform.story(), ["deploy intent", "deploy failed"]);
    assert_eq!(platform.record()[1]["reason"]["upstream_code"], 10021);
    let deployments = platform.deployments("dotdo-staging");
    assert_eq!(deployments[0]["state"], "failed");
    assert_eq!(deployments[0]["failure"]["upstream_code"], 10021);
    platform.is_settled();
}

#[test]
fn a_failure_after_which_nothing_is_there_is_a_failed_deployment() {
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
        assert_eq!(platform.story(), ["deploy intent", "deploy failed"], "{fault:?}");
        assert_eq!(platform.serves("dotdo-staging"), None);
        platform.is_settled();
        // wrangler tries again, and then it is one deployment that went up.
        assert_eq!(platform.deploy(&token, &Upload::of("1")).status, 200);
        assert_eq!(platform.cloud.scripts.borrow().uploads, 1);
    }
}

#[test]
fn a_rate_limit_says_when_to_try_again() {
    let platform = Platform::new();
    let token = platform.alice("dotdo-staging");
    platform.cloud.fail_next(Fault::Answer(429, HTML));
    let answer = platform.deploy(&token, &Upload::of("1"));
    assert_eq!(answer.status, 429);
    assert!(answer.headers.contains(&("retry-after", "7".to_owned())));
}

#[test]
fn a_lost_answer_to_a_deploy_that_went_up_is_a_success() {
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
            platform.story(),
            ["deploy intent", "deploy succeeded"],
            "{fault:?}"
        );
        platform.is_settled();
    }
}

#[test]
fn a_lost_answer_that_may_still_come_true_is_continued_by_the_same_upload() {
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
        assert!(lost.status >= 500, "wrangler tries again on these only");
        // Another change has to wait until it is known what became of it.
        let other = platform.deploy(&token, &Upload::of("2"));
        assert_eq!(other.codes(), [u64::from(Code::DeploymentUnsettled.number())]);
        assert!(other.headers.iter().any(|(name, _)| *name == "retry-after"));
        let again = platform.deploy(&token, &upload.retried());
        assert_eq!(again.status, 200, "{}", again.text());
        assert_eq!(
            platform.story(),
            ["deploy intent", "deploy failed", "deploy succeeded"],
            "the failed one is the other's refusal"
        );
        let deployments = platform.deployments("dotdo-staging");
        assert_eq!(deployments.len(), 1, "the same deployment, once");
        platform.is_settled();
        assert_eq!(platform.deploy(&token, &Upload::of("2")).status, 200);
    }
}

#[test]
fn when_the_upstream_comes_back_the_lost_deploy_is_what_the_retry_finds() {
    let platform = Platform::new();
    let token = platform.alice("dotdo-staging");
    let upload = Upload::of("1");
    // It goes up, and nothing can be asked for a while.
    platform.deploy(&token, &Upload::of("0"));
    platform.cloud.down.set(true);
    let lost = platform.deploy(&token, &upload);
    assert_eq!(lost.status, 502);
    platform.cloud.down.set(false);
    let again = platform.deploy(&token, &upload);
    assert_eq!(again.status, 200);
    assert_eq!(platform.deployments("dotdo-staging").len(), 2);
    platform.is_settled();
}

#[test]
fn when_the_bundle_store_fails_nothing_is_deployed() {
    let platform = Platform::new();
    let token = platform.alice("dotdo-staging");
    platform.cloud.store_fails.set(true);
    let answer = platform.deploy(&token, &Upload::of("1"));
    assert_eq!(answer.codes(), [u64::from(Code::BundleStoreUnavailable.number())]);
    assert_eq!(platform.cloud.changes(), [""; 0]);
    assert_eq!(platform.story(), ["deploy intent", "deploy failed"]);
    platform.is_settled();
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
        assert_eq!(platform.story(), [""; 0], "{part}");
    }
}

#[test]
fn when_the_outcome_cannot_be_written_the_caller_learns_it_and_the_retry_puts_it_right() {
    let platform = Platform::new();
    let token = platform.alice("dotdo-staging");
    platform.sql.fail_at("UPDATE deployments");
    let answer = platform.deploy(&token, &Upload::of("1"));
    assert_eq!(answer.status, 503);
    assert_eq!(
        platform.story(),
        ["deploy intent"],
        "never a success that is not on record"
    );
    platform.sql.heal();
    platform.cloud.pass(100);
    assert_eq!(platform.reconcile(), 0);
    let again = platform.deploy(&token, &Upload::of("1"));
    assert_eq!(again.status, 200);
    assert_eq!(platform.cloud.scripts.borrow().uploads, 1);
    assert_eq!(
        platform.story(),
        ["deploy intent", "deploy succeeded", "deploy replayed"]
    );
    platform.is_settled();
}
