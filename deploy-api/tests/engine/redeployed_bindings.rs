//! Redeploys restore the bindings that a deployment ran with, also those that it kept or inherited.

use deploy_api::code::Code;
use deploy_api::deployments::DeploymentId;
use deploy_api::store::deployments;
use serde_json::{Value, json};

use super::platform::Platform;
use super::promotions::{promote, promote_with};
use super::rollbacks::{roll_back, roll_back_with};
use super::support::callers::grant;
use super::wrangler_upload::Upload;

const STAGING: &str = "dotdo-staging";
const PRODUCTION: &str = "dotdo-production";

fn variable(value: &str) -> Value {
    json!({ "type": "plain_text", "name": "API_URL", "text": value })
}

/// An upload as `wrangler deploy --keep-vars` sends it.
fn keeping_variables(code: &str) -> Upload {
    Upload::of(code).with(
        "keep_bindings",
        json!(["plain_text", "json", "secret_text", "secret_key"]),
    )
}

/// The bindings of agents at the upstream, without secrets.
fn bindings(platform: &Platform, namespace: &str) -> Vec<Value> {
    let scripts = platform.cloud.scripts.borrow();
    scripts
        .get(&format!("{namespace}/agents"))
        .unwrap()
        .bindings
        .clone()
}

fn names(value: &Value) -> Vec<&str> {
    let list = value.as_array().unwrap().iter();
    list.map(|change| change["name"].as_str().unwrap()).collect()
}

/// A platform with three deployments: v1, one that keeps the variables, and v3.
fn with_kept_variables() -> Platform {
    let platform = Platform::new();
    let token = platform.alice(STAGING);
    for upload in [
        Upload::of("one").bound(variable("v1")),
        keeping_variables("two"),
        Upload::of("three").bound(variable("v3")),
    ] {
        assert_eq!(platform.deploy(&token, &upload).status, 200);
    }
    platform
}

#[test]
fn a_rollback_restores_variables_that_the_deployment_kept() {
    let platform = with_kept_variables();
    let second = platform.deployments(STAGING)[1].clone();
    assert_eq!(second["redeployable"], json!({ "exact": true, "unresolved": [] }));
    assert_eq!(
        second["bundle"]["bindings"],
        json!([{ "name": "API_URL", "type": "plain_text" }])
    );
    roll_back(&platform, "").unwrap();
    assert_eq!(platform.serves(STAGING).unwrap(), "two");
    assert_eq!(bindings(&platform, STAGING), [variable("v1")]);
    let body = json!({ "to": PRODUCTION, "deployment": second["id"], "variables": "copy" });
    promote(&platform, STAGING, &body).unwrap();
    assert_eq!(bindings(&platform, PRODUCTION), [variable("v1")]);
    platform.assert_reconciled();
}

#[test]
fn a_deploy_of_kept_variables_notices_another_deployment() {
    let platform = Platform::new();
    let token = platform.alice(STAGING);
    platform.deploy(&token, &Upload::of("one").bound(variable("v1")));
    futures_executor::block_on(async {
        let (keeping, other) = (
            keeping_variables("two"),
            Upload::of("three").bound(variable("v3")),
        );
        let keeping = platform.deploying(&token, STAGING, &keeping);
        let other = platform.deploying(&token, STAGING, &other);
        let (keeping, other) = Box::pin(futures_util::future::join(keeping, other)).await;
        assert_eq!(other.status, 200, "{}", other.text());
        if keeping.status == 200 {
            // It was deployed before the other one.
            assert_eq!(platform.serves(STAGING).unwrap(), "three");
        } else {
            assert_eq!(keeping.codes(), [u64::from(Code::DeploymentUnsettled.number())]);
        }
    });
    for deployment in platform.deployments(STAGING) {
        assert_eq!(deployment["redeployable"]["exact"], true);
    }
}

