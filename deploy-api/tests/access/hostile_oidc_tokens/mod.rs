//! Invalid OIDC tokens are rejected with a generic response. Only the audit log has the reason.

mod malformed;
mod other_repositories;
mod signatures;
mod validity;

use deploy_api::code::Code;
use serde_json::{Value, json};

use crate::support::api::Api;
use crate::support::callers::run;
use crate::support::issuer::{claims, token};
use crate::support::rules::production;

fn api() -> Api {
    Api::with_policy(&[production()])
}

/// Asserts that a token is rejected with the generic response, and that the audit log has this reason.
fn assert_rejected(api: &Api, token: &str, reason: &str) {
    let problem = api.exchange(token).unwrap_err();
    assert_eq!(problem.code, Code::AuthenticationFailed, "{reason}: {problem:?}");
    assert_eq!(
        problem.detail, "The request shows no credential that is valid now.",
        "{reason}"
    );
    assert!(problem.notes.is_empty(), "{reason}");
    let entry = api.last_entry();
    assert_eq!(entry["verb"], "token_exchange", "{reason}");
    assert_eq!(entry["outcome"], "denied", "{reason}");
    assert_eq!(
        entry["reason"],
        json!({ "code": "AUTHENTICATION_FAILED", "cause": reason })
    );
    assert_eq!(
        entry["identity"],
        Value::Null,
        "{reason}: an unverified identity is not recorded"
    );
    assert_eq!(api.sql.count("tokens"), 0, "{reason}");
}

fn with(mut object: Value, name: &str, value: Value) -> Value {
    if value.is_null() {
        object.as_object_mut().unwrap().remove(name);
    } else {
        object[name] = value;
    }
    object
}

#[test]
fn a_valid_token_is_accepted() {
    assert!(api().exchange(&token(&claims(&run()))).is_ok());
}
