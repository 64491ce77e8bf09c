//! Invalid OIDC tokens are rejected with a generic response. Only the audit log has the reason.

mod malformed;
mod other_repositories;
mod signatures;
mod validity;

use deploy_api::code::Code;
use serde_json::{Value, json};

use deploy_api::identity::oidc::Presented;

use crate::support::api::Api;
use crate::support::callers::run;
use crate::support::issuer::{claims, token};
use crate::support::rules::production;

fn api() -> Api {
    Api::with_policy(&[production()])
}

/// The reasons of texts that are not well-formed tokens. The gateway rejects those, and the audit log does not have them.
const NOT_WELL_FORMED: [&str; 5] = [
    "oidc_too_long",
    "oidc_malformed",
    "oidc_algorithm",
    "oidc_critical_header",
    "oidc_no_key_id",
];

/// Asserts that a token is rejected with the generic response, and that the audit log has this reason if the token is well-formed.
fn assert_rejected(api: &Api, token: &str, reason: &str) {
    let problem = api.exchange(token).unwrap_err();
    assert_eq!(problem.code, Code::AuthenticationFailed, "{reason}: {problem:?}");
    assert_eq!(
        problem.detail, "The request has no credential that is valid now.",
        "{reason}"
    );
    assert!(problem.notes.is_empty(), "{reason}");
    assert_eq!(api.sql.count("tokens"), 0, "{reason}");
    if NOT_WELL_FORMED.contains(&reason) {
        let expected = match Presented::parse(token) {
            Err(rejection) => rejection.name(),
            Ok(_) => panic!("{reason}: the token is well-formed"),
        };
        assert_eq!(expected, reason);
        assert!(api.record().is_empty(), "{reason}");
        return;
    }
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
