//! API tokens for people and other CI.

use deploy_api::code::Code;
use deploy_api::identity::Identity;
use deploy_api::ledger::calls::tokens;
use deploy_api::policy::Caller;
use deploy_api::problem::Problem;
use serde_json::{Value, json};

use crate::support::api::{Api, json_of};
use crate::support::callers::{person, subject};
use crate::support::rules::{alice, with};

fn admin_rule() -> Value {
    with(
        with(
            with(with(alice(), "/name", json!("ops")), "/who/token", json!("ops")),
            "/workers",
            json!(["*"]),
        ),
        "/namespaces",
        json!(["dotdo-production", "dotdo-staging", "dotdo-development"]),
    )
}

fn api() -> Api {
    Api::with_policy(&[alice(), with(admin_rule(), "/actions", json!(["read", "admin"]))])
}

fn body() -> Value {
    json!({
        "subject": "alice",
        "grants": [{ "namespaces": ["dotdo-staging"], "workers": ["agents"], "actions": ["deploy"] }],
        "expires": "2027-02-01T00:00:00Z"
    })
}

fn create(api: &Api, caller: &Caller, body: &Value) -> Result<Value, Problem> {
    let entropy = api.entropy();
    api.request(|access| tokens::create(access, caller, body.to_string().as_bytes(), entropy))
        .map(|answer| json_of(&answer))
}

#[test]
fn an_administrator_creates_a_token_that_is_returned_once() {
    let api = api();
    let made = create(&api, &person("ops"), &body()).unwrap();
    let token = made["token"].as_str().unwrap();
    assert!(token.starts_with("dotdo_api_"));
    let caller = api.authenticate(token).unwrap();
    assert_eq!(
        caller.identity,
        Identity::ApiToken {
            subject: subject("alice")
        }
    );

    let listed = api
        .request(|access| tokens::list(access, &person("ops"), &[]))
        .unwrap();
    let listed = json_of(&listed);
    assert_eq!(listed["items"][0]["id"], made["id"]);
    assert_eq!(listed["items"][0]["last_used"], "2027-01-15T08:00:01Z");
    assert_eq!(listed["cursor"], Value::Null);
    assert!(
        !listed
            .to_string()
            .contains(token.trim_start_matches("dotdo_api_")),
        "never shown again"
    );
}

#[test]
fn a_token_for_a_subject_without_a_rule_is_created_with_a_warning() {
    let api = api();
    let mut request = body();
    assert_eq!(
        create(&api, &person("ops"), &request).unwrap()["warnings"],
        json!([])
    );
    request["subject"] = json!("alicia");
    let made = create(&api, &person("ops"), &request).unwrap();
    assert_eq!(
        made["warnings"],
        json!(["no rule of the policy names the subject \"alicia\", so its API tokens allow nothing"])
    );
    assert!(api.authenticate(made["token"].as_str().unwrap()).is_ok());
    let first = create(&Api::new(), &Api::new().bootstrap(), &body()).unwrap();
    assert_eq!(
        first["warnings"].as_array().unwrap().len(),
        1,
        "there is no policy yet"
    );
}

#[test]
fn the_creation_is_recorded() {
    let api = api();
    let made = create(&api, &person("ops"), &body()).unwrap();
    let entry = api.last_entry();
    assert_eq!(
        (&entry["verb"], &entry["outcome"]),
        (&json!("token_create"), &json!("succeeded"))
    );
    assert_eq!(
        entry["identity"],
        json!({ "kind": "api_token", "subject": "ops" })
    );
    assert_eq!(entry["authority"], json!({ "rule": "ops", "policy_version": 1 }));
    assert_eq!(
        entry["subject"],
        json!({ "kind": "token", "id": made["id"], "for": "alice", "expires": "2027-02-01T00:00:00.000Z" })
    );
}

#[test]
fn only_administrators_create_list_and_revoke() {
    let api = api();
    let denied =
        |outcome: Result<Value, Problem>| assert_eq!(outcome.unwrap_err().code, Code::PermissionDenied);
    denied(create(&api, &person("alice"), &body()));
    let alice = person("alice");
    denied(
        api.request(|access| tokens::list(access, &alice, &[]))
            .map(|answer| json_of(&answer)),
    );
    denied(
        api.request(|access| tokens::revoke(access, &alice, "0123456789abcdef"))
            .map(|answer| json_of(&answer)),
    );
    let verbs: Vec<_> = api.record().iter().map(|entry| entry["verb"].clone()).collect();
    assert_eq!(verbs, ["token_create", "read", "token_revoke"]);
}

