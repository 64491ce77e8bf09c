//! RSA keys, and valid and forged OIDC tokens.

use std::sync::LazyLock;

use data_encoding::BASE64URL_NOPAD;
use rand::SeedableRng;
use rand::rngs::StdRng;
use rsa::PrivateKey;
use rsa::pkcs1v15::SigningKey;
use rsa::signature::{SignatureEncoding, Signer};
use rsa::traits::PublicKeyParts;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

/// The key of the issuer, and the key of an attacker. Generated once, because generating a key takes a second.
static KEYS: LazyLock<[PrivateKey; 2]> =
    LazyLock::new(|| [1, 2].map(|seed| PrivateKey::new(&mut StdRng::seed_from_u64(seed), 2048).unwrap()));

/// The signing key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Key {
    Issuers,
    Mallorys,
}

fn private(key: Key) -> &'static PrivateKey {
    &KEYS[usize::from(key == Key::Mallorys)]
}

fn encode(value: &Value) -> String {
    BASE64URL_NOPAD.encode(value.to_string().as_bytes())
}

/// The public key as a JSON Web Key.
pub fn public(key: Key, key_id: &str) -> Value {
    let key = private(key);
    json!({
        "kty": "RSA", "kid": key_id, "alg": "RS256", "use": "sig",
        "n": BASE64URL_NOPAD.encode(&key.n().to_be_bytes()),
        "e": "AQAB"
    })
}

/// The public key as bytes, for an algorithm confusion attack with HMAC.
pub fn public_as_bytes() -> Vec<u8> {
    private(Key::Issuers).n().to_be_bytes().to_vec()
}

/// A token with this header and these claims, signed with a key.
pub fn signed(header: &Value, claims: &Value, key: Key) -> String {
    signed_text(header, &encode(claims), key)
}

/// A token with this header and this base64url payload, signed with a key.
pub fn signed_text(header: &Value, payload: &str, key: Key) -> String {
    let text = format!("{}.{payload}", encode(header));
    let signature = SigningKey::<Sha256>::new(private(key).clone()).sign(text.as_bytes());
    format!("{text}.{}", BASE64URL_NOPAD.encode(&signature.to_vec()))
}

/// A token with this header, these claims and these bytes as its signature.
pub fn with_signature(header: &Value, claims: &Value, signature: &[u8]) -> String {
    format!(
        "{}.{}.{}",
        encode(header),
        encode(claims),
        BASE64URL_NOPAD.encode(signature)
    )
}

/// The header of a valid token.
pub fn header() -> Value {
    json!({ "alg": "RS256", "typ": "JWT", "kid": "key-1" })
}

/// A token with a valid header, these claims and a valid signature.
pub fn token(claims: &Value) -> String {
    signed(&header(), claims, Key::Issuers)
}

/// HMAC-SHA-256 (RFC 2104), as an attacker computes it.
pub fn hmac(key: &[u8], text: &[u8]) -> Vec<u8> {
    let mut block = [0_u8; 64];
    let key = if key.len() > 64 {
        Sha256::digest(key).to_vec()
    } else {
        key.to_vec()
    };
    block[..key.len()].copy_from_slice(&key);
    let inner = Sha256::new()
        .chain_update(block.map(|byte| byte ^ 0x36))
        .chain_update(text)
        .finalize();
    Sha256::new()
        .chain_update(block.map(|byte| byte ^ 0x5c))
        .chain_update(inner)
        .finalize()
        .to_vec()
}
