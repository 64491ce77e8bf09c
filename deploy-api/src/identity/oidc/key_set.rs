use std::collections::HashMap;

use data_encoding::BASE64URL_NOPAD;
use rsa::pkcs1v15::Signature;
use rsa::signature::Verifier;
use rsa::{BoxedUint, PublicKey};
use serde::Deserialize;
use sha2::Sha256;
use thiserror::Error;

/// The maximum length of a key set or a discovery document, in bytes.
pub(super) const MAX_KEY_SET: usize = 64 * 1024;

/// The maximum number of keys that are kept from a key set. GitHub publishes four.
const MAX_KEYS: usize = 32;

/// The accepted sizes of an RSA modulus, in bits. A smaller key is too weak, and a larger key is too slow to verify.
const MODULUS_BITS: std::ops::RangeInclusive<usize> = 2048..=4096;

/// The published keys of an issuer (RFC 7517) that can be used with RS256.
#[derive(Clone, Debug, Default)]
pub struct KeySet {
    keys: HashMap<String, VerifyingKey>,
}

/// A public RSA key of an issuer.
#[derive(Clone, Debug)]
pub struct VerifyingKey(PublicKey);

/// The document is not a valid key set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("the document is not a JSON Web Key Set of at most 64 KiB")]
pub struct UnreadableKeySet;

#[derive(Deserialize)]
struct Document {
    keys: Vec<serde_json::Value>,
}

#[derive(Deserialize)]
struct RsaKey {
    kty: String,
    kid: String,
    alg: Option<String>,
    r#use: Option<String>,
    n: String,
    e: String,
}

impl KeySet {
    /// Parses a JSON Web Key Set. Ignores keys of another type, use or size, as RFC 7517, section 5, recommends, and keys
    /// without an id.
    ///
    /// # Errors
    /// If the document is not a key set, or is too long.
    pub fn parse(document: &[u8]) -> Result<Self, UnreadableKeySet> {
        if document.len() > MAX_KEY_SET {
            return Err(UnreadableKeySet);
        }
        let document: Document = serde_json::from_slice(document).map_err(|_| UnreadableKeySet)?;
        let keys = document
            .keys
            .into_iter()
            .filter_map(usable_key)
            .take(MAX_KEYS)
            .collect();
        Ok(Self { keys })
    }

    /// The key with this id.
    #[must_use]
    pub fn get(&self, key_id: &str) -> Option<&VerifyingKey> {
        self.keys.get(key_id)
    }
}

fn usable_key(key: serde_json::Value) -> Option<(String, VerifyingKey)> {
    let key: RsaKey = serde_json::from_value(key).ok()?;
    let signs = key.r#use.is_none_or(|usage| usage == "sig") && key.alg.is_none_or(|alg| alg == "RS256");
    if key.kty != "RSA" || !signs || key.kid.is_empty() {
        return None;
    }
    let number = |text: &str| {
        let bytes = BASE64URL_NOPAD.decode(text.as_bytes()).ok()?;
        (!bytes.is_empty()).then(|| BoxedUint::from_be_slice_vartime(&bytes))
    };
    let public = PublicKey::new_with_size_limits(number(&key.n)?, number(&key.e)?, MODULUS_BITS).ok()?;
    Some((key.kid, VerifyingKey(public)))
}

impl VerifyingKey {
    /// Whether this key made the signature (RSASSA-PKCS1-v1_5 with SHA-256) of the text.
    #[must_use]
    pub fn signed(&self, text: &[u8], signature: &[u8]) -> bool {
        let key = rsa::pkcs1v15::VerifyingKey::<Sha256>::new(self.0.clone());
        Signature::try_from(signature).is_ok_and(|signature| key.verify(text, &signature).is_ok())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An arbitrary odd modulus with this number of bits.
    fn modulus(bits: usize) -> String {
        BASE64URL_NOPAD.encode(&vec![0xff; bits / 8])
    }

    fn set(keys: &str) -> Result<KeySet, UnreadableKeySet> {
        KeySet::parse(format!(r#"{{"keys": [{keys}]}}"#).as_bytes())
    }

    #[test]
    fn keys_that_rs256_cannot_use_are_ignored() {
        let n = modulus(2048);
        let good = format!(
            r#"{{"kty":"RSA","kid":"good","alg":"RS256","use":"sig","n":"{n}","e":"AQAB","x5t":"…"}}"#
        );
        for (other, why) in [
            (
                r#"{"kty":"EC","kid":"x","crv":"P-256","x":"AA","y":"AA"}"#.to_owned(),
                "another type",
            ),
            (
                format!(r#"{{"kty":"RSA","kid":"x","use":"enc","n":"{n}","e":"AQAB"}}"#),
                "another use",
            ),
            (
                format!(r#"{{"kty":"RSA","kid":"x","alg":"RS512","n":"{n}","e":"AQAB"}}"#),
                "another algorithm",
            ),
            (format!(r#"{{"kty":"RSA","n":"{n}","e":"AQAB"}}"#), "no id"),
            (
                format!(r#"{{"kty":"RSA","kid":"","n":"{n}","e":"AQAB"}}"#),
                "an empty id",
            ),
            (
                format!(r#"{{"kty":"RSA","kid":"x","n":"{}","e":"AQAB"}}"#, modulus(1024)),
                "too weak",
            ),
            (
                format!(r#"{{"kty":"RSA","kid":"x","n":"{}","e":"AQAB"}}"#, modulus(8192)),
                "too slow",
            ),
            (
                format!(r#"{{"kty":"RSA","kid":"x","n":"{n}","e":"AQ"}}"#),
                "the exponent 1",
            ),
            (
                format!(r#"{{"kty":"RSA","kid":"x","n":"{n}","e":""}}"#),
                "no exponent",
            ),
            (
                format!(r#"{{"kty":"RSA","kid":"x","n":"{n}==","e":"AQAB"}}"#),
                "padding",
            ),
            ("7".to_owned(), "not a key"),
        ] {
            let keys = set(&format!("{other},{good}")).unwrap();
            assert!(keys.get("good").is_some() && keys.keys.len() == 1, "{why}");
        }
    }

    #[test]
    fn documents_that_are_not_key_sets_are_rejected() {
        for document in ["", "[]", "{}", r#"{"keys": {}}"#, "<html>"] {
            assert!(KeySet::parse(document.as_bytes()).is_err(), "{document}");
        }
        let long = format!(r#"{{"keys": [], "x": "{}"}}"#, "x".repeat(MAX_KEY_SET));
        assert!(KeySet::parse(long.as_bytes()).is_err());
    }

    #[test]
    fn a_signature_of_any_length_does_not_cause_a_panic() {
        let keys = set(&format!(
            r#"{{"kty":"RSA","kid":"k","n":"{}","e":"AQAB"}}"#,
            modulus(2048)
        ))
        .unwrap();
        let key = keys.get("k").unwrap();
        for length in [0, 1, 255, 256, 257, 10_000] {
            assert!(!key.signed(b"text", &vec![1; length]), "{length}");
        }
    }
}
