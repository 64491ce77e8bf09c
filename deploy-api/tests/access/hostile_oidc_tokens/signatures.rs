//! Tokens with an invalid signature, algorithm or key.

use deploy_api::identity::GitHubRun;
use serde_json::{Value, json};

use super::{api, assert_rejected, with};
use crate::support::callers::run;
use crate::support::issuer::{
    Key, claims, header, hmac, public, public_as_bytes, signed, token, with_signature,
};

#[test]
fn an_invalid_signature_is_rejected() {
    assert_rejected(
        &api(),
        &signed(&header(), &claims(&run()), Key::Mallorys),
        "oidc_signature",
    );
    assert_rejected(
        &api(),
        &with_signature(&header(), &claims(&run()), &[0; 256]),
        "oidc_signature",
    );
    assert_rejected(
        &api(),
        &with_signature(&header(), &claims(&run()), &[]),
        "oidc_signature",
    );
    // The signature of another valid token.
    let good = token(&claims(&run()));
    let other = token(&with(claims(&run()), "jti", json!("token-2")));
    let (text, _) = good.rsplit_once('.').unwrap();
    let (_, signature) = other.rsplit_once('.').unwrap();
    assert_rejected(&api(), &format!("{text}.{signature}"), "oidc_signature");
}

#[test]
fn claims_that_were_changed_after_signing_are_rejected() {
    let good = token(&claims(&run()));
    let changed = token(&claims(&GitHubRun {
        git_ref: "refs/heads/evil".to_owned(),
        ..run()
    }));
    let parts: Vec<_> = good.split('.').collect();
    let payload = changed.split('.').nth(1).unwrap();
    assert_rejected(
        &api(),
        &format!("{}.{payload}.{}", parts[0], parts[2]),
        "oidc_signature",
    );
}

#[test]
fn the_algorithm_none_is_rejected() {
    for alg in ["none", "None", "NONE", "nOnE", ""] {
        let header = with(header(), "alg", json!(alg));
        assert_rejected(
            &api(),
            &with_signature(&header, &claims(&run()), &[]),
            "oidc_algorithm",
        );
        assert_rejected(
            &api(),
            &signed(&header, &claims(&run()), Key::Issuers),
            "oidc_algorithm",
        );
    }
}

#[test]
fn an_hmac_with_the_public_key_as_its_secret_is_rejected() {
    let header = with(header(), "alg", json!("HS256"));
    let unsigned = with_signature(&header, &claims(&run()), &[]);
    let text = unsigned.trim_end_matches('.');
    for secret in [
        public_as_bytes(),
        public(Key::Issuers, "key-1").to_string().into_bytes(),
    ] {
        let signature = hmac(&secret, text.as_bytes());
        assert_rejected(
            &api(),
            &with_signature(&header, &claims(&run()), &signature),
            "oidc_algorithm",
        );
        // The same signature with the accepted algorithm.
        assert_rejected(
            &api(),
            &with_signature(&self::header(), &claims(&run()), &signature),
            "oidc_signature",
        );
    }
}

#[test]
fn other_algorithms_with_the_same_key_are_rejected() {
    for alg in ["RS384", "RS512", "PS256", "ES256", "rs256"] {
        assert_rejected(
            &api(),
            &signed(&with(header(), "alg", json!(alg)), &claims(&run()), Key::Issuers),
            "oidc_algorithm",
        );
    }
}

#[test]
fn an_unknown_key_is_rejected() {
    assert_rejected(
        &api(),
        &signed(
            &with(header(), "kid", json!("key-9")),
            &claims(&run()),
            Key::Issuers,
        ),
        "oidc_key_unknown",
    );
    for kid in [Value::Null, json!(""), json!("x".repeat(257))] {
        assert_rejected(
            &api(),
            &signed(&with(header(), "kid", kid), &claims(&run()), Key::Issuers),
            "oidc_no_key_id",
        );
    }
}

#[test]
fn keys_in_the_header_are_ignored() {
    for (name, value) in [
        ("jku", json!("https://evil.example/jwks")),
        ("x5u", json!("https://evil.example/cert")),
        ("jwk", public(Key::Mallorys, "key-1")),
        ("x5c", json!(["MIIB"])),
    ] {
        let api = api();
        let header = with(header(), name, value);
        assert_rejected(
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
            "{name} is ignored"
        );
    }
}

#[test]
fn a_critical_header_is_rejected() {
    let header = with(header(), "crit", json!(["b64"]));
    assert_rejected(
        &api(),
        &signed(&header, &claims(&run()), Key::Issuers),
        "oidc_critical_header",
    );
}
