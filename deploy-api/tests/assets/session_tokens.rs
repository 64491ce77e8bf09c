use data_encoding::BASE64URL_NOPAD;
use deploy_api::assets::{
    AssetSession, InvalidSessionToken, MAX_SESSION_TOKEN, SessionId, SessionKey, SessionTokenTooLong,
    TokenKind,
};
use deploy_api::bundles::Digest;
use deploy_api::target::Target;
use hmac::{Hmac, KeyInit, Mac};
use jiff::Timestamp;
use proptest::prelude::*;
use secrecy::{ExposeSecret, SecretBox, SecretString};
use serde_json::{Value, json};
use sha2::Sha256;

const NOW: i64 = 1_800_000_000;

fn now() -> Timestamp {
    Timestamp::from_second(NOW).unwrap()
}

fn session_key(byte: u8) -> SessionKey {
    SessionKey::new(SecretBox::new(Box::new([byte; 32])))
}

fn key() -> SessionKey {
    session_key(7)
}

fn target(text: &str) -> Target {
    serde_json::from_value(json!(text)).unwrap()
}

fn original(claims: &Value) -> String {
    format!(
        "{}.{}.c2lnbmF0dXJl",
        BASE64URL_NOPAD.encode(br#"{"alg":"ES256"}"#),
        BASE64URL_NOPAD.encode(claims.to_string().as_bytes())
    )
}

fn session(upstream: &str) -> AssetSession {
    AssetSession {
        target: target("dotdo-staging/agents"),
        session: SessionId::from_bytes([3; 16]),
        manifest: Digest::of(b"manifest"),
        attempt: "01890000-0000-7000-8000-000000000000".to_owned(),
        caller: json!({ "token": "0123456789abcdef", "identity": "the API token of alice" }),
        kind: TokenKind::Session,
        upstream: SecretString::from(upstream),
    }
}

fn token(upstream: &str) -> String {
    session(upstream)
        .to_token(&key(), now())
        .unwrap()
        .expose_secret()
        .to_owned()
}

fn claims(token: &str) -> Value {
    let payload = token.split('.').nth(1).unwrap();
    serde_json::from_slice(&BASE64URL_NOPAD.decode(payload.as_bytes()).unwrap()).unwrap()
}

fn verify(token: &str) -> Result<(), InvalidSessionToken> {
    AssetSession::verify(token, &key(), now()).map(drop)
}

/// A token with any header and payload, signed with the right key.
fn signed(header: &str, payload: &str) -> String {
    let text = format!(
        "{}.{}",
        BASE64URL_NOPAD.encode(header.as_bytes()),
        BASE64URL_NOPAD.encode(payload.as_bytes())
    );
    let mut mac = Hmac::<Sha256>::new_from_slice(&[7; 32]).unwrap();
    mac.update(text.as_bytes());
    format!("{text}.{}", BASE64URL_NOPAD.encode(&mac.finalize().into_bytes()))
}

const HEADER: &str = r#"{"alg":"HS256","typ":"JWT"}"#;

#[test]
fn a_token_contains_the_original_claims_and_everything_of_the_session() {
    let upstream = original(&json!({
        "exp": NOW + 600, "wrangler_single_asset_uploads": true, "edge_kv_upload_concurrency": 20, "dotdo": "forged",
    }));
    let token = token(&upstream);
    let claims = claims(&token);
    assert_eq!(claims["exp"], NOW + 600);
    assert_eq!(claims["wrangler_single_asset_uploads"], true);
    assert_eq!(claims["edge_kv_upload_concurrency"], 20);
    let verified = AssetSession::verify(&token, &key(), now()).unwrap();
    assert_eq!(verified.expires.as_second(), NOW + 600);
    let read = verified.session;
    let written = session(&upstream);
    assert_eq!(read.target, written.target);
    assert_eq!(read.session, written.session);
    assert_eq!(read.manifest, written.manifest);
    assert_eq!(read.attempt, written.attempt);
    assert_eq!(read.caller, written.caller);
    assert_eq!(read.kind, written.kind);
    assert_eq!(read.upstream.expose_secret(), upstream);
}

#[test]
fn a_bucket_token_has_every_claim_but_the_one_for_single_files() {
    let upstream = original(&json!({
        "exp": NOW + 600, "wrangler_single_asset_uploads": true, "edge_kv_upload_concurrency": 20,
    }));
    let token = session(&upstream).to_bucket_token(&key(), now()).unwrap();
    let claims = claims(token.expose_secret());
    assert_eq!(claims.get("wrangler_single_asset_uploads"), None);
    assert_eq!(claims["edge_kv_upload_concurrency"], 20);
    verify(token.expose_secret()).unwrap();
}

#[test]
fn a_token_expires_with_the_original_one() {
    for (claims, expected) in [
        (json!({ "exp": NOW + 1 }), NOW + 1),
        (json!({ "exp": NOW - 1 }), NOW - 1),
        (json!({ "exp": 1_800_000_600.9 }), NOW + 600),
        (json!({}), NOW + 3600),
        (json!({ "exp": "soon" }), NOW + 3600),
        (json!({ "exp": 1e300 }), NOW + 12 * 3600),
        (json!({ "exp": u64::MAX }), NOW + 12 * 3600),
    ] {
        let token = token(&original(&claims));
        assert_eq!(self::claims(&token)["exp"], expected, "{claims}");
    }
    for other in [
        "jwt-0",
        "",
        "a.b",
        "a.b.c.d",
        "e30.bm90IGpzb24.e30",
        "e30.WzFd.e30",
        "e30.e30=.e30",
    ] {
        let claims = claims(&token(other));
        assert_eq!(claims["exp"], NOW + 3600, "{other}");
        assert_eq!(claims.as_object().unwrap().len(), 2, "{other}");
    }
}

#[test]
fn a_token_is_accepted_until_the_second_in_which_it_expires() {
    let token = token(&original(&json!({ "exp": NOW + 60 })));
    let at =
        |seconds| AssetSession::verify(&token, &key(), Timestamp::from_second(seconds).unwrap()).map(drop);
    assert_eq!(at(NOW + 59), Ok(()));
    assert_eq!(at(NOW + 60), Err(InvalidSessionToken::Expired));
    assert_eq!(at(NOW + 61), Err(InvalidSessionToken::Expired));
}

#[test]
fn a_token_of_another_key_is_refused() {
    let other = session_key(8);
    let token = session("jwt").to_token(&other, now()).unwrap();
    assert_eq!(verify(token.expose_secret()), Err(InvalidSessionToken::Signature));
}

#[test]
fn a_deploy_needs_the_completion_token_of_its_own_worker() {
    let mut session = session("jwt");
    let read = |session: &AssetSession| {
        let token = session.to_token(&key(), now()).unwrap();
        AssetSession::verify(token.expose_secret(), &key(), now()).unwrap()
    };
    let staging = target("dotdo-staging/agents");
    assert!(read(&session).of_kind(TokenKind::Session).is_ok());
    assert_eq!(
        read(&session).completed_for(&staging).unwrap_err(),
        InvalidSessionToken::Kind
    );
    session.kind = TokenKind::Completion;
    assert!(read(&session).completed_for(&staging).is_ok());
    assert_eq!(
        read(&session).of_kind(TokenKind::Session).unwrap_err(),
        InvalidSessionToken::Kind
    );
    for other in ["dotdo-production/agents", "dotdo-staging/other"] {
        assert_eq!(
            read(&session).completed_for(&target(other)).unwrap_err(),
            InvalidSessionToken::Target
        );
    }
}

#[test]
fn only_one_header_is_accepted() {
    let payload = claims(&token("jwt")).to_string();
    assert_eq!(verify(&signed(HEADER, &payload)), Ok(()));
    for header in [
        r#"{"alg":"none","typ":"JWT"}"#,
        r#"{"alg":"none"}"#,
        r#"{"alg":"HS256"}"#,
        r#"{"alg":"HS512","typ":"JWT"}"#,
        r#"{"typ":"JWT","alg":"HS256"}"#,
        r#"{"alg":"HS256","alg":"none","typ":"JWT"}"#,
        r#"{"alg":"HS256","typ":"JWT","crit":["x"]}"#,
        "{}",
    ] {
        assert_eq!(
            verify(&signed(header, &payload)),
            Err(InvalidSessionToken::Header),
            "{header}"
        );
    }
    let unsigned = signed(r#"{"alg":"none","typ":"JWT"}"#, &payload);
    let unsigned = &unsigned[..=unsigned.rfind('.').unwrap()];
    assert_eq!(verify(unsigned), Err(InvalidSessionToken::Header));
}

#[test]
fn claims_are_parsed_strictly_even_with_a_valid_signature() {
    let good = claims(&token("jwt"));
    let dotdo = good["dotdo"].to_string();
    let without = |member: &str| {
        let mut claims = good.clone();
        claims["dotdo"].as_object_mut().unwrap().remove(member);
        claims.to_string()
    };
    let with = |member: &str, value: Value| {
        let mut claims = good.clone();
        claims["dotdo"][member] = value;
        claims.to_string()
    };
    for payload in [
        "{}".to_owned(),
        "[]".to_owned(),
        String::new(),
        format!(r#"{{"dotdo":{dotdo}}}"#),
        format!(r#"{{"exp":"{NOW}0","dotdo":{dotdo}}}"#),
        format!(r#"{{"exp":1e20,"dotdo":{dotdo}}}"#),
        format!(r#"{{"exp":{NOW}0,"exp":1,"dotdo":{dotdo}}}"#),
        format!(r#"{{"exp":{NOW}0,"dotdo":{dotdo},"dotdo":{dotdo}}}"#),
        format!(r#"{{"exp":{NOW}0,"dotdo":{dotdo}}} "#) + "x",
        without("target"),
        without("upstream"),
        without("kind"),
        with("session", json!("../../manifests")),
        with("manifest", json!("../x")),
        with("kind", json!("Session")),
        with("extra", json!(1)),
    ] {
        assert_eq!(
            verify(&signed(HEADER, &payload)),
            Err(InvalidSessionToken::Claims),
            "{payload}"
        );
    }
}

#[test]
fn a_token_is_three_parts_in_base64url_without_padding() {
    let good = token("jwt");
    let parts: Vec<_> = good.split('.').collect();
    assert_eq!(verify(&good), Ok(()));
    let [header, payload, signature] = parts[..] else {
        panic!("a token has three parts");
    };
    for bad in [
        String::new(),
        ".".to_owned(),
        "..".to_owned(),
        format!("{header}.{payload}"),
        format!("{good}."),
        format!(".{good}"),
        format!("{good}.{signature}"),
        format!("{header}.{payload}..{signature}"),
        format!("{header}.{payload}.{signature}="),
        format!("{header}.{payload}=.{signature}"),
        format!("{header} .{payload}.{signature}"),
        format!(" {good}"),
        format!("{good}\n"),
        format!("{good}\0"),
    ] {
        assert!(verify(&bad).is_err(), "{bad:?}");
    }
}

#[test]
fn a_token_has_a_limit_in_both_directions() {
    assert_eq!(
        session(&"x".repeat(MAX_SESSION_TOKEN))
            .to_token(&key(), now())
            .unwrap_err(),
        SessionTokenTooLong
    );
    assert_eq!(
        verify(&"x".repeat(MAX_SESSION_TOKEN + 1)),
        Err(InvalidSessionToken::TooLong)
    );
    assert_eq!(
        verify(&"x".repeat(MAX_SESSION_TOKEN)),
        Err(InvalidSessionToken::Malformed)
    );
}

#[test]
fn debug_output_contains_no_credential() {
    let session = session("marker-secret");
    let token = session.to_token(&key(), now()).unwrap();
    let verified = AssetSession::verify(token.expose_secret(), &key(), now()).unwrap();
    let shown = format!("{session:?} {token:?} {verified:?} {:?}", session_key(77));
    assert!(!shown.contains("marker") && !shown.contains("77"), "{shown}");
}

proptest! {
    #[test]
    fn a_token_with_one_other_byte_is_refused(position in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let good = token(&original(&json!({ "exp": NOW + 600 })));
        let mut bytes = good.clone().into_bytes();
        let position = position.index(bytes.len());
        prop_assume!(bytes[position] != byte);
        bytes[position] = byte;
        if let Ok(text) = String::from_utf8(bytes) {
            prop_assert!(verify(&text).is_err());
        }
    }

    #[test]
    fn a_token_with_one_flipped_bit_is_refused(position in any::<prop::sample::Index>(), bit in 0..7_u8) {
        let mut bytes = token("jwt").into_bytes();
        let position = position.index(bytes.len());
        bytes[position] ^= 1 << bit;
        prop_assert!(verify(&String::from_utf8(bytes).unwrap()).is_err());
    }

    #[test]
    fn a_truncated_token_is_rejected(length in any::<prop::sample::Index>()) {
        let good = token("jwt");
        prop_assert!(verify(&good[..length.index(good.len())]).is_err());
    }

    #[test]
    fn any_text_is_refused(text in "\\PC{0,200}") {
        prop_assert!(verify(&text).is_err());
    }
}
