use deploy_api::code::Code;
use deploy_api::problem::Problem;
use deploy_api::v1;
use serde_json::{Value, json};

use super::platform::Platform;
use super::wrangler_upload::Upload;

pub fn promote(platform: &Platform, from: &str, body: &Value) -> Result<Value, Problem> {
    promote_with(platform, from, &[], body)
}

pub fn promote_with(
    platform: &Platform,
    from: &str,
    parameters: &[(&str, &str)],
    body: &Value,
) -> Result<Value, Problem> {
    let target = v1::target(from, "agents").unwrap();
    let body = body.to_string();
    platform.v1(async |gateway, credential| {
        v1::promote::promote(gateway, credential, &target, parameters, body.as_bytes()).await
    })
}

#[test]
fn a_promotion_deploys_the_same_digest_to_the_other_namespace() {
    let platform = Platform::new();
    let token = platform.alice("dotdo-development");
    platform.deploy_to(&token, "dotdo-development", &Upload::of("one"));
    promote(&platform, "dotdo-development", &json!({ "to": "dotdo-staging" })).unwrap();
    promote(&platform, "dotdo-staging", &json!({ "to": "dotdo-production" })).unwrap();
    assert_eq!(platform.serves("dotdo-production").unwrap(), "one");
    let digest = |namespace: &str| platform.deployments(namespace)[0]["bundle"]["digest"].clone();
    assert_eq!(digest("dotdo-development"), digest("dotdo-production"));
    assert_eq!(platform.deployments("dotdo-production")[0]["verb"], "promote");
    platform.assert_reconciled();
}

#[test]
fn a_promotion_sets_the_given_secrets_and_reports_missing_ones() {
    let platform = Platform::new();
    let token = platform.alice("dotdo-development");
    let upload = Upload::of("one").bound(json!({"type": "secret_text", "name": "TOKEN", "text": "dev"}));
    platform.deploy_to(&token, "dotdo-development", &upload);
    let problem = promote(&platform, "dotdo-development", &json!({ "to": "dotdo-staging" })).unwrap_err();
    assert_eq!(problem.code, Code::SecretsMissing);
    assert_eq!(platform.serves("dotdo-staging"), None);
    // A secret that was set on the Worker itself is not in a bundle, and may be obsolete.
    platform.call(
        &token,
        "PUT A/workers/scripts/agents/secrets",
        r#"{"name": "LATER", "text": "x", "type": "secret_text"}"#,
    );
    let body = json!({ "to": "dotdo-staging", "secrets": { "TOKEN": "marker" } });
    let answer = promote(&platform, "dotdo-development", &body).unwrap();
    assert!(!answer.to_string().contains("marker"));
    assert_eq!(answer["warnings"][0]["code"], "SECRETS_MISSING");
    assert!(
        answer["warnings"][0]["message"]
            .as_str()
            .unwrap()
            .contains("LATER")
    );
    let scripts = platform.cloud.scripts.borrow();
    assert_eq!(
        scripts.get("dotdo-staging/agents").unwrap().secrets["TOKEN"],
        "marker"
    );
}

/// A platform whose development has a deployment with the required secret TOKEN, as wrangler sends it.
fn with_required_secret() -> Platform {
    let platform = Platform::new();
    let token = platform.alice("dotdo-development");
    platform.deploy_to(&token, "dotdo-development", &Upload::of("zero"));
    platform.call(
        &token,
        "PUT A/workers/scripts/agents/secrets",
        r#"{"name": "TOKEN", "text": "dev", "type": "secret_text"}"#,
    );
    let upload = Upload::of("one").bound(json!({ "type": "inherit", "name": "TOKEN" }));
    let answer = platform.deploy_to(&token, "dotdo-development", &upload);
    assert_eq!(answer.status, 200, "{}", answer.text());
    platform
}

#[test]
fn a_promotion_of_a_required_secret_names_it_or_sets_it() {
    let platform = with_required_secret();
    let problem = promote(&platform, "dotdo-development", &json!({ "to": "dotdo-staging" })).unwrap_err();
    assert_eq!(problem.code, Code::SecretsMissing);
    assert!(problem.detail.contains("TOKEN"), "{}", problem.detail);
    let body = json!({ "to": "dotdo-staging", "secrets": { "TOKEN": "of staging" } });
    promote(&platform, "dotdo-development", &body).unwrap();
    assert_eq!(platform.serves("dotdo-staging").unwrap(), "one");
    let secret = |platform: &Platform| {
        let scripts = platform.cloud.scripts.borrow();
        scripts.get("dotdo-staging/agents").unwrap().secrets["TOKEN"].clone()
    };
    assert_eq!(secret(&platform), "of staging");
    // The target has the secret now.
    promote(&platform, "dotdo-development", &json!({ "to": "dotdo-staging" })).unwrap();
    assert_eq!(secret(&platform), "of staging");
}

#[test]
fn a_missing_required_secret_is_refused_in_the_form_that_wrangler_reads() {
    let platform = Platform::new();
    let token = platform.alice("dotdo-staging");
    let upload = Upload::of("one").bound(json!({ "type": "inherit", "name": "TOKEN" }));
    let answer = platform.deploy(&token, &upload);
    assert_eq!(answer.status, 422, "{}", answer.text());
    assert_eq!(answer.body["errors"][0]["code"], 10057);
    let message = answer.body["errors"][0]["message"].as_str().unwrap();
    assert!(
        message.starts_with("inherit binding 'TOKEN' is invalid"),
        "{message}"
    );
}

#[test]
fn an_invalid_promotion_is_rejected() {
    let platform = Platform::new();
    for (body, code) in [
        (json!({ "to": "dotdo-staging" }), Code::BodyInvalid),
        (json!({ "to": "production" }), Code::BodyInvalid),
        (json!({}), Code::BodyInvalid),
        (json!({ "to": "dotdo-production" }), Code::DeploymentUnknown),
    ] {
        let problem = promote(&platform, "dotdo-staging", &body).unwrap_err();
        assert_eq!(problem.code, code, "{body}");
    }
    assert!(platform.cloud.changes().is_empty());
}

#[test]
fn a_promotion_needs_promote_on_the_target_and_read_on_the_source() {
    let rule = |namespaces: Value, actions: Value| json!({ "name": "bob", "who": { "token": "bob" }, "namespaces": namespaces, "workers": ["*"], "actions": actions });
    for (namespaces, actions, allowed) in [
        (json!(["dotdo-staging"]), json!(["read", "promote"]), false),
        (json!(["dotdo-production"]), json!(["read", "promote"]), false),
        (
            json!(["dotdo-staging", "dotdo-production"]),
            json!(["read", "deploy"]),
            false,
        ),
        (
            json!(["dotdo-staging", "dotdo-production"]),
            json!(["read", "promote"]),
            true,
        ),
    ] {
        let platform = Platform::with_rules(&[rule(namespaces, actions)]);
        let token = platform.alice("dotdo-staging");
        platform.deploy(&token, &Upload::of("one"));
        let target = v1::target("dotdo-staging", "agents").unwrap();
        let bob = super::support::callers::person("bob");
        let outcome = platform.v1_by(&bob, async |gateway, credential| {
            v1::promote::promote(
                gateway,
                credential,
                &target,
                &[],
                br#"{"to": "dotdo-production"}"#,
            )
            .await
        });
        assert_eq!(outcome.is_ok(), allowed, "{outcome:?}");
        assert_eq!(platform.serves("dotdo-production").is_some(), allowed);
    }
}
