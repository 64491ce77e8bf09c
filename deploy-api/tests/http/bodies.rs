use deploy_api::v1::{MAX_BODY, ROUTES};

use super::alone::Call;
use crate::support::api::Api;

#[test]
fn no_body_is_read_before_authentication() {
    for route in ROUTES
        .iter()
        .filter(|route| route.takes.is_some() && !route.is_open)
    {
        let answered = Call::new(route.method, route.path).body(b"{}").send(&Api::new());
        assert_eq!(answered.status, 401, "{}", route.path);
        assert!(!answered.body_was_read, "{}", route.path);
        assert_eq!(answered.messages, 0, "{}", route.path);
    }
}

#[test]
fn a_request_without_a_well_formed_credential_sends_no_message_to_the_ledger() {
    let long = format!("Bearer {}", "x".repeat(600));
    for header in [
        "",
        "Basic YTpi",
        "Bearer",
        "Bearer dotdo_run_0000",
        "Bearer dotdo_api_000000000000000000000000000000000000000000000000",
        "Bearer 0123456789abcdef0123456789abcdef",
        long.as_str(),
    ] {
        for route in ROUTES.iter().filter(|route| !route.is_open) {
            let answered = Call::new(route.method, route.path)
                .header("Authorization", header)
                .body(b"{}")
                .send(&Api::new());
            assert_eq!(answered.status, 401, "{header} {}", route.path);
            assert_eq!(answered.messages, 0, "{header} {}", route.path);
        }
    }
}

#[test]
fn a_body_that_is_too_large_is_rejected_with_the_limit() {
    let body = vec![b' '; MAX_BODY + 1];
    let answered = Call::new("POST", "/v1/tokens")
        .by_administrator()
        .body(&body)
        .send(&Api::new());
    assert_eq!(
        (answered.status, answered.code().as_str()),
        (413, "BODY_TOO_LARGE")
    );
    assert!(answered.json()["detail"].as_str().unwrap().contains("32768"));
}

#[test]
fn a_truncated_body_is_rejected() {
    let answered = Call::new("PUT", "/v1/policy")
        .by_administrator()
        .body(b"{\"version\": 1, \"rules\": []}")
        .cut_off()
        .send(&Api::new());
    assert_eq!((answered.status, answered.code().as_str()), (400, "BODY_INVALID"));
}

#[test]
fn a_policy_that_is_not_utf_8_is_rejected_with_the_position() {
    let answered = Call::new("PUT", "/v1/policy")
        .by_administrator()
        .body(b"{\"\xff\"}")
        .send(&Api::new());
    assert_eq!((answered.status, answered.code().as_str()), (400, "BODY_INVALID"));
    assert!(answered.json()["detail"].as_str().unwrap().contains("byte 2"));
}

#[test]
fn a_promotion_rejects_invalid_secrets() {
    let answered = Call::new("POST", "/v1/namespaces/dotdo-development/workers/agents/promote")
        .by_administrator()
        .body(br#"{"to": "dotdo-staging", "secrets": {"a-b": "text"}}"#)
        .send(&Api::new());
    assert_eq!(
        (answered.status, answered.code().as_str()),
        (404, "SECRET_UNKNOWN")
    );
}
