//! For whom a token is, from whom, when, and how often.

use deploy_api::code::Code;
use serde_json::{Value, json};

use super::{api, refused, with};
use crate::support::api::Api;
use crate::support::callers::run;
use crate::support::issuer::{claims, token};

#[test]
fn a_foreign_issuer() {
    for issuer in [
        "https://token.actions.githubusercontent.com.evil.example",
        "https://token.actions.githubusercontent.com/",
        "https://TOKEN.actions.githubusercontent.com",
        "https://evil.example",
        "",
    ] {
        let api = api();
        refused(
            &api,
            &token(&with(claims(&run()), "iss", json!(issuer))),
            "oidc_issuer",
        );
        assert!(
            api.connection.asked.borrow().is_empty(),
            "nothing is read from {issuer}"
        );
    }
    refused(
        &api(),
        &token(&with(claims(&run()), "iss", Value::Null)),
        "oidc_malformed",
    );
}

#[test]
fn a_foreign_audience() {
    for audience in [
        json!("https://github.com/drivly"),
        json!("dotdo-deploy "),
        json!(["dotdo-deploy", "pypi"]),
        json!([]),
        json!(["pypi"]),
    ] {
        refused(
            &api(),
            &token(&with(claims(&run()), "aud", audience)),
            "oidc_audience",
        );
    }
    for audience in [Value::Null, json!(7)] {
        refused(
            &api(),
            &token(&with(claims(&run()), "aud", audience)),
            "oidc_claims",
        );
    }
    assert!(
        api()
            .exchange(&token(&with(claims(&run()), "aud", json!(["dotdo-deploy"]))))
            .is_ok()
    );
}

#[test]
fn an_expired_token() {
    let api = api();
    api.now.set(330);
    refused(&api, &token(&claims(&run())), "oidc_expired");
    api.now.set(329);
    assert!(
        api.exchange(&token(&claims(&run()))).is_ok(),
        "30 seconds of leeway"
    );
}

#[test]
fn a_token_that_is_not_valid_yet() {
    for claim in ["nbf", "iat"] {
        let begins = crate::support::time::at(100).as_second();
        let token = token(&with(claims(&run()), claim, json!(begins)));
        let api = api();
        api.now.set(69);
        refused(&api, &token, "oidc_not_yet_valid");
        api.now.set(70);
        assert!(api.exchange(&token).is_ok(), "30 seconds of leeway for {claim}");
    }
}

#[test]
fn a_token_that_is_valid_for_longer_than_it_is_remembered() {
    let exp = crate::support::time::at(3601).as_second();
    refused(
        &api(),
        &token(&with(claims(&run()), "exp", json!(exp))),
        "oidc_lifetime",
    );
}

#[test]
fn times_that_are_none() {
    for (claim, value) in [
        ("exp", Value::Null),
        ("exp", json!("1800000300")),
        ("exp", json!(1e300)),
        ("exp", json!(i64::MAX)),
        ("iat", Value::Null),
        ("iat", json!(i64::MIN)),
        ("nbf", json!("now")),
    ] {
        refused(&api(), &token(&with(claims(&run()), claim, value)), "oidc_claims");
    }
}

#[test]
fn a_replayed_token() {
    let api = api();
    let good = token(&claims(&run()));
    assert!(api.exchange(&good).is_ok());
    let problem = api.exchange(&good).unwrap_err();
    assert_eq!(problem.code, Code::AuthenticationFailed);
    assert_eq!(api.last_entry()["reason"]["cause"], "oidc_replayed");
    assert_eq!(api.sql.count("tokens"), 1);
    // It stays replayed for as long as it could pass.
    api.now.set(329);
    assert!(api.exchange(&good).is_err());
    assert_eq!(api.last_entry()["reason"]["cause"], "oidc_replayed");
}

#[test]
fn a_token_that_was_denied_is_used_up_too() {
    let api = Api::new();
    let good = token(&claims(&run()));
    assert_eq!(api.exchange(&good).unwrap_err().code, Code::PermissionDenied);
    assert_eq!(api.exchange(&good).unwrap_err().code, Code::AuthenticationFailed);
}

#[test]
fn a_token_without_an_id_of_its_own() {
    for id in [Value::Null, json!(""), json!(7), json!("x".repeat(257))] {
        refused(&api(), &token(&with(claims(&run()), "jti", id)), "oidc_claims");
    }
}
