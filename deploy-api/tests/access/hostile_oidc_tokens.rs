//! Tokens that must not pass. Each gets the one generic answer; why it was refused is on record only.

use deploy_api::code::Code;
use deploy_api::identity::GitHubRun;
use serde_json::{Value, json};

use crate::support::api::Api;
use crate::support::callers::run;
use crate::support::issuer::{
    Key, claims, header, hmac, public, public_as_bytes, signed, token, with_signature,
};
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

#[test]
fn a_wrong_signature() {
    refused(
        &api(),
        &signed(&header(), &claims(&run()), Key::Mallorys),
        "oidc_signature",
    );
    refused(
        &api(),
        &with_signature(&header(), &claims(&run()), &[0; 256]),
        "oidc_signature",
    );
    refused(
        &api(),
        &with_signature(&header(), &claims(&run()), &[]),
        "oidc_signature",
    );
    // The signature of another good token.
    let good = token(&claims(&run()));
    let other = token(&with(claims(&run()), "jti", json!("token-2")));
    let (text, _) = good.rsplit_once('.').unwrap();
    let (_, signature) = other.rsplit_once('.').unwrap();
    refused(&api(), &format!("{text}.{signature}"), "oidc_signature");
}

#[test]
fn claims_that_were_changed_after_the_signature() {
    let good = token(&claims(&run()));
    let changed = token(&claims(&GitHubRun {
        git_ref: "refs/heads/evil".to_owned(),
        ..run()
    }));
    let parts: Vec<_> = good.split('.').collect();
    let payload = changed.split('.').nth(1).unwrap();
    refused(
        &api(),
        &format!("{}.{payload}.{}", parts[0], parts[2]),
        "oidc_signature",
    );
}

#[test]
fn the_algorithm_none() {
    for alg in ["none", "None", "NONE", "nOnE", ""] {
        let header = with(header(), "alg", json!(alg));
        refused(
            &api(),
            &with_signature(&header, &claims(&run()), &[]),
            "oidc_algorithm",
        );
        refused(
            &api(),
            &signed(&header, &claims(&run()), Key::Issuers),
            "oidc_algorithm",
        );
    }
}

#[test]
fn an_hmac_with_the_public_key_as_its_secret() {
    let header = with(header(), "alg", json!("HS256"));
    let unsigned = with_signature(&header, &claims(&run()), &[]);
    let text = unsigned.trim_end_matches('.');
    for secret in [
        public_as_bytes(),
        public(Key::Issuers, "key-1").to_string().into_bytes(),
    ] {
        let signature = hmac(&secret, text.as_bytes());
        refused(
            &api(),
            &with_signature(&header, &claims(&run()), &signature),
            "oidc_algorithm",
        );
        // And the same signature under the algorithm that is accepted.
        refused(
            &api(),
            &with_signature(&self::header(), &claims(&run()), &signature),
            "oidc_signature",
        );
    }
}

#[test]
fn other_algorithms_of_the_same_key() {
    for alg in ["RS384", "RS512", "PS256", "ES256", "rs256"] {
        refused(
            &api(),
            &signed(&with(header(), "alg", json!(alg)), &claims(&run()), Key::Issuers),
            "oidc_algorithm",
        );
    }
}

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

#[test]
fn an_unknown_key() {
    refused(
        &api(),
        &signed(
            &with(header(), "kid", json!("key-9")),
            &claims(&run()),
            Key::Issuers,
        ),
        "oidc_key_unknown",
    );
    for kid in [Value::Null, json!(""), json!("x".repeat(257))] {
        refused(
            &api(),
            &signed(&with(header(), "kid", kid), &claims(&run()), Key::Issuers),
            "oidc_no_key_id",
        );
    }
}

#[test]
fn a_header_that_brings_its_own_key() {
    for (name, value) in [
        ("jku", json!("https://evil.example/jwks")),
        ("x5u", json!("https://evil.example/cert")),
        ("jwk", public(Key::Mallorys, "key-1")),
        ("x5c", json!(["MIIB"])),
    ] {
        let api = api();
        let header = with(header(), name, value);
        refused(
            &api,
            &signed(&header, &claims(&run()), Key::Mallorys),
            "oidc_signature",
        );
        assert!(
            api.connection
                .asked
                .borrow()
                .iter()
                .all(|address| !address.contains("evil")),
            "{name}"
        );
        assert!(
            api.exchange(&signed(&header, &claims(&run()), Key::Issuers))
                .is_ok(),
            "{name} is not even read"
        );
    }
}

#[test]
fn a_header_that_must_be_understood_and_is_not() {
    let header = with(header(), "crit", json!(["b64"]));
    refused(
        &api(),
        &signed(&header, &claims(&run()), Key::Issuers),
        "oidc_critical_header",
    );
}

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

#[test]
fn a_repository_with_the_same_name_and_another_id() {
    let impostor = GitHubRun {
        repository_id: "666".to_owned(),
        repository_owner_id: "667".to_owned(),
        ..run()
    };
    let api = api();
    let problem = api.exchange(&token(&claims(&impostor))).unwrap_err();
    assert_eq!(problem.code, Code::PermissionDenied);
    assert_eq!(
        problem.notes,
        [
            "Rule \"agents-production\" expects repository_id 1001; the run has 666.",
            "Rule \"agents-production\" expects repository_owner_id 2002; the run has 667.",
        ]
    );
    assert_eq!(api.sql.count("tokens"), 0);
}

#[test]
fn the_claim_sub_is_never_read() {
    for sub in [Value::Null, json!("repo:evil/evil:ref:refs/heads/x"), json!(7)] {
        assert!(api().exchange(&token(&with(claims(&run()), "sub", sub))).is_ok());
    }
}
