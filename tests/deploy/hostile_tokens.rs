//! Invalid tokens: each gets the same generic 401, and only the audit log has the reason. Repeated failures lock the
//! client's address out.

use anyhow::Result;
use dotdo_names::Environment::Production;
use end_to_end::{
    Answer,
    issuer::{
        now,
        tokens::{Key, header, hmac, public, public_as_bytes, signed, with_signature},
    },
};
use reqwest::Method;
use serde_json::{Value, json};
use sha2::Digest as _;

use crate::{
    keyless::{allow, exchange},
    platforms::{UNREACHABLE_ISSUER, issuer, platform},
};

/// The attackers' address. Their failures must not lock out the clients of other tests.
const MALLORY: &str = "198.51.100.1";

fn with(mut object: Value, name: &str, value: Value) -> Value {
    object[name] = value;
    object
}

/// A forged token, and the reason in the audit log.
struct Attack {
    reason: &'static str,
    token: String,
}

fn attacks(valid: impl Fn() -> Value) -> Vec<Attack> {
    let now = now();
    let issued = |claims: &Value| signed(&header(), claims, Key::Issuers);
    let times = |issued: i64, begins: i64, ends: i64| {
        let claims = with(valid(), "iat", json!(issued));
        with(with(claims, "nbf", json!(begins)), "exp", json!(ends))
    };
    let hs256 = with_signature(&with(header(), "alg", json!("HS256")), &valid(), &[]);
    let text = hs256.trim_end_matches('.');
    let forged = format!(
        "{text}.{}",
        data_encoding::BASE64URL_NOPAD.encode(&hmac(&public_as_bytes(), text.as_bytes()))
    );
    let mallorys = json!({ "keys": [public(Key::Mallorys, "key-1")] }).to_string();
    let attack = |reason, token| Attack { reason, token };
    vec![
        attack("oidc_signature", signed(&header(), &valid(), Key::Mallorys)),
        attack("oidc_signature", with_signature(&header(), &valid(), &[])),
        attack(
            "oidc_algorithm",
            with_signature(&with(header(), "alg", json!("none")), &valid(), &[]),
        ),
        attack("oidc_algorithm", forged),
        attack(
            "oidc_issuer",
            issued(&with(valid(), "iss", json!("https://token.evil.example"))),
        ),
        attack(
            "oidc_audience",
            issued(&with(valid(), "aud", json!("sts.amazonaws.com"))),
        ),
        attack("oidc_expired", issued(&times(now - 900, now - 900, now - 600))),
        attack("oidc_not_yet_valid", issued(&times(now, now + 200, now + 300))),
        attack(
            "oidc_key_unknown",
            signed(&with(header(), "kid", json!("key-2")), &valid(), Key::Issuers),
        ),
        attack(
            "oidc_signature",
            signed(
                &with(header(), "jku", json!("https://evil.example/jwks")),
                &valid(),
                Key::Mallorys,
            ),
        ),
        attack(
            "oidc_signature",
            signed(&with(header(), "jwk", json!(mallorys)), &valid(), Key::Mallorys),
        ),
        attack(
            "oidc_too_long",
            issued(&with(valid(), "padding", json!("a".repeat(20_000)))),
        ),
        attack("oidc_malformed", "a.b.c".to_owned()),
    ]
}

/// The reasons of texts that are no well-formed OIDC tokens, which never reach the ledger.
const NOT_WELL_FORMED: [&str; 5] = [
    "oidc_too_long",
    "oidc_malformed",
    "oidc_algorithm",
    "oidc_critical_header",
    "oidc_no_key_id",
];

#[end_to_end::test]
async fn rejects_forged_tokens_without_a_reason() -> Result<()> {
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
        if NOT_WELL_FORMED.contains(&reason) {
            assert!(
                entries.iter().all(|entry| entry["reason"]["cause"] != reason),
                "{reason} reached the ledger"
            );
            continue;
        }
        let last = entries.last().cloned().unwrap_or_default();
        assert_eq!(last["reason"]["cause"], reason, "{last}");
        assert_eq!(
            last["identity"],
            Value::Null,
            "an unverified identity is recorded"
        );
    }
    assert!(answers.windows(2).all(|pair| pair[0] == pair[1]), "{answers:?}");
    Ok(())
}