#[test]
fn an_invalid_token_request_returns_the_reason() {
    let api = api();
    for (name, value, said) in [
        ("subject", json!("Alice"), "is not a valid subject"),
        ("grants", json!([]), "\"grants\" is an empty list"),
        (
            "grants",
            json!([{ "namespaces": ["x"], "workers": ["*"], "actions": ["read"] }]),
            "The grants cannot be used",
        ),
        (
            "expires",
            json!("2027-01-15T08:00:01Z"),
            "is in the past or more than 366 days",
        ),
        (
            "expires",
            json!("2028-01-17T00:00:00Z"),
            "is in the past or more than 366 days",
        ),
        ("expires", json!("tomorrow"), "cannot be read"),
        ("uses", json!(7), "unknown field `uses`"),
    ] {
        let problem = create(&api, &person("ops"), &{
            let mut body = body();
            body[name] = value;
            body
        })
        .unwrap_err();
        assert_eq!(problem.code, Code::BodyInvalid, "{name}");
        assert!(problem.detail.contains(said), "{problem:?}");
    }
    assert_eq!(api.sql.count("tokens"), 0);
}

#[test]
fn revocation_is_immediate_and_recorded_once() {
    let api = api();
    let made = create(&api, &person("ops"), &body()).unwrap();
    let id = made["id"].as_str().unwrap();
    let revoke = || {
        api.request(|access| tokens::revoke(access, &person("ops"), id))
            .map(|answer| json_of(&answer))
    };
    assert_eq!(revoke().unwrap()["revoked"], "2027-01-15T08:00:01Z");
    assert!(api.authenticate(made["token"].as_str().unwrap()).is_err());
    let before = api.record().len();
    api.now.set(50);
    assert_eq!(revoke().unwrap()["revoked"], "2027-01-15T08:00:01Z");
    assert_eq!(api.record().len(), before);
}

#[test]
fn an_invalid_token_id_is_not_revoked() {
    let api = api();
    for id in ["0123456789abcdef", "x", ""] {
        let problem = api
            .request(|access| tokens::revoke(access, &person("ops"), id))
            .unwrap_err();
        assert_eq!(problem.code, Code::TokenUnknown, "{id}");
    }
    let bootstrap = api.bootstrap();
    let problem = api
        .request(|access| tokens::revoke_self(access, &bootstrap))
        .unwrap_err();
    assert!(problem.detail.contains("BOOTSTRAP_TOKEN"), "{problem:?}");
}

#[test]
fn lists_are_paginated_and_filtered_by_kind() {
    let api = api();
    for _ in 0..3 {
        create(&api, &person("ops"), &body()).unwrap();
    }
    let list = |parameters: &[(&str, &str)]| {
        api.request(|access| tokens::list(access, &person("ops"), parameters))
            .map(|answer| json_of(&answer))
    };
    let first = list(&[("limit", "2")]).unwrap();
    let rest = list(&[("limit", "2"), ("cursor", first["cursor"].as_str().unwrap())]).unwrap();
    assert_eq!(first["items"].as_array().unwrap().len(), 2);
    assert_eq!(
        (rest["items"].as_array().unwrap().len(), &rest["cursor"]),
        (1, &Value::Null)
    );
    assert_eq!(list(&[("kind", "deploy")]).unwrap()["items"], json!([]));
    for bad in [("kind", "x"), ("limit", "0"), ("cursor", "x"), ("page", "1")] {
        assert_eq!(list(&[bad]).unwrap_err().code, Code::ParameterInvalid, "{bad:?}");
    }
    assert_eq!(
        list(&[("limit", "1"), ("limit", "2")]).unwrap_err().code,
        Code::ParameterInvalid
    );
}

#[test]
fn a_token_that_cannot_be_recorded_is_not_created() {
    let api = api();
    api.sql.fail_at("INSERT INTO audit");
    assert_eq!(
        create(&api, &person("ops"), &body()).unwrap_err().code,
        Code::RecordUnavailable
    );
    assert_eq!(api.sql.count("tokens"), 0);
}
