//! Malformed tokens and malformed claims.

use deploy_api::code::Code;
use serde_json::{Value, json};

use super::{api, assert_rejected, with};
use crate::support::callers::run;
use crate::support::issuer::{Key, claims, header, token};

#[test]
fn a_token_that_is_too_long_is_rejected() {
    let huge = token(&with(claims(&run()), "padding", json!("x".repeat(10_000))));
    assert_rejected(&api(), &huge, "oidc_too_long");
    let problem = api().exchange(&"x".repeat(1_000_000)).unwrap_err();
    assert_eq!(problem.code, Code::BodyTooLarge);
}

#[test]
fn malformed_tokens_are_rejected() {
    let good = token(&claims(&run()));
    let padded = good.replace('.', "=.");
    let nested = format!("{}.{}.", "W".repeat(2000), "W".repeat(2000));
    for text in [
        "",
        ".",
        "..",
        "...",
        "a.b",
        "a.b.c",
        "e30.e30.e30",
        &padded,
        &nested,
        &good[..good.len() / 2],
    ] {
        assert_rejected(&api(), text, "oidc_malformed");
    }
}

#[test]
fn duplicate_claims_are_rejected() {
    for claim in ["repository_id", "aud", "exp", "ref"] {
        let claims = claims(&run());
        let twice = claims
            .to_string()
            .replacen('{', &format!("{{\"{claim}\": {},", claims[claim]), 1);
        let payload = data_encoding::BASE64URL_NOPAD.encode(twice.as_bytes());
        let text = crate::support::issuer::signed_text(&header(), &payload, Key::Issuers);
        assert_rejected(&api(), &text, "oidc_claims");
    }
}

#[test]
fn missing_and_malformed_claims_are_rejected() {
    for claim in [
        "repository",
        "repository_id",
        "repository_owner_id",
        "ref",
        "event_name",
        "run_id",
        "actor_id",
    ] {
        assert_rejected(
            &api(),
            &token(&with(claims(&run()), claim, Value::Null)),
            "oidc_claims",
        );
    }
    for value in [json!(1001), json!(""), json!("1001 "), json!("*"), json!("-1")] {
        assert_rejected(
            &api(),
            &token(&with(claims(&run()), "repository_id", value)),
            "oidc_claims",
        );
    }
}
