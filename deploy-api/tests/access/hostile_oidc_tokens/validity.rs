//! Tokens with another issuer, another audience or invalid times, and replayed tokens.

use deploy_api::code::Code;
use serde_json::{Value, json};

use super::{api, assert_rejected, with};
use crate::support::api::Api;
use crate::support::callers::run;
use crate::support::issuer::{claims, token};

#[test]
fn another_issuer_is_rejected() {
    for issuer in [
        "https://token.actions.githubusercontent.com.evil.example",
        "https://token.actions.githubusercontent.com/",
        "https://TOKEN.actions.githubusercontent.com",
        "https://evil.example",
        "",
    ] {
        let api = api();
        assert_rejected(
            &api,
            &token(&with(claims(&run()), "iss", json!(issuer))),
            "oidc_issuer",
        );
        assert!(
            api.connection.asked.borrow().is_empty(),
            "nothing is fetched from {issuer}"
        );
    }
    assert_rejected(
        &api(),
        &token(&with(claims(&run()), "iss", Value::Null)),
        "oidc_malformed",
    );
}

#[test]
fn another_audience_is_rejected() {
    for audience in [
        json!("https://github.com/drivly"),
        json!("dotdo-deploy "),
        json!(["dotdo-deploy", "pypi"]),
        json!([]),
        json!(["pypi"]),
    ] {
        assert_rejected(
            &api(),
            &token(&with(claims(&run()), "aud", audience)),
            "oidc_audience",
        );
    }
    for audience in [Value::Null, json!(7)] {
        assert_rejected(
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
fn an_expired_token_is_rejected() {
    let api = api();
    api.now.set(330);
    assert_rejected(&api, &token(&claims(&run())), "oidc_expired");
    api.now.set(329);
    assert!(
        api.exchange(&token(&claims(&run()))).is_ok(),
        "30 seconds of leeway"
    );
}

#[test]
fn a_token_that_is_not_valid_yet_is_rejected() {
    for claim in ["nbf", "iat"] {
        let begins = crate::support::time::at(100).as_second();
        let token = token(&with(claims(&run()), claim, json!(begins)));
        let api = api();
        api.now.set(69);
        assert_rejected(&api, &token, "oidc_not_yet_valid");
        api.now.set(70);
        assert!(api.exchange(&token).is_ok(), "30 seconds of leeway for {claim}");
    }
}

#[test]
fn a_token_with_a_long_validity_is_rejected() {
    let exp = crate::support::time::at(3601).as_second();
    assert_rejected(
        &api(),
        &token(&with(claims(&run()), "exp", json!(exp))),
        "oidc_lifetime",
    );
}

#[test]
fn invalid_times_are_rejected() {
    for (claim, value) in [
        ("exp", Value::Null),
        ("exp", json!("1800000300")),
        ("exp", json!(1e300)),
        ("exp", json!(i64::MAX)),
        ("iat", Value::Null),
        ("iat", json!(i64::MIN)),
        ("nbf", json!("now")),
    ] {
        assert_rejected(&api(), &token(&with(claims(&run()), claim, value)), "oidc_claims");
    }
}

#[test]
fn a_replayed_token_is_rejected() {
    let api = api();
    let valid = token(&claims(&run()));
    assert!(api.exchange(&valid).is_ok());
    let problem = api.exchange(&valid).unwrap_err();
    assert_eq!(problem.code, Code::AuthenticationFailed);
    assert_eq!(api.last_entry()["reason"]["cause"], "oidc_replayed");
    assert_eq!(api.sql.count("tokens"), 1);
    // The token is rejected as a replay until it expires.
    api.now.set(329);
    assert!(api.exchange(&valid).is_err());
    assert_eq!(api.last_entry()["reason"]["cause"], "oidc_replayed");
}

#[test]
fn a_denied_token_cannot_be_used_again() {
    let api = Api::new();
    let valid = token(&claims(&run()));
    assert_eq!(api.exchange(&valid).unwrap_err().code, Code::PermissionDenied);
    assert_eq!(api.exchange(&valid).unwrap_err().code, Code::AuthenticationFailed);
}

#[test]
fn a_token_without_an_id_is_rejected() {
    for id in [Value::Null, json!(""), json!(7), json!("x".repeat(257))] {
        assert_rejected(&api(), &token(&with(claims(&run()), "jti", id)), "oidc_claims");
    }
}
