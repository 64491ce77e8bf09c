//! The signature, its algorithm and its key.

use deploy_api::identity::GitHubRun;
use serde_json::{Value, json};

use super::{api, refused, with};
use crate::support::callers::run;
use crate::support::issuer::{
    Key, claims, header, hmac, public, public_as_bytes, signed, token, with_signature,
};

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
