use deploy_api::bundles::ObjectStore;
use deploy_api::code::Code;
use deploy_api::problem::Problem;
use deploy_api::v1;
use futures_executor::block_on;
use serde_json::{Value, json};

use super::platform::Platform;
use super::wrangler_upload::Upload;

pub fn roll_back(platform: &Platform, body: &str) -> Result<Value, Problem> {
    roll_back_with(platform, &[], body)
}

pub fn roll_back_with(
    platform: &Platform,
    parameters: &[(&str, &str)],
    body: &str,
) -> Result<Value, Problem> {
    let target = v1::target("dotdo-staging", "agents").unwrap();
    platform.v1(async |gateway, credential| {
        v1::rollback::rollback(gateway, credential, &target, parameters, body.as_bytes()).await
    })
}

fn deployed(versions: &[&str]) -> Platform {
    let platform = Platform::new();
    let token = platform.alice("dotdo-staging");
    for version in versions {
        assert_eq!(platform.deploy(&token, &Upload::of(version)).status, 200);
    }
    platform
}

#[test]
fn a_rollback_redeploys_the_same_bytes_as_a_new_deployment() {
    let platform = deployed(&["one \0 \u{ff}", "two"]);
    let answer = roll_back(&platform, "").unwrap();
    assert_eq!(platform.serves("dotdo-staging").unwrap(), "one \0 \u{ff}");
    let deployments = platform.deployments("dotdo-staging");
    assert_eq!(deployments.len(), 3);
    assert_eq!(deployments[0]["id"], answer["id"]);
    assert_eq!(deployments[0]["verb"], "rollback");
    assert_eq!(deployments[0]["source"], deployments[2]["id"]);
    assert_eq!(deployments[0]["previous"], deployments[1]["id"]);
    assert_eq!(
        deployments[0]["bundle"], deployments[2]["bundle"],
        "the same digests"
    );
    assert_eq!(platform.history()[4..], ["rollback intent", "rollback succeeded"]);
    platform.assert_reconciled();
}

