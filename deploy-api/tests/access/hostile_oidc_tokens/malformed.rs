//! What has not the form of a token, or of the claims of a run.

use deploy_api::code::Code;
use serde_json::{Value, json};

use super::{api, refused, with};
use crate::support::callers::run;
use crate::support::issuer::{Key, claims, header, token};

#[test]
fn a_huge_token() {
    let huge = token(&with(claims(&run()), "padding", json!("x".repeat(10_000))));
    refused(&api(), &huge, "oidc_too_long");
    let problem = api().exchange(&"x".repeat(1_000_000)).unwrap_err();
    assert_eq!(problem.code, Code::BodyTooLarge);
}

#[test]
fn what_is_no_token() {
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
        refused(&api(), text, "oidc_malformed");
    }
}

#[test]
fn a_claim_that_stands_twice() {
    for claim in ["repository_id", "aud", "exp", "ref"] {
        let claims = claims(&run());
        let twice = claims
            .to_string()
            .replacen('{', &format!("{{\"{claim}\": {},", claims[claim]), 1);
        let payload = data_encoding::BASE64URL_NOPAD.encode(twice.as_bytes());
        let text = crate::support::issuer::signed_text(&header(), &payload, Key::Issuers);
        refused(&api(), &text, "oidc_claims");
    }
}

#[test]
fn claims_that_are_not_those_of_a_run() {
    for claim in [
        "repository",
        "repository_id",
        "repository_owner_id",
        "ref",
        "event_name",
        "run_id",
        "actor_id",
    ] {
        refused(
            &api(),
            &token(&with(claims(&run()), claim, Value::Null)),
            "oidc_claims",
        );
    }
    for value in [json!(1001), json!(""), json!("1001 "), json!("*"), json!("-1")] {
        refused(
            &api(),
            &token(&with(claims(&run()), "repository_id", value)),
            "oidc_claims",
        );
    }
}
