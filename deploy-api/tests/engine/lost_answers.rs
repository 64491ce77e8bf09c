//! Answers of the upstream to changes of secrets and tags and to deletions that are lost.

use deploy_api::code::Code;
use deploy_api::upstream::UpstreamFailure;
use serde_json::{Value, json};

use super::cloud::Fault;
use super::platform::{Answered, Platform};
use super::wrangler_upload::Upload;

const KEY: &str = "dotdo-staging/agents";
const SECRET: &str = "PUT /v1/namespaces/dotdo-staging/workers/agents/secrets/TOKEN";
const TAGS: &str = "PUT /v1/namespaces/dotdo-staging/workers/agents/tags";
const REMOVE: &str = "DELETE /v1/namespaces/dotdo-staging/workers/agents/secrets/TOKEN";

fn deployed() -> (Platform, String) {
    let platform = Platform::new();
    let token = platform.alice("dotdo-staging");
    assert_eq!(platform.deploy(&token, &Upload::of("1")).status, 200);
    (platform, token)
}

fn call(platform: &Platform, token: &str, line: &str) -> Answered {
    let body = match line {
        SECRET => r#"{"text": "x"}"#,
        TAGS => r#"["a"]"#,
        _ => "",
    };
    platform.call(token, line, body)
}

#[test]
fn a_change_whose_lost_answer_can_be_determined_succeeds() {
    let (platform, token) = deployed();
    for line in [SECRET, TAGS, REMOVE] {
        platform
            .cloud
            .fail_next(Fault::LostAfter(UpstreamFailure::Timeout));
        let answer = call(&platform, &token, line);
        assert_eq!(answer.status, 200, "{line}: {}", answer.text());
    }
    platform.assert_reconciled();
    let scripts = platform.cloud.scripts.borrow();
    assert_eq!(scripts.get(KEY).unwrap().tags[0], "a");
}

#[test]
fn a_change_stays_open_until_the_upstream_can_no_longer_execute_it() {
    for line in [SECRET, TAGS] {
        let (platform, token) = deployed();
        platform.cloud.fail_next(Fault::Lost(UpstreamFailure::Timeout));
        let lost = call(&platform, &token, line);
        assert_eq!(lost.status, 504, "{line}");
        let other = platform.deploy(&token, &Upload::of("2"));
        assert_eq!(other.codes(), [u64::from(Code::DeploymentUnsettled.number())]);
        assert_eq!(platform.reconcile(), 1, "{line}: it may still be executed");
        platform.cloud.pass(100);
        assert_eq!(platform.reconcile(), 0, "{line}");
        assert!(
            platform.history().last().unwrap().ends_with("failed"),
            "{line}: {:?}",
            platform.history()
        );
        platform.assert_reconciled();
    }
}

#[test]
fn a_change_that_is_executed_late_is_recorded_as_succeeded() {
    let (platform, token) = deployed();
    platform.cloud.fail_next(Fault::Lost(UpstreamFailure::Timeout));
    call(&platform, &token, SECRET);
    platform
        .cloud
        .scripts
        .borrow_mut()
        .set_secret_outside(KEY, "TOKEN");
    platform.cloud.pass(100);
    assert_eq!(platform.reconcile(), 0);
    assert_eq!(platform.history().last().unwrap(), "secret_put succeeded");
    let shown = platform.call(&token, "GET /v1/namespaces/dotdo-staging/workers/agents", "");
    assert_eq!(shown.body["drift"], Value::Null, "{}", shown.text());
}

#[test]
fn an_outcome_that_the_upstream_does_not_tell_is_recorded_as_unknown() {
    let (platform, token) = deployed();
    assert_eq!(call(&platform, &token, SECRET).status, 200);
    // The secret exists, and its value cannot be read.
    platform.cloud.fail_next(Fault::Lost(UpstreamFailure::Timeout));
    assert_eq!(call(&platform, &token, SECRET).status, 504);
    platform.cloud.pass(100);
    assert_eq!(platform.reconcile(), 0);
    let entries = platform.record();
    let entry = entries
        .iter()
        .rfind(|entry| entry["verb"] == "secret_put")
        .unwrap();
    assert_eq!(entry["outcome"], "unknown");
    assert!(
        entry["reason"]["cause"]
            .as_str()
            .unwrap()
            .contains("repeat the change"),
        "{entry}"
    );
    assert_eq!(call(&platform, &token, SECRET).status, 200);
    platform.assert_reconciled();
}

#[test]
fn the_first_secret_or_tag_hides_nothing_that_the_upstream_has() {
    for first in [SECRET, TAGS] {
        let platform = Platform::new();
        let token = platform.alice("dotdo-staging");
        {
            let mut scripts = platform.cloud.scripts.borrow_mut();
            scripts.upload_outside(KEY, "old");
            let script = scripts.by_key.get_mut(KEY).unwrap();
            script.tags = vec!["a".to_owned()];
            script.migration_tag = Some("v1".to_owned());
        }
        assert_eq!(call(&platform, &token, first).status, 200);
        assert_eq!(platform.deploy(&token, &Upload::of("1")).status, 200);
        let deployment = platform.deployments("dotdo-staging").remove(0);
        assert_eq!(deployment["migration_tag"], "v1", "{first}");
        assert_eq!(deployment["tags"], json!(["a"]), "{first}");
        let scripts = platform.cloud.scripts.borrow();
        assert_eq!(scripts.get(KEY).unwrap().tags[0], "a");
    }
}

#[test]
fn a_deletion_that_is_executed_late_brings_no_tags_back() {
    let (platform, token) = deployed();
    assert_eq!(call(&platform, &token, TAGS).status, 200);
    platform.cloud.fail_next(Fault::Lost(UpstreamFailure::Timeout));
    let lost = platform.call(&token, "DELETE /v1/namespaces/dotdo-staging/workers/agents", "");
    assert_eq!(lost.status, 504);
    platform.cloud.pass(100);
    assert_eq!(platform.reconcile(), 0);
    assert_eq!(platform.history().last().unwrap(), "delete failed");
    // Later than the upstream may take.
    platform.cloud.scripts.borrow_mut().by_key.remove(KEY);
    assert_eq!(platform.deploy(&token, &Upload::of("2")).status, 200);
    assert_eq!(platform.deployments("dotdo-staging")[0]["tags"], json!([]));
    platform.assert_reconciled();
}