#[end_to_end::test]
async fn exchanges_an_oidc_token_once() -> Result<()> {
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
async fn rejects_a_repository_with_the_same_name_and_another_id() -> Result<()> {
    allow("drivly/recycled", 6201, Production.namespace(), "recycled").await?;
    let claims = issuer().claims("drivly/recycled", 6202);
    let answer = exchange(&issuer().token(&claims), "198.51.100.3").await?;
    assert_eq!(answer.status, 403, "{}", answer.text());
    assert!(answer.text().contains("repository_id"), "{}", answer.text());
    Ok(())
}

#[end_to_end::test]
async fn rejects_an_oidc_token_as_a_deploy_token() -> Result<()> {
    allow("drivly/direct", 6301, Production.namespace(), "direct").await?;
    let token = issuer().token(&issuer().claims("drivly/direct", 6301));
    let answer = platform()
        .anonymous(Method::GET, &platform().script_path(Production, "direct"))
        .header("CF-Connecting-IP", "198.51.100.4")
        .bearer_auth(token)
        .send()
        .await?;
    assert_eq!(answer.status(), 401);
    Ok(())
}

async fn get_namespaces(client: &str, token: &str) -> Result<Answer> {
    let request = platform()
        .anonymous(Method::GET, "/v1/namespaces")
        .header("CF-Connecting-IP", client)
        .bearer_auth(token);
    Answer::read(request.send().await?).await
}

#[end_to_end::test]
async fn locks_out_an_address_after_repeated_guesses() -> Result<()> {
    let guesser = "203.0.113.1";
    let mut rejected = 0;
    let locked = loop {
        let answer = get_namespaces(guesser, &unknown_token(rejected)).await?;
        if answer.status == 429 {
            break answer;
        }
        assert_eq!(answer.status, 401, "{}", answer.text());
        rejected += 1;
        assert!(rejected < 100, "no address is locked out");
    };
    assert_eq!(locked.json()["code"], "LOCKED_OUT");
    assert!(!locked.header("retry-after").is_empty());
    let token = platform().token();
    assert_eq!(
        get_namespaces(guesser, token).await?.status,
        200,
        "a valid token from this address is accepted"
    );
    assert_eq!(
        get_namespaces("203.0.113.2", &unknown_token(0)).await?.status,
        401
    );
    let entries = platform()
        .deploy_api()
        .audit(&format!("client={guesser}&outcome=denied"))
        .await?;
    assert!(entries.len() >= usize::from(rejected), "{entries:?}");
    assert_eq!(entries[0]["reason"]["cause"], "token_unknown");
    Ok(())
}

/// Asserts that an address is not locked out: a guess is not told to wait, and a valid token is accepted.
async fn is_not_locked_out(client: &str) -> Result<()> {
    let guess = get_namespaces(client, &unknown_token(200)).await?;
    assert_eq!(guess.status, 401, "{client}: {}", guess.text());
    let valid = get_namespaces(client, platform().token()).await?;
    assert_eq!(valid.status, 200, "{client}: {}", valid.text());
    Ok(())
}

#[end_to_end::test]
async fn an_issuer_that_fails_is_503_and_locks_nobody_out() -> Result<()> {
    let client = "203.0.113.11";
    let mut claims = issuer().claims("drivly/outage", 6401);
    claims["iss"] = json!(UNREACHABLE_ISSUER);
    let token = issuer().token(&claims);
    for _ in 0..25 {
        let answer = exchange(&token, client).await?;
        assert_eq!(answer.status, 503, "{}", answer.text());
        assert_eq!(answer.json()["code"], "ISSUER_UNAVAILABLE");
        assert!(!answer.header("retry-after").is_empty());
    }
    is_not_locked_out(client).await
}

#[end_to_end::test]
async fn repeating_an_own_oidc_token_locks_nobody_out() -> Result<()> {
    allow("drivly/again", 6501, Production.namespace(), "again").await?;
    let client = "203.0.113.12";
    let token = issuer().token(&issuer().claims("drivly/again", 6501));
    let first = exchange(&token, client).await?;
    assert_eq!(first.status, 200, "{}", first.text());
    for _ in 0..25 {
        assert_eq!(exchange(&token, client).await?.status, 401);
    }
    is_not_locked_out(client).await
}

#[end_to_end::test]
async fn text_that_cannot_be_a_credential_locks_nobody_out() -> Result<()> {
    let client = "203.0.113.13";
    let mut typo = unknown_token(13);
    typo.replace_range(typo.len() - 1.., "x");
    for text in ["anything", typo.as_str(), "a.b.c"] {
        for _ in 0..25 {
            assert_eq!(get_namespaces(client, text).await?.status, 401, "{text}");
        }
    }
    is_not_locked_out(client).await
}

#[end_to_end::test]
async fn nobody_is_locked_out_on_loopback() -> Result<()> {
    let forged = signed(&header(), &issuer().claims("drivly/local", 6601), Key::Mallorys);
    for client in ["127.0.0.1", "::1", "::ffff:127.0.0.1"] {
        for number in 0..25 {
            assert_eq!(get_namespaces(client, &unknown_token(number)).await?.status, 401);
            assert_eq!(exchange(&forged, client).await?.status, 401);
        }
        is_not_locked_out(client).await?;
    }
    Ok(())
}

/// A well-formed API token that does not exist.
pub fn unknown_token(number: u8) -> String {
    let body = format!("dotdo_api_{}", data_encoding::HEXLOWER.encode(&[number; 20]));
    let checksum = sha2::Sha256::digest(&body);
    let digits = data_encoding::HEXLOWER.encode(checksum.get(..4).unwrap_or_default());
    body + &digits
}
