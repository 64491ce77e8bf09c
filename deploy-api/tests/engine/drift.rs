use deploy_api::code::Code;
use deploy_api::problem::Problem;
use deploy_api::v1;
use dotdo_names::Environment;
use serde_json::{Value, json};

use super::platform::Platform;
use super::support::callers::grant;
use super::wrangler_upload::Upload;

const KEY: &str = "dotdo-staging/agents";

/// A platform on which agents was deployed to staging, and the token of the deploy.
fn deployed() -> (Platform, String) {
    let platform = Platform::new();
    let token = platform.alice("dotdo-staging");
    assert_eq!(platform.deploy(&token, &Upload::of("1")).status, 200);
    platform.cloud.pass(60);
    (platform, token)
}

fn get(platform: &Platform) -> Result<Value, Problem> {
    let target = v1::target("dotdo-staging", "agents").unwrap();
    platform.v1(async |gateway, credential| v1::workers::get(gateway, credential, &target).await)
}

fn list(platform: &Platform) -> Vec<Value> {
    let page = platform
        .v1(async |gateway, credential| {
            v1::workers::list(gateway, credential, Environment::Staging.into(), &[]).await
        })
        .unwrap();
    page["items"].as_array().unwrap().clone()
}

fn verify(platform: &Platform) -> Value {
    let target = v1::target("dotdo-staging", "agents").unwrap();
    platform
        .v1(async |gateway, credential| v1::verify::verify(gateway, credential, &target, &[]).await)
        .unwrap()
}

fn resolve(platform: &Platform, how: &str) -> Result<Value, Problem> {
    resolve_with(platform, how, &[])
}

fn resolve_with(platform: &Platform, how: &str, parameters: &[(&str, &str)]) -> Result<Value, Problem> {
    let target = v1::target("dotdo-staging", "agents").unwrap();
    let body = json!({ "resolve": how }).to_string();
    platform.v1(async |gateway, credential| {
        v1::drift::resolve(gateway, credential, &target, parameters, body.as_bytes()).await
    })
}

/// The number of entries with the action `drift`.
fn recorded(platform: &Platform) -> usize {
    let history = platform.history();
    history.iter().filter(|entry| *entry == "drift succeeded").count()
}

#[test]
fn changes_through_the_api_are_no_drift() {
    let (platform, token) = deployed();
    let assert_none = |when: &str| {
        platform.cloud.pass(601);
        platform.reconcile();
        assert_eq!(get(&platform).unwrap()["drift"], Value::Null, "{when}");
        assert_eq!(verify(&platform)["verified"], true, "{when}");
        assert_eq!(recorded(&platform), 0, "{when}");
    };
    assert_none("after a deploy");
    let secret = r#"{"name": "TOKEN", "text": "x", "type": "secret_text"}"#;
    let call = |call: &str, body: &str| {
        let answer = platform.call(&token, call, body);
        assert!(matches!(answer.status, 200 | 201), "{call}: {}", answer.text());
    };
    call("PUT A/workers/scripts/agents/secrets", secret);
    assert_none("after a secret");
    call(
        "PATCH A/workers/scripts/agents/script-settings",
        r#"{"tags": ["a"]}"#,
    );
    assert_none("after tags");
    call("DELETE A/workers/scripts/agents/secrets/TOKEN", "");
    assert_none("after the removal of a secret");
    platform.deploy(&token, &Upload::of("2"));
    call("POST /v1/namespaces/dotdo-staging/workers/agents/rollback", "{}");
    assert_none("after a rollback");
    call("DELETE /v1/namespaces/dotdo-staging/workers/agents", "");
    platform.cloud.pass(601);
    platform.reconcile();
    assert_eq!(get(&platform).unwrap_err().code, Code::WorkerUnknown);
    assert_eq!((list(&platform), recorded(&platform)), (vec![], 0));
}