#[test]
fn what_the_upstream_does_not_tell_is_redeployed_only_after_confirmation() {
    let platform = Platform::new();
    let token = platform.alice(STAGING);
    platform.deploy(&token, &Upload::of("one").bound(variable("v1")));
    platform.cloud.scripts.borrow_mut().hides_settings = true;
    assert_eq!(platform.deploy(&token, &keeping_variables("two")).status, 200);
    platform.cloud.scripts.borrow_mut().hides_settings = false;
    platform.deploy(&token, &Upload::of("three").bound(variable("v3")));
    let second = &platform.deployments(STAGING)[1];
    assert_eq!(
        second["redeployable"],
        json!({ "exact": false, "unresolved": [{ "name": null, "type": "json" }, { "name": null, "type": "plain_text" }] })
    );
    let problem = roll_back(&platform, "").unwrap_err();
    assert_eq!(problem.code, Code::RedeployInexact);
    assert!(problem.detail.contains("plain_text"), "{}", problem.detail);
    assert!(problem.detail.contains("API_URL"), "{}", problem.detail);
    assert!(problem.fix.contains("?confirm=inexact"), "{}", problem.fix);
    assert_eq!(platform.serves(STAGING).unwrap(), "three");
    let answer = roll_back_with(&platform, &[("confirm", "inexact")], "").unwrap();
    assert_eq!(platform.serves(STAGING).unwrap(), "two");
    assert_eq!(bindings(&platform, STAGING), [variable("v3")]);
    assert_eq!(answer["warnings"][0]["code"], "REDEPLOY_INEXACT");
    // What this deployment ran with is known.
    assert_eq!(answer["redeployable"], json!({ "exact": true, "unresolved": [] }));
    platform.deploy(&token, &Upload::of("four"));
    let body = json!({ "deployment": answer["id"] }).to_string();
    roll_back(&platform, &body).unwrap();
    assert_eq!(bindings(&platform, STAGING), [variable("v3")]);
    let problem = roll_back_with(&platform, &[("confirm", "yes")], "").unwrap_err();
    assert_eq!(problem.code, Code::ParameterInvalid);
}

#[test]
fn a_promotion_keeps_the_values_of_the_target() {
    let platform = Platform::new();
    let kv = |id: &str| json!({ "type": "kv_namespace", "name": "KV", "namespace_id": id });
    let of = |code: &str, value: &str, id: &str| Upload::of(code).bound(variable(value)).bound(kv(id));
    platform.deploy(&platform.alice(STAGING), &of("one", "of staging", "kv-staging"));
    let production = platform.alice(PRODUCTION);
    platform.deploy_to(
        &production,
        PRODUCTION,
        &of("zero", "of production", "kv-production"),
    );
    let body = json!({ "to": PRODUCTION });
    let preview = promote_with(&platform, STAGING, &[("dry_run", "true")], &body).unwrap();
    assert_eq!(platform.serves(PRODUCTION).unwrap(), "zero");
    assert_eq!(preview["dry_run"], true);
    assert_eq!(preview["problem"], Value::Null);
    let difference = &preview["difference"];
    assert_eq!(difference["modules"]["changed"], json!(["index.js"]));
    assert_eq!(
        difference["variables"],
        json!([{ "name": "API_URL", "type": "plain_text", "change": "changed", "from": "target",
            "source": "of staging", "target": "of production" }])
    );
    assert_eq!(names(&difference["bindings"]), ["KV"]);
    let answer = promote(&platform, STAGING, &body).unwrap();
    assert_eq!(answer["difference"], preview["difference"]);
    assert_eq!(platform.serves(PRODUCTION).unwrap(), "one");
    let kept = [variable("of production"), kv("kv-production")];
    assert_eq!(bindings(&platform, PRODUCTION), kept);
    // The bytes are the same, the metadata is not.
    let (source, promoted) = (
        &platform.deployments(STAGING)[0],
        &platform.deployments(PRODUCTION)[0],
    );
    assert_eq!(source["bundle"]["digest"], promoted["bundle"]["digest"]);
    assert_ne!(source["bundle"]["metadata"], promoted["bundle"]["metadata"]);
    let last = platform.record().pop().unwrap();
    assert_eq!(last["bundle"]["metadata"], promoted["bundle"]["metadata"]);
    // The promoted deployment can be redeployed with what it ran with.
    platform.deploy_to(&production, PRODUCTION, &Upload::of("two"));
    let target = deploy_api::v1::target(PRODUCTION, "agents").unwrap();
    platform
        .v1(async |gateway, credential| {
            deploy_api::v1::rollback::rollback(gateway, credential, &target, &[], b"").await
        })
        .unwrap();
    assert_eq!(bindings(&platform, PRODUCTION), kept);
    let body = json!({ "to": PRODUCTION, "variables": "copy", "bindings": { "KV": { "namespace_id": "kv-given" } } });
    promote(&platform, STAGING, &body).unwrap();
    assert_eq!(
        bindings(&platform, PRODUCTION),
        [variable("of staging"), kv("kv-given")]
    );
    platform.assert_reconciled();
}