#[test]
fn a_redeploy_has_each_warning_once_and_none_about_what_its_source_replaced() {
    let platform = deployed(&["one"]);
    let key = "dotdo-staging/agents";
    platform.cloud.scripts.borrow_mut().upload_outside(key, "outside");
    let token = platform.alice("dotdo-staging");
    for version in ["scheduled", "three"] {
        assert_eq!(platform.deploy(&token, &Upload::of(version)).status, 200);
    }
    let codes = |number: usize| -> Vec<String> {
        let deployments = platform.deployments("dotdo-staging");
        let warnings = deployments[number]["warnings"].as_array().unwrap().iter();
        warnings
            .map(|warning| warning["code"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(codes(1), ["TRIGGER_DROPPED", "DRIFT_OVERWRITTEN"]);
    roll_back(&platform, "").unwrap();
    assert_eq!(codes(0), ["TRIGGER_DROPPED"]);
    let source = platform.deployments("dotdo-staging")[0]["id"].clone();
    roll_back(&platform, &json!({ "deployment": source }).to_string()).unwrap();
    assert_eq!(codes(0), ["TRIGGER_DROPPED"], "of a rollback of a rollback");
}

#[test]
fn a_bundle_read_from_the_store_is_not_written_again() {
    let platform = deployed(&["one", "two"]);
    let before = writes(&platform);
    roll_back(&platform, "").unwrap();
    assert_eq!(writes(&platform), before);
}

#[test]
fn two_rollbacks_go_back_two_deployments() {
    let platform = deployed(&["one", "two", "three"]);
    roll_back(&platform, "{}").unwrap();
    assert_eq!(platform.serves("dotdo-staging").unwrap(), "two");
    roll_back(&platform, "").unwrap();
    assert_eq!(platform.serves("dotdo-staging").unwrap(), "one");
    let problem = roll_back(&platform, "").unwrap_err();
    assert_eq!(problem.code, Code::RollbackImpossible);
    assert_eq!(platform.history().last().unwrap(), "rollback denied");
}

#[test]
fn a_rollback_goes_to_a_named_deployment() {
    let platform = deployed(&["one", "two", "three"]);
    let deployments = platform.deployments("dotdo-staging");
    let body = json!({ "deployment": deployments[2]["id"] }).to_string();
    roll_back(&platform, &body).unwrap();
    assert_eq!(platform.serves("dotdo-staging").unwrap(), "one");
    for id in ["nonsense", "01900000-0000-7000-8000-000000000000"] {
        let problem = roll_back(&platform, &json!({ "deployment": id }).to_string()).unwrap_err();
        assert_eq!(problem.code, Code::DeploymentUnknown);
    }
}

#[test]
fn a_rollback_keeps_the_current_secrets() {
    let platform = Platform::new();
    let token = platform.alice("dotdo-staging");
    let with = |code: &str, secret: &str| {
        Upload::of(code)
            .bound(json!({"type": "secret_text", "name": "TOKEN", "text": secret}))
            .bound(json!({"type": "plain_text", "name": "MODE", "text": code}))
    };
    platform.deploy(&token, &with("one", "old"));
    platform.deploy(&token, &with("two", "rotated"));
    roll_back(&platform, "").unwrap();
    let secrets = |platform: &Platform| {
        platform
            .cloud
            .scripts
            .borrow()
            .get("dotdo-staging/agents")
            .unwrap()
            .clone()
    };
    let script = secrets(&platform);
    assert_eq!(
        script.secrets["TOKEN"], "rotated",
        "a rotated secret never comes back"
    );
    assert_eq!(
        script.metadata["bindings"],
        json!([{"type": "plain_text", "name": "MODE", "text": "one"}])
    );
    // If a secret of the deployment is no longer set, it would be missing at run time.
    platform.call(
        &token,
        "DELETE A/workers/scripts/agents/secrets/TOKEN?url_encoded=true",
        "",
    );
    let deployments = platform.deployments("dotdo-staging");
    let body = json!({ "deployment": deployments[1]["id"] }).to_string();
    let problem = roll_back(&platform, &body).unwrap_err();
    assert_eq!(problem.code, Code::SecretsMissing);
    assert!(problem.detail.contains("TOKEN"));
}

#[test]
fn a_missing_or_damaged_bundle_is_not_deployed() {
    let platform = deployed(&["one", "two"]);
    let uploads = platform.cloud.scripts.borrow().uploads;
    for key in platform.cloud.stored.keys() {
        let mut damaged = platform.cloud.stored.object(&key).unwrap();
        damaged[0] ^= 1;
        platform.cloud.stored.insert(&key, damaged);
    }
    assert_eq!(roll_back(&platform, "").unwrap_err().code, Code::BundleMissing);
    block_on(platform.cloud.stored.delete(&platform.cloud.stored.keys())).unwrap();
    assert_eq!(roll_back(&platform, "").unwrap_err().code, Code::BundleMissing);
    platform.cloud.store_fails.set(true);
    let problem = roll_back(&platform, "").unwrap_err();
    assert_eq!(problem.code, Code::BundleStoreUnavailable);
    assert_eq!(platform.cloud.scripts.borrow().uploads, uploads);
    platform.assert_reconciled();
}

#[test]
fn a_rollback_needs_its_own_action() {
    let platform = deployed(&["one", "two"]);
    let target = v1::target("dotdo-staging", "agents").unwrap();
    let mallory = super::support::callers::person("mallory");
    let problem = platform
        .v1_by(&mallory, async |gateway, credential| {
            v1::rollback::rollback(gateway, credential, &target, &[], b"").await
        })
        .unwrap_err();
    assert_eq!(problem.code, Code::PermissionDenied);
    assert_eq!(platform.serves("dotdo-staging").unwrap(), "two");
}

/// The number of writes to the bundle store.
fn writes(platform: &Platform) -> usize {
    let calls = platform.cloud.stored.calls();
    calls.iter().filter(|call| call.starts_with("put ")).count()
}