#[test]
fn a_change_outside_is_shown_and_recorded_once() {
    for (change, kind) in [
        (
            (|platform| platform.cloud.scripts.borrow_mut().upload_outside(KEY, "x")) as fn(&Platform),
            "code",
        ),
        (
            |platform| platform.cloud.scripts.borrow_mut().set_secret_outside(KEY, "KEY"),
            "settings",
        ),
        (
            |platform| drop(platform.cloud.scripts.borrow_mut().by_key.remove(KEY)),
            "deleted",
        ),
    ] {
        let (platform, _) = deployed();
        change(&platform);
        platform.cloud.pass(601);
        platform.reconcile();
        assert_eq!(recorded(&platform), 1, "{kind}: by the reconciler");
        let entries = platform.record();
        let entry = entries.last().unwrap();
        assert_eq!(entry["subject"]["change"], kind);
        assert_eq!(entry["client"]["request_id"], "reconciler");
        let shown = get(&platform).unwrap();
        assert_eq!(shown["drift"]["kind"], kind, "{shown}");
        assert_eq!(shown["deployment"], Value::Null);
        assert_ne!(shown["recorded_deployment"], Value::Null);
        let listed = list(&platform);
        assert_eq!(listed.len(), 1);
        assert_eq!(listed[0]["drift"]["kind"], kind, "{listed:?}");
        assert_eq!(listed[0]["last_deployment"]["id"], shown["recorded_deployment"]);
        assert_eq!(listed[0]["urls"], shown["urls"]);
        let verified = verify(&platform);
        assert_eq!(verified["verified"], false, "{verified}");
        assert!(
            verified["reason"]
                .as_str()
                .unwrap()
                .contains("without the deploy API")
        );
        assert_eq!(platform.deployments("dotdo-staging")[0]["serving"], false);
        platform.cloud.pass(601);
        platform.reconcile();
        assert_eq!(recorded(&platform), 1, "{kind}: once");
    }
}

#[test]
fn each_new_drift_is_recorded_and_a_change_that_is_undone_ends_it() {
    let (platform, _) = deployed();
    let original = platform.cloud.scripts.borrow().get(KEY).unwrap().clone();
    for number in 1..=3 {
        platform
            .cloud
            .scripts
            .borrow_mut()
            .upload_outside(KEY, &number.to_string());
        verify(&platform);
        verify(&platform);
        assert_eq!(recorded(&platform), number);
    }
    platform
        .cloud
        .scripts
        .borrow_mut()
        .by_key
        .insert(KEY.to_owned(), original);
    assert_eq!(verify(&platform)["verified"], true);
    assert_eq!(platform.deployments("dotdo-staging")[0]["serving"], true);
}

#[test]
fn a_secret_or_tag_set_through_the_api_does_not_hide_a_drift() {
    let (platform, token) = deployed();
    platform.cloud.scripts.borrow_mut().upload_outside(KEY, "x");
    let secret = r#"{"name": "TOKEN", "text": "x", "type": "secret_text"}"#;
    assert_eq!(
        platform
            .call(&token, "PUT A/workers/scripts/agents/secrets", secret)
            .status,
        200
    );
    assert_eq!(get(&platform).unwrap()["drift"]["kind"], "code");
    platform.call(
        &token,
        "PUT /v1/namespaces/dotdo-staging/workers/agents/tags",
        r#"["a"]"#,
    );
    assert_eq!(get(&platform).unwrap()["drift"]["kind"], "code");
    assert_eq!(recorded(&platform), 1);
}

#[test]
fn a_deploy_over_a_drift_ends_it_with_a_warning_and_is_never_replayed() {
    let (platform, token) = deployed();
    platform.cloud.scripts.borrow_mut().upload_outside(KEY, "x");
    // The same upload again within ten minutes: without the drift it is the current deployment.
    let again = platform.deploy(&token, &Upload::of("1"));
    assert_eq!(again.status, 200, "{}", again.text());
    let number = u64::from(Code::DriftOverwritten.number());
    assert_eq!(again.body["messages"][0]["code"], number, "{}", again.text());
    assert_ne!(platform.serves("dotdo-staging").unwrap(), "x");
    assert_eq!(get(&platform).unwrap()["drift"], Value::Null);
    assert_eq!(recorded(&platform), 1);
    platform.assert_reconciled();
}

#[test]
fn a_drift_is_overwritten_with_the_recorded_deployment() {
    let (platform, _) = deployed();
    let before = platform.serves("dotdo-staging");
    platform.cloud.scripts.borrow_mut().upload_outside(KEY, "x");
    let resolved = resolve(&platform, "overwrite").unwrap();
    assert_eq!(resolved["drift"]["kind"], "code");
    assert_eq!(platform.serves("dotdo-staging"), before);
    assert_eq!(
        get(&platform).unwrap()["deployment"],
        resolved["deployment"]["id"]
    );
    assert_eq!(verify(&platform)["verified"], true);
    let nothing = resolve(&platform, "overwrite").unwrap_err();
    assert_eq!(nothing.code, Code::DriftUnknown);
    platform.assert_reconciled();
}

