use std::collections::HashMap;

use data_encoding::BASE64URL_NOPAD;
use rsa::pkcs1v15::Signature;
use rsa::signature::Verifier;
use rsa::{BoxedUint, PublicKey};
use serde::Deserialize;
use sha2::Sha256;
use thiserror::Error;

/// The longest key set or discovery document that is read, in bytes.
pub(super) const MAX_KEY_SET: usize = 64 * 1024;

/// The most keys of a set that are kept. GitHub publishes four.
const MAX_KEYS: usize = 32;

/// The sizes of RSA modulus that are accepted, in bits: below is too weak, above takes too long to verify.
const MODULUS_BITS: std::ops::RangeInclusive<usize> = 2048..=4096;

/// The keys that an issuer publishes (RFC 7517), those among them that RS256 can use.
#[derive(Clone, Debug, Default)]
pub struct KeySet {
    keys: HashMap<String, VerifyingKey>,
}

/// A public RSA key of an issuer.
#[derive(Clone, Debug)]
pub struct VerifyingKey(PublicKey);

/// The document is no key set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("the issuer's key set is no JSON Web Key Set of at most 64 KiB")]
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
    /// Reads a JSON Web Key Set. Keys of another kind, another use or another strength are left out, as RFC 7517,
    /// section 5, asks; so is a key without an id, which no token could name.
    ///
    /// # Errors
    /// When the document is no key set.
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

    /// The key of that id.
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
    /// Whether the signature (RSASSA-PKCS1-v1_5 with SHA-256) of the text is by this key.
    #[must_use]
    pub fn signed(&self, text: &[u8], signature: &[u8]) -> bool {
        let key = rsa::pkcs1v15::VerifyingKey::<Sha256>::new(self.0.clone());
        Signature::try_from(signature).is_ok_and(|signature| key.verify(text, &signature).is_ok())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A modulus of so many bits, odd and otherwise arbitrary.
    fn modulus(bits: usize) -> String {
        BASE64URL_NOPAD.encode(&vec![0xff; bits / 8])
    }

    fn set(keys: &str) -> Result<KeySet, UnreadableKeySet> {
        KeySet::parse(format!(r#"{{"keys": [{keys}]}}"#).as_bytes())
    }

    #[test]
    fn keys_that_rs256_cannot_use_are_left_out() {
        let n = modulus(2048);
        let good = format!(
            r#"{{"kty":"RSA","kid":"good","alg":"RS256","use":"sig","n":"{n}","e":"AQAB","x5t":"…"}}"#
        );
        for (other, why) in [
            (
                r#"{"kty":"EC","kid":"x","crv":"P-256","x":"AA","y":"AA"}"#.to_owned(),
                "another kind",
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
                "an exponent that encrypts nothing",
            ),
            (
                format!(r#"{{"kty":"RSA","kid":"x","n":"{n}","e":""}}"#),
                "no exponent",
            ),
            (
                format!(r#"{{"kty":"RSA","kid":"x","n":"{n}==","e":"AQAB"}}"#),
                "padding",
            ),
            ("7".to_owned(), "no key"),
        ] {
            let keys = set(&format!("{other},{good}")).unwrap();
            assert!(keys.get("good").is_some() && keys.keys.len() == 1, "{why}");
        }
    }

    #[test]
    fn what_is_no_key_set_is_refused() {
        for document in ["", "[]", "{}", r#"{"keys": {}}"#, "<html>"] {
            assert!(KeySet::parse(document.as_bytes()).is_err(), "{document}");
        }
        let long = format!(r#"{{"keys": [], "x": "{}"}}"#, "x".repeat(MAX_KEY_SET));
        assert!(KeySet::parse(long.as_bytes()).is_err());
    }

    #[test]
    fn a_signature_of_any_length_is_compared_without_a_panic() {
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
