//! A database that fails, and a database that is full.

use deploy_api::v1::ROUTES;
use serde_json::json;

use super::alone::{Answered, Call};
use crate::support::api::Api;
use crate::support::rules;

fn assert_unavailable(answered: &Answered, call: &str) {
    assert_eq!(
        (answered.status, answered.code().as_str()),
        (503, "RECORD_UNAVAILABLE"),
        "{call}: {}",
        answered.text
    );
}

/// A valid body of a call whose body is read before the database is.
fn body(operation: &str) -> &'static str {
    match operation {
        "explainPolicy" => r#"{"action": "read"}"#,
        "importWorker" => r#"{"from": "agents"}"#,
        "putSecret" => r#"{"text": "a secret"}"#,
        "putTags" => "[]",
        "previewDeployment" => r#"{"deployment": "0190b6f4-0000-7000-8000-000000000000"}"#,
        "promote" => r#"{"to": "dotdo-production"}"#,
        "resolveDrift" => r#"{"resolve": "adopt"}"#,
        _ => "{}",
    }
}

#[test]
fn every_call_reports_a_database_that_fails() {
    let api = Api::new();
    api.sql.fail_at("");
    for route in ROUTES {
        // The bootstrap secret, which is not a token, is known without the database.
        let needs_no_database = (route.is_open && route.path != "/v1/health")
            || matches!(route.path, "/v1/tokens/self" | "/v1/dispatcher");
        if needs_no_database {
            continue;
        }
        let path = route
            .path
            .replace("{namespace}", "dotdo-staging")
            .replace("{worker}", "agents")
            .replace("{account_worker}", "agents")
            .replace("{token}", "0123456789abcdef")
            .replace("{deployment}", "0190b6f4-0000-7000-8000-000000000000")
            .replace("{secret}", "KEY")
            .replace("{first}", "1");
        let answered = Call::new(route.method, &path)
            .by_administrator()
            .body(body(route.operation.id()).as_bytes())
            .send(&api);
        assert_unavailable(&answered, &format!("{} {path}", route.method));
    }
}

#[test]
fn every_change_reports_a_database_that_is_full() {
    let api = Api::with_policy(&[rules::alice()]);
    let policy = rules::document(&[rules::alice(), rules::operators()]);
    let token = json!({
        "subject": "alice",
        "grants": [{ "namespaces": ["dotdo-staging"], "workers": ["agents"], "actions": ["read"] }],
        "expires": "2027-02-01T00:00:00Z"
    });
    let change = json!({
        "namespace": "dotdo-staging", "worker": "agents", "at": "1970-01-01T00:00:00Z", "why": "The API was down."
    });
    let changes = [
        ("PUT", "/v1/policy?confirm=lock_out", policy),
        ("POST", "/v1/tokens", token.to_string()),
        ("POST", "/v1/audit/break-glass", change.to_string()),
    ];
    let send = |method: &str, path: &str, body: &str| {
        Call::new(method, path)
            .by_administrator()
            .body(body.as_bytes())
            .send(&api)
    };
    api.sql.fill();
    for (method, path, body) in &changes {
        let answered = send(method, path, body);
        assert_unavailable(&answered, path);
        assert!(answered.text.contains("is full"), "{}", answered.text);
    }
    let health = send("GET", "/v1/health", "");
    assert_unavailable(&health, "health");
    assert!(health.text.contains("is full"), "{}", health.text);
    let read = send("GET", "/v1/audit", "");
    assert_eq!(
        read.status, 200,
        "what is recorded can still be read: {}",
        read.text
    );
    api.sql.heal();
    assert_eq!(send("GET", "/v1/health", "").status, 200);
    for (method, path, body) in &changes {
        let answered = send(method, path, body);
        assert!(answered.status < 300, "{path}: {}", answered.text);
    }
}

#[test]
fn health_shows_an_administrator_the_size_of_the_database() {
    let api = Api::new();
    let database = |call: Call<'_>| call.send(&api).json()["database"].clone();
    let health = || Call::new("GET", "/v1/health");
    assert!(database(health()).is_null());
    let shown = database(health().by_administrator());
    assert!(shown["bytes"].as_u64().unwrap() > 0, "{shown}");
    assert_eq!(shown["limit"], 10_u64 * 1024 * 1024 * 1024);
}
