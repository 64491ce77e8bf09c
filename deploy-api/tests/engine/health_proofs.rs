//! The proof that the new version answered a health check.

use deploy_api::code::Code;
use deploy_api::deployments::HealthCheckRequest;
use deploy_api::ledger::calls;
use deploy_api::problem::Problem;
use deploy_api::v1;
use serde_json::{Value, json};

use super::health_checks::{answer, answer_with};
use super::platform::Platform;
use super::promotions::promote;
use super::rollbacks::roll_back;
use super::wrangler_upload::Upload;

/// Sets the health check of agents in a namespace.
pub fn set_health_check(platform: &Platform, namespace: &str, body: &Value) -> Result<Value, Problem> {
    let target = v1::target(namespace, "agents").unwrap();
    let body = body.to_string();
    platform.access(|access, caller| calls::health_check::put(access, caller, &target, body.as_bytes()))
}

/// A platform with a health check with this proof, and a token.
pub fn with_proof(proof: &Value) -> (Platform, String) {
    let platform = Platform::new();
    let token = platform.alice("dotdo-staging");
    let body = json!({ "path": "/health", "expect": 200, "proof": proof });
    set_health_check(&platform, "dotdo-staging", &body).unwrap();
    (platform, token)
}

fn tagged(code: &str, tag: &str) -> Upload {
    Upload::of(code).with("annotations", json!({ "workers/tag": tag }))
}

fn answers(platform: &Platform, answers: &[(u16, &str)]) {
    *platform.cloud.dispatcher_answers.borrow_mut() = answers
        .iter()
        .map(|(status, content)| answer_with(*status, content))
        .collect();
}

/// The health of the newest deployment of agents.
pub fn health(platform: &Platform) -> Value {
    platform.deployments("dotdo-staging")[0]["health"].clone()
}

fn header() -> Value {
    json!({ "header": { "name": "x-version", "value": "v{tag}" } })
}

#[test]
fn a_check_passes_only_with_the_proof_of_the_new_version() {
    for (proof, old, new) in [
        (header(), "v1", "v2"),
        (
            json!({ "body": "\"version\":\"{tag}\"" }),
            "{\"version\":\"1\"}",
            "{\"version\":\"2\"}",
        ),
    ] {
        let (platform, token) = with_proof(&proof);
        answers(&platform, &[(200, old)]);
        assert_eq!(platform.deploy(&token, &tagged("one", "1")).status, 200);
        assert_eq!(health(&platform)["result"], "passed");
        // The old version still answers on some machines.
        let before = platform.cloud.now.get();
        answers(&platform, &[(200, old), (200, old), (200, new)]);
        assert_eq!(platform.deploy(&token, &tagged("two", "2")).status, 200);
        assert_eq!(platform.serves("dotdo-staging").unwrap(), "two");
        let found = health(&platform);
        assert_eq!(found["result"], "passed");
        assert!(found["time"].is_string(), "{found}");
        assert!(found["proof"].to_string().contains('2'), "{found}");
        assert!(
            platform.cloud.now.get().duration_since(before).as_secs() >= 3,
            "it waited"
        );
        assert_eq!(platform.history().last().unwrap(), "verify succeeded");
        platform.assert_reconciled();
    }
}

#[test]
fn a_check_that_only_the_old_version_answers_fails() {
    let (platform, token) = with_proof(&header());
    answers(&platform, &[(200, "v1")]);
    assert_eq!(platform.deploy(&token, &tagged("one", "1")).status, 200);
    let requests = platform.cloud.dispatcher_requests.borrow().len();
    let answered = platform.deploy(&token, &tagged("two", "2"));
    assert_eq!(answered.codes(), [u64::from(Code::HealthCheckFailed.number())]);
    let text = answered.text();
    assert!(
        text.contains("the header x-version: v1") && text.contains("x-version: v2 was expected"),
        "{text}"
    );
    assert_eq!(platform.serves("dotdo-staging").unwrap(), "one");
    assert_eq!(
        platform.cloud.dispatcher_requests.borrow().len(),
        requests + 6,
        "five, and one for the rollback"
    );
    let deployments = platform.deployments("dotdo-staging");
    assert_eq!(
        deployments[0]["health"]["result"], "passed",
        "the rollback has the tag of its source"
    );
    assert_eq!(deployments[1]["health"]["result"], "failed");
    assert_eq!(
        deployments[1]["health"]["detail"], "status 200 and not the expected header x-version",
        "texts of the Worker are not recorded"
    );
    platform.assert_reconciled();
}

#[test]
fn a_missing_proof_fails() {
    let (platform, token) = with_proof(&json!({ "body": "ready" }));
    *platform.cloud.dispatcher_answers.borrow_mut() = [answer(200)].into();
    let answered = platform.deploy(&token, &Upload::of("one"));
    assert!(
        answered.text().contains("a body without the text of the proof"),
        "{}",
        answered.text()
    );
}

