//! Tokens that must not pass, over HTTP: one generic 401 for each, and the precise reason on record only.

use anyhow::Result;
use dotdo_names::Environment::Production;
use end_to_end::issuer::{
    now,
    tokens::{Key, header, hmac, public, public_as_bytes, signed, with_signature},
};
use serde_json::{Value, json};

use crate::{
    keyless::{allow, exchange},
    platforms::{issuer, platform},
};

/// Where the attackers come from, so that their guesses lock nobody else out.
const MALLORY: &str = "198.51.100.1";

fn with(mut object: Value, name: &str, value: Value) -> Value {
    object[name] = value;
    object
}

/// A token that attackers make, and the reason that stands on record.
struct Attack {
    reason: &'static str,
    token: String,
}

fn attacks(good: impl Fn() -> Value) -> Vec<Attack> {
    let now = now();
    let issued = |claims: &Value| signed(&header(), claims, Key::Issuers);
    let times = |issued: i64, begins: i64, ends: i64| {
        let claims = with(good(), "iat", json!(issued));
        with(with(claims, "nbf", json!(begins)), "exp", json!(ends))
    };
    let hs256 = with_signature(&with(header(), "alg", json!("HS256")), &good(), &[]);
    let text = hs256.trim_end_matches('.');
    let forged = format!(
        "{text}.{}",
        data_encoding::BASE64URL_NOPAD.encode(&hmac(&public_as_bytes(), text.as_bytes()))
    );
    let mallorys = json!({ "keys": [public(Key::Mallorys, "key-1")] }).to_string();
    let attack = |reason, token| Attack { reason, token };
    vec![
        attack("oidc_signature", signed(&header(), &good(), Key::Mallorys)),
        attack("oidc_signature", with_signature(&header(), &good(), &[])),
        attack(
            "oidc_algorithm",
            with_signature(&with(header(), "alg", json!("none")), &good(), &[]),
        ),
        attack("oidc_algorithm", forged),
        attack(
            "oidc_issuer",
            issued(&with(good(), "iss", json!("https://token.evil.example"))),
        ),
        attack(
            "oidc_audience",
            issued(&with(good(), "aud", json!("sts.amazonaws.com"))),
        ),
        attack("oidc_expired", issued(&times(now - 900, now - 900, now - 600))),
        attack("oidc_not_yet_valid", issued(&times(now, now + 200, now + 300))),
        attack(
            "oidc_key_unknown",
            signed(&with(header(), "kid", json!("key-2")), &good(), Key::Issuers),
        ),
        attack(
            "oidc_signature",
            signed(
                &with(header(), "jku", json!("https://evil.example/jwks")),
                &good(),
                Key::Mallorys,
            ),
        ),
        attack(
            "oidc_signature",
            signed(&with(header(), "jwk", json!(mallorys)), &good(), Key::Mallorys),
        ),
        attack(
            "oidc_too_long",
            issued(&with(good(), "padding", json!("a".repeat(20_000)))),
        ),
        attack("oidc_malformed", "a.b.c".to_owned()),
    ]
}

#[end_to_end::test]
async fn none_of_them_passes_and_none_is_told_why() -> Result<()> {
    allow("drivly/besieged", 6001, Production.namespace(), "besieged").await?;
    let mut answers = Vec::new();
    for Attack { reason, token } in attacks(|| issuer().claims("drivly/besieged", 6001)) {
        let answer = exchange(&token, MALLORY).await?;
        assert_eq!(answer.status, 401, "{reason}: {}", answer.text());
        let mut body = answer.json();
        if let Some(body) = body.as_object_mut() {
            body.remove("request_id");
        }
        answers.push(body);
        let entries = platform()
            .deploy_api()
            .audit(&format!("client={MALLORY}&verb=token_exchange"))
            .await?;
        let last = entries.last().cloned().unwrap_or_default();
        assert_eq!(last["reason"]["cause"], reason, "{last}");
        assert_eq!(
            last["identity"],
            Value::Null,
            "an unproven identity is not on record"
        );
    }
    assert!(answers.windows(2).all(|pair| pair[0] == pair[1]), "{answers:?}");
    Ok(())
}

#[end_to_end::test]
async fn a_token_passes_once() -> Result<()> {
    allow("drivly/once", 6101, Production.namespace(), "once").await?;
    let token = issuer().token(&issuer().claims("drivly/once", 6101));
    let client = "198.51.100.2";
    let (first, second) = tokio::try_join!(exchange(&token, client), exchange(&token, client))?;
    let mut statuses = [first.status.as_u16(), second.status.as_u16()];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 401], "{} {}", first.text(), second.text());
    assert_eq!(exchange(&token, client).await?.status, 401);
    Ok(())
}

#[end_to_end::test]
async fn a_repository_of_the_same_name_with_another_id() -> Result<()> {
    allow("drivly/recycled", 6201, Production.namespace(), "recycled").await?;
    let claims = issuer().claims("drivly/recycled", 6202);
    let answer = exchange(&issuer().token(&claims), "198.51.100.3").await?;
    assert_eq!(answer.status, 403, "{}", answer.text());
    assert!(answer.text().contains("repository_id"), "{}", answer.text());
    Ok(())
}

#[end_to_end::test]
async fn an_oidc_token_itself_deploys_nothing() -> Result<()> {
    allow("drivly/direct", 6301, Production.namespace(), "direct").await?;
    let token = issuer().token(&issuer().claims("drivly/direct", 6301));
    let answer = platform()
        .anonymous(
            reqwest::Method::GET,
            &platform().script_path(Production, "direct"),
        )
        .header("CF-Connecting-IP", "198.51.100.4")
        .bearer_auth(token)
        .send()
        .await?;
    assert_eq!(answer.status(), 401);
    Ok(())
}
