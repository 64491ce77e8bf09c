use serde_json::{Value, json};

use super::alone::{Call, create_token};
use crate::support::api::Api;
use crate::support::rules;

const FORMS: [(&str, &str); 2] = [
    ("/v1/openapi.json", "openapi"),
    ("/v1/policy/schema.json", "$schema"),
];

/// Pitfall 19: the documentation and the code disagreed on whether /health requires a credential. It does not.
#[test]
fn health_requires_no_credential() {
    let answered = Call::new("GET", "/v1/health").send(&Api::new());
    assert_eq!(answered.status, 200);
    assert_eq!(answered.json()["status"], "ok");
}

#[test]
fn health_shows_the_memory_only_to_an_administrator() {
    let api = Api::with_policy(&[rules::alice()]);
    let memory = |call: Call<'_>| {
        let answered = call.send(&api);
        assert_eq!(answered.status, 200, "{}", answered.text);
        answered.json()["wasm_memory_bytes"].clone()
    };
    let health = || Call::new("GET", "/v1/health");
    assert_eq!(memory(health()), Value::Null);
    let bytes = Call::WASM_MEMORY_BYTES;
    assert_eq!(
        memory(health().by_administrator()),
        json!({ "gateway": bytes, "ledger": bytes })
    );
    let made = create_token(&api, "read");
    let bearer = format!("Bearer {}", made.json()["token"].as_str().unwrap());
    assert_eq!(memory(health().header("authorization", &bearer)), Value::Null);
}

#[test]
fn health_rejects_an_invalid_credential() {
    for credential in ["Bearer ", "Basic YTpi", "Bearer wrong-secret-of-32-characters-x"] {
        let answered = Call::new("GET", "/v1/health")
            .header("authorization", credential)
            .send(&Api::new());
        assert_eq!(
            (answered.status, answered.code().as_str()),
            (401, "AUTHENTICATION_FAILED"),
            "{credential}"
        );
    }
}

#[test]
fn health_reports_a_failing_database() {
    let api = Api::new();
    api.sql.fail_at("FROM audit");
    let answered = Call::new("GET", "/v1/health").send(&api);
    assert_eq!(
        (answered.status, answered.code().as_str()),
        (503, "RECORD_UNAVAILABLE")
    );
}

#[test]
fn the_api_documents_are_public() {
    for (path, member) in FORMS {
        let answered = Call::new("GET", path).send(&Api::new());
        assert_eq!(answered.status, 200, "{path}");
        assert!(answered.json().get(member).is_some(), "{path}");
    }
    let schema = Call::new("GET", "/v1/policy/schema.json").send(&Api::new());
    assert_eq!(schema.header("content-type"), Some("application/schema+json"));
}

#[test]
fn head_returns_the_response_of_get_without_the_body() {
    let answered = Call::new("HEAD", "/v1/health").send(&Api::new());
    assert_eq!((answered.status, answered.text.as_str()), (200, ""));
    assert_eq!(answered.header("content-type"), Some("application/json"));
    let refused = Call::new("HEAD", "/v1/tokens").send(&Api::new());
    assert_eq!((refused.status, refused.text.as_str()), (401, ""));
}

#[test]
fn a_policy_is_changed_from_the_version_that_was_read() {
    let api = Api::new();
    let first = rules::document(&[rules::alice(), rules::operators()]);
    let second = rules::document(&[rules::alice(), rules::production(), rules::operators()]);
    let put = |document: &str, read: &str| {
        Call::new("PUT", "/v1/policy")
            .by_administrator()
            .header("If-Match", read)
            .body(document.as_bytes())
            .send(&api)
    };
    let made = put(&first, "\"0\"");
    assert_eq!((made.status, made.header("etag")), (200, Some("\"1\"")));
    let got = Call::new("GET", "/v1/policy").by_administrator().send(&api);
    assert_eq!(got.header("etag"), Some("\"1\""));

    let late = put(&second, "\"0\"");
    assert_eq!((late.status, late.code().as_str()), (412, "POLICY_CHANGED"));
    assert_eq!(put(&second, "\"1\"").header("etag"), Some("\"2\""));
    for malformed in ["2", "\"two\"", "W/\"2\"", "*", ""] {
        let answered = put(&first, malformed);
        assert_eq!(
            (answered.status, answered.code().as_str()),
            (400, "PARAMETER_INVALID"),
            "{malformed}"
        );
    }
}

#[test]
fn a_dry_run_stores_no_policy() {
    let api = Api::new();
    let document = rules::document(&[rules::alice()]);
    let answered = Call::new("PUT", "/v1/policy?dry_run=true")
        .by_administrator()
        .body(document.as_bytes())
        .send(&api);
    assert_eq!(answered.status, 200);
    assert_eq!(answered.json()["dry_run"], true);
    assert_eq!(answered.json()["changes"]["allowed"][0]["rule"], "alice");
    assert_eq!(api.sql.count("policies"), 0);
}

#[test]
fn an_exported_log_names_its_next_page() {
    let api = Api::with_policy(&[]);
    for worker in ["one", "two", "three"] {
        let account = json!({
            "namespace": "dotdo-staging", "worker": worker, "at": "2027-01-15T08:00:00Z", "why": "the API was down"
        });
        let answered = Call::new("POST", "/v1/audit/break-glass")
            .by_administrator()
            .body(account.to_string().as_bytes())
            .send(&api);
        assert_eq!(answered.status, 201, "{}", answered.text);
    }
    let page = Call::new("GET", "/v1/audit?format=ndjson&order=oldest&limit=2")
        .by_administrator()
        .send(&api);
    assert_eq!(page.header("content-type"), Some("application/x-ndjson"));
    assert_eq!(page.text.lines().count(), 2);
    let link = page.header("link").unwrap();
    let next = link.strip_prefix('<').unwrap().split_once('>').unwrap().0;
    let last = Call::new("GET", next).by_administrator().send(&api);
    assert_eq!(last.text.lines().count(), 1);
    assert_eq!(last.header("link"), None);
}

#[test]
fn a_token_is_created_listed_and_revoked_by_its_owner() {
    let api = Api::with_policy(&[rules::alice()]);
    let made = create_token(&api, "read");
    assert_eq!(made.status, 201, "{}", made.text);
    let token = made.json()["token"].as_str().unwrap().to_owned();
    let listed = Call::new("GET", "/v1/tokens?kind=api")
        .by_administrator()
        .send(&api);
    assert_eq!(listed.json()["items"][0]["id"], made.json()["id"]);
    assert!(!listed.text.contains(&token), "a token is shown once");

    let bearer = format!("Bearer {token}");
    let revoke = || {
        Call::new("DELETE", "/v1/tokens/self")
            .header("authorization", &bearer)
            .send(&api)
    };
    assert_eq!(revoke().status, 200);
    assert_eq!(revoke().status, 401, "it is no token any longer");
}