#[test]
fn overwriting_with_a_deployment_that_is_not_exact_needs_a_confirmation() {
    let (platform, token) = deployed();
    platform.cloud.scripts.borrow_mut().hides_settings = true;
    let keeping = Upload::of("2").with("keep_bindings", json!(["plain_text", "secret_text"]));
    assert_eq!(platform.deploy(&token, &keeping).status, 200);
    platform.cloud.scripts.borrow_mut().hides_settings = false;
    platform.cloud.pass(60);
    platform.cloud.scripts.borrow_mut().upload_outside(KEY, "x");
    let problem = resolve(&platform, "overwrite").unwrap_err();
    assert_eq!(problem.code, Code::RedeployInexact);
    assert_eq!(platform.serves("dotdo-staging").unwrap(), "x");
    let resolved = resolve_with(&platform, "overwrite", &[("confirm", "inexact")]).unwrap();
    assert_eq!(platform.serves("dotdo-staging").unwrap(), "2");
    assert_eq!(resolved["deployment"]["warnings"][0]["code"], "REDEPLOY_INEXACT");
    platform.assert_reconciled();
}

#[test]
fn a_drift_is_adopted_as_a_deployment_without_a_bundle() {
    let (platform, token) = deployed();
    platform.cloud.scripts.borrow_mut().upload_outside(KEY, "x");
    let resolved = resolve(&platform, "adopt").unwrap();
    let adopted = &resolved["deployment"];
    assert_eq!(
        (&adopted["verb"], &adopted["state"]),
        (&json!("adopt"), &json!("succeeded"))
    );
    assert_eq!(adopted["bundle"], Value::Null);
    let shown = get(&platform).unwrap();
    assert_eq!(
        (&shown["deployment"], &shown["drift"]),
        (&adopted["id"], &Value::Null)
    );
    assert_eq!(platform.serves("dotdo-staging").unwrap(), "x");
    assert_eq!(verify(&platform)["verified"], true);
    // An adopted deployment has no bundle. The deployment before it can be redeployed.
    platform.cloud.scripts.borrow_mut().upload_outside(KEY, "y");
    assert_eq!(
        resolve(&platform, "overwrite").unwrap_err().code,
        Code::BundleMissing
    );
    let back = platform.call(
        &token,
        "POST /v1/namespaces/dotdo-staging/workers/agents/rollback",
        "{}",
    );
    assert_eq!(back.status, 201, "{}", back.text());
    assert_ne!(platform.serves("dotdo-staging").unwrap(), "y");
    platform.assert_reconciled();
}

#[test]
fn a_deletion_and_a_new_worker_are_adopted() {
    let (platform, token) = deployed();
    platform.cloud.scripts.borrow_mut().by_key.remove(KEY);
    let resolved = resolve(&platform, "adopt").unwrap();
    assert_eq!(resolved["deployment"], Value::Null);
    assert_eq!(get(&platform).unwrap_err().code, Code::WorkerUnknown);
    platform.cloud.scripts.borrow_mut().upload_outside(KEY, "new");
    assert_eq!(get(&platform).unwrap()["drift"]["kind"], "created");
    let nothing = resolve(&platform, "overwrite").unwrap_err();
    assert_eq!(nothing.code, Code::DriftUnknown);
    let adopted = resolve(&platform, "adopt").unwrap();
    assert_eq!(get(&platform).unwrap()["deployment"], adopted["deployment"]["id"]);
    assert_eq!(platform.deploy(&token, &Upload::of("2")).status, 200);
    platform.assert_reconciled();
}

#[test]
fn adoption_needs_deploy_and_overwriting_needs_rollback() {
    let (platform, _) = deployed();
    platform.cloud.scripts.borrow_mut().upload_outside(KEY, "x");
    for (permission, forbidden) in [("deploy", "overwrite"), ("rollback", "adopt")] {
        let token = platform.token(
            "alice",
            &[grant(&["dotdo-staging"], &["*"], &["read", permission])],
        );
        let call = "POST /v1/namespaces/dotdo-staging/workers/agents/drift";
        let body = json!({ "resolve": forbidden }).to_string();
        let answer = platform.call(&token, call, &body);
        assert_eq!(answer.body["code"], "PERMISSION_DENIED", "{}", answer.text());
    }
    assert_eq!(platform.serves("dotdo-staging").unwrap(), "x");
}