#[test]
fn without_a_distinct_proof_the_result_is_unproven() {
    let (platform, token) = with_proof(&Value::Null);
    let detail = |platform: &Platform| {
        let health = health(platform);
        assert_eq!(health["result"], "unproven");
        assert_eq!(platform.history().last().unwrap(), "verify unproven");
        health["detail"].as_str().unwrap().to_owned()
    };
    assert_eq!(platform.deploy(&token, &Upload::of("one")).status, 200);
    assert_eq!(detail(&platform), "the health check has no proof");

    let set = |proof: &Value| {
        let body = json!({ "path": "/health", "expect": 200, "proof": proof });
        set_health_check(&platform, "dotdo-staging", &body).unwrap();
    };
    set(&header());
    assert_eq!(platform.deploy(&token, &Upload::of("two")).status, 200);
    assert!(detail(&platform).contains("the deployment has no tag"));

    answers(&platform, &[(200, "v3")]);
    assert_eq!(platform.deploy(&token, &tagged("three", "3")).status, 200);
    assert_eq!(health(&platform)["result"], "passed");
    assert_eq!(platform.deploy(&token, &tagged("four", "3")).status, 200);
    assert_eq!(
        detail(&platform),
        "the deployment before it gives the same answer"
    );

    set(&json!({ "body": "ready" }));
    answers(&platform, &[(200, "it is ready")]);
    assert_eq!(platform.deploy(&token, &Upload::of("five")).status, 200);
    assert_eq!(health(&platform)["result"], "passed");
    assert_eq!(platform.deploy(&token, &Upload::of("six")).status, 200);
    assert_eq!(
        detail(&platform),
        "the deployment before it gives the same answer"
    );
    platform.assert_reconciled();
}

#[test]
fn rollbacks_and_promotions_are_checked() {
    let (platform, token) = with_proof(&header());
    answers(&platform, &[(200, "v1"), (200, "v2"), (200, "v1")]);
    platform.deploy(&token, &tagged("one", "1"));
    platform.deploy(&token, &tagged("two", "2"));
    let back = roll_back(&platform, "").unwrap();
    assert_eq!(back["health"]["result"], "passed", "{back}");

    answers(&platform, &[(200, "v1")]);
    let problem = roll_back(
        &platform,
        &json!({ "deployment": platform.deployments("dotdo-staging")[1]["id"] }).to_string(),
    )
    .unwrap_err();
    assert_eq!(problem.code, Code::HealthCheckFailed);
    let text = format!("{problem:?}");
    assert!(text.contains("a rollback is not rolled back"), "{text}");
    assert_eq!(platform.serves("dotdo-staging").unwrap(), "two");
    let found = health(&platform);
    assert_eq!(found["result"], "failed");
    assert!(
        found["detail"]
            .as_str()
            .unwrap()
            .starts_with("serving, health check failed: "),
        "{found}"
    );

    let body = json!({ "path": "/", "expect": 200, "proof": header() });
    set_health_check(&platform, "dotdo-production", &body).unwrap();
    answers(&platform, &[(200, "v2")]);
    let promoted = promote(&platform, "dotdo-staging", &json!({ "to": "dotdo-production" })).unwrap();
    assert_eq!(promoted["health"]["result"], "passed");
    answers(&platform, &[(200, "v1")]);
    let problem = promote(&platform, "dotdo-staging", &json!({ "to": "dotdo-production" })).unwrap_err();
    assert_eq!(problem.code, Code::HealthCheckFailed);
    assert_eq!(
        platform.deployments("dotdo-production")[1]["state"],
        "rolled_back"
    );
    platform.assert_reconciled();
}

#[test]
fn an_invalid_proof_is_rejected() {
    let platform = Platform::new();
    for proof in [
        json!({}),
        json!({ "header": { "name": "x" } }),
        json!({ "header": { "name": "x y", "value": "1" } }),
        json!({ "body": "" }),
        json!({ "body": "{version}" }),
        json!({ "body": "x".repeat(1001) }),
        json!({ "body": "x", "header": { "name": "x", "value": "1" } }),
        json!("x"),
    ] {
        let body = json!({ "path": "/", "expect": 200, "proof": proof });
        let problem = set_health_check(&platform, "dotdo-staging", &body).unwrap_err();
        assert_eq!(problem.code, Code::BodyInvalid, "{proof}");
    }
    let text = r#"{"path":"/","expect":200}"#;
    let request: HealthCheckRequest = serde_json::from_str(text).unwrap();
    assert_eq!(
        serde_json::to_string(&request).unwrap(),
        text,
        "a check without a proof is written as before"
    );
}