#[test]
fn a_promotion_of_new_values_needs_consent() {
    let platform = Platform::new();
    let upload = Upload::of("one")
        .bound(variable("of staging"))
        .bound(json!({ "type": "kv_namespace", "name": "KV", "namespace_id": "kv-staging" }))
        .bound(json!({ "type": "ai", "name": "AI" }))
        .bound(json!({ "type": "secret_text", "name": "TOKEN", "text": "marker" }));
    platform.deploy(&platform.alice(STAGING), &upload);
    let body = json!({ "to": PRODUCTION });
    let problem = promote(&platform, STAGING, &body).unwrap_err();
    assert_eq!(problem.code, Code::PromotionIncomplete);
    for name in ["API_URL", "KV"] {
        assert!(problem.detail.contains(name), "{}", problem.detail);
    }
    for member in [
        "\"values\": {\"API_URL\": …}",
        "\"bindings\": {\"KV\": {\"namespace_id\": …}}",
        "\"variables\": \"copy_new\"",
    ] {
        assert!(problem.fix.contains(member), "{}", problem.fix);
    }
    assert!(problem.notes[0].contains("TOKEN"), "{:?}", problem.notes);
    assert_eq!(platform.serves(PRODUCTION), None);
    assert_eq!(platform.history().last().unwrap(), "promote denied");
    let preview = promote_with(&platform, STAGING, &[("dry_run", "true")], &body).unwrap();
    assert_eq!(preview["problem"]["code"], "PROMOTION_INCOMPLETE");
    assert_eq!(preview["difference"]["secrets"]["missing"], json!(["TOKEN"]));
    assert_eq!(preview["difference"]["variables"][0]["from"], Value::Null);
    let complete = json!({
        "to": PRODUCTION, "values": { "API_URL": "given" }, "resources": "copy_new", "secrets": { "TOKEN": "x" }
    });
    // The responses are those of the OpenAPI document.
    let grant = grant(&[STAGING, PRODUCTION], &["*"], &["read", "promote", "secrets"]);
    let token = platform.token("alice", &[grant]);
    let call = "POST /v1/namespaces/dotdo-staging/workers/agents/promote";
    let dry_run = platform.call(&token, &format!("{call}?dry_run=true"), &body.to_string());
    assert_eq!(dry_run.status, 200, "{}", dry_run.text());
    let promoted = platform.call(&token, call, &complete.to_string());
    assert_eq!(promoted.status, 201, "{}", promoted.text());
    assert_eq!(
        bindings(&platform, PRODUCTION),
        [
            variable("given"),
            json!({ "type": "kv_namespace", "name": "KV", "namespace_id": "kv-staging" }),
            json!({ "type": "ai", "name": "AI" }),
        ]
    );
}

#[test]
fn a_promotion_shows_settings_and_hides_values_from_callers_who_may_not_read_the_target() {
    let rules = [
        json!({ "name": "from", "who": { "token": "bob" }, "namespaces": [STAGING], "workers": ["*"], "actions": ["read"] }),
        json!({ "name": "to", "who": { "token": "bob" }, "namespaces": [PRODUCTION], "workers": ["*"], "actions": ["promote"] }),
    ];
    let platform = Platform::with_rules(&rules);
    let staging = Upload::of("one")
        .bound(variable("of staging"))
        .with("compatibility_date", json!("2026-12-01"));
    platform.deploy(&platform.alice(STAGING), &staging);
    let production = Upload::of("one").bound(variable("of production"));
    platform.deploy_to(&platform.alice(PRODUCTION), PRODUCTION, &production);
    let target = deploy_api::v1::target(STAGING, "agents").unwrap();
    let body = json!({ "to": PRODUCTION }).to_string();
    let bob = super::support::callers::person("bob");
    let preview = |caller| {
        platform
            .v1_by(caller, async |gateway, credential| {
                let parameters = [("dry_run", "true")];
                deploy_api::v1::promote::promote(gateway, credential, &target, &parameters, body.as_bytes())
                    .await
            })
            .unwrap()
    };
    let by_bob = preview(&bob);
    assert!(!by_bob.to_string().contains("of production"), "{by_bob}");
    assert_eq!(by_bob["difference"]["target_is_readable"], false);
    let by_alice = preview(&super::support::callers::person("alice"));
    assert_eq!(
        by_alice["difference"]["settings"]["compatibility_date"],
        json!({ "source": "2026-12-01", "target": "2027-01-01" })
    );
    assert_eq!(by_alice["difference"]["modules"]["changed"], json!([]));
    assert!(by_alice.to_string().contains("of production"));
}

