//! Tokens that must not pass. Each gets the one generic answer; why it was refused is on record only.

mod impostors;
mod malformed;
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

/// That a token is refused with the generic answer, and with this reason on record.
fn refused(api: &Api, token: &str, reason: &str) {
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
        "{reason}: an unproven identity is not on record"
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
fn a_good_token_passes() {
    assert!(api().exchange(&token(&claims(&run()))).is_ok());
}