#[test]
fn a_rollback_of_a_deleted_worker_sets_secrets() {
    let platform = Platform::new();
    let token = platform.alice(STAGING);
    let secret = json!({ "type": "secret_text", "name": "TOKEN", "text": "first" });
    platform.deploy(&token, &Upload::of("one").bound(secret));
    let id = platform.deployments(STAGING)[0]["id"].clone();
    platform.call(&token, "DELETE S?force=true", "");
    let body = json!({ "deployment": id });
    let problem = roll_back(&platform, &body.to_string()).unwrap_err();
    assert_eq!(problem.code, Code::SecretsMissing);
    assert!(problem.fix.contains("\"secrets\""), "{}", problem.fix);
    assert!(!problem.fix.contains("PUT"), "{}", problem.fix);
    let body = json!({ "deployment": id, "secrets": { "TOKEN": "marker" } }).to_string();
    let answer = roll_back(&platform, &body).unwrap();
    assert!(!answer.to_string().contains("marker"));
    assert_eq!(platform.serves(STAGING).unwrap(), "one");
    let secret = platform
        .cloud
        .scripts
        .borrow()
        .get("dotdo-staging/agents")
        .unwrap()
        .secrets["TOKEN"]
        .clone();
    assert_eq!(secret, "marker");
    for table in ["audit", "deployments", "answers"] {
        assert!(!platform.sql.dump(table).contains("marker"), "{table}");
    }
}

#[test]
fn secrets_of_a_rollback_need_their_action() {
    let rule = json!({ "name": "bob", "who": { "token": "bob" }, "namespaces": [STAGING], "workers": ["*"], "actions": ["read", "rollback"] });
    let platform = Platform::with_rules(&[rule]);
    let token = platform.alice(STAGING);
    platform.deploy(&token, &Upload::of("one"));
    platform.deploy(&token, &Upload::of("two"));
    let target = deploy_api::v1::target(STAGING, "agents").unwrap();
    let bob = super::support::callers::person("bob");
    let with = |body: &str| {
        platform.v1_by(&bob, async |gateway, credential| {
            deploy_api::v1::rollback::rollback(gateway, credential, &target, &[], body.as_bytes()).await
        })
    };
    let problem = with(r#"{"secrets": {"TOKEN": "x"}}"#).unwrap_err();
    assert_eq!(problem.code, Code::PermissionDenied);
    with("{}").unwrap();
}

#[test]
fn a_redeploy_whose_process_died_keeps_its_metadata() {
    let platform = Platform::new();
    platform.deploy(
        &platform.alice(STAGING),
        &Upload::of("one").bound(variable("of staging")),
    );
    let production = platform.alice(PRODUCTION);
    platform.deploy_to(
        &production,
        PRODUCTION,
        &Upload::of("zero").bound(variable("of production")),
    );
    platform.cloud.fail_next(super::cloud::Fault::LostAfter(
        deploy_api::upstream::UpstreamFailure::Connection,
    ));
    let _ = promote(&platform, STAGING, &json!({ "to": PRODUCTION }));
    platform.cloud.pass(200);
    platform.reconcile();
    let promoted = platform.deployments(PRODUCTION)[0].clone();
    assert_eq!(promoted["state"], "succeeded");
    let id = DeploymentId::parse(promoted["id"].as_str().unwrap()).unwrap();
    let record = deployments::get(platform.sql, &id).unwrap().unwrap();
    assert!(record.metadata.is_some());
}
