//! An issuer of OIDC tokens with keys of its own, and the connection over which its keys are read.

use std::cell::{Cell, RefCell};
use std::sync::LazyLock;

use data_encoding::BASE64URL_NOPAD;
use deploy_api::identity::oidc::{FetchFailed, KeySource};
use deploy_api::identity::{GITHUB_ISSUER, GitHubRun};
use rand::SeedableRng;
use rand::rngs::StdRng;
use rsa::PrivateKey;
use rsa::pkcs1v15::SigningKey;
use rsa::signature::{SignatureEncoding, Signer};
use rsa::traits::PublicKeyParts;
use serde_json::{Value, json};
use sha2::Sha256;

use super::time::at;

/// The issuer's key, and one that is not the issuer's. Made once: a key takes a second.
static KEYS: LazyLock<[PrivateKey; 2]> =
    LazyLock::new(|| [1, 2].map(|seed| PrivateKey::new(&mut StdRng::seed_from_u64(seed), 2048).unwrap()));

/// Whose key signs.
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

/// The key in the form in which an HMAC would take it by mistake.
pub fn public_as_bytes() -> Vec<u8> {
    private(Key::Issuers).n().to_be_bytes().to_vec()
}

/// The claims of a good token for a run, made at `at(0)` and valid for five minutes.
pub fn claims(run: &GitHubRun) -> Value {
    let mut claims = serde_json::to_value(run).unwrap();
    let now = at(0).as_second();
    for (name, value) in [
        ("aud", json!("dotdo-deploy")),
        (
            "sub",
            json!("repo:drivly@2002/agents@1001:environment:production"),
        ),
        ("jti", json!("token-1")),
        ("iat", json!(now)),
        ("nbf", json!(now - 600)),
        ("exp", json!(now + 300)),
    ] {
        claims[name] = value;
    }
    claims
}

/// A token with this header and these claims, signed by a key.
pub fn signed(header: &Value, claims: &Value, key: Key) -> String {
    signed_text(header, &encode(claims), key)
}

/// A token whose payload is already in base64url, signed by a key.
pub fn signed_text(header: &Value, payload: &str, key: Key) -> String {
    let text = format!("{}.{payload}", encode(header));
    let signature = SigningKey::<Sha256>::new(private(key).clone()).sign(text.as_bytes());
    format!("{text}.{}", BASE64URL_NOPAD.encode(&signature.to_vec()))
}

/// A token with this header and these claims and a signature that is none of RSA's.
pub fn with_signature(header: &Value, claims: &Value, signature: &[u8]) -> String {
    format!(
        "{}.{}.{}",
        encode(header),
        encode(claims),
        BASE64URL_NOPAD.encode(signature)
    )
}

/// The header of a good token.
pub fn header() -> Value {
    json!({ "alg": "RS256", "typ": "JWT", "kid": "key-1" })
}

/// A good token with these claims.
pub fn token(claims: &Value) -> String {
    signed(&header(), claims, Key::Issuers)
}

/// The connection to the issuer: answers what it publishes, fails when told to, and counts.
#[derive(Default)]
pub struct Connection {
    pub published: RefCell<Vec<Value>>,
    pub down: Cell<bool>,
    pub asked: RefCell<Vec<String>>,
}

impl Connection {
    /// The issuer as it is: its own key, under the id `key-1`.
    pub fn to_the_issuer() -> Self {
        let connection = Self::default();
        connection
            .published
            .borrow_mut()
            .push(public(Key::Issuers, "key-1"));
        connection
    }

    /// How often the issuer's keys were read.
    pub fn reads(&self) -> usize {
        self.asked
            .borrow()
            .iter()
            .filter(|address| address.ends_with("/jwks"))
            .count()
    }
}

impl KeySource for Connection {
    async fn get(&self, address: &str) -> Result<Vec<u8>, FetchFailed> {
        self.asked.borrow_mut().push(address.to_owned());
        // Others get their turn while the answer is on its way.
        let mut waited = false;
        std::future::poll_fn(|context| {
            if std::mem::replace(&mut waited, true) {
                return std::task::Poll::Ready(());
            }
            context.waker().wake_by_ref();
            std::task::Poll::Pending
        })
        .await;
        if self.down.get() {
            return Err(FetchFailed);
        }
        let keys = format!("{GITHUB_ISSUER}/.well-known/jwks");
        let document = if address == format!("{GITHUB_ISSUER}/.well-known/openid-configuration") {
            json!({ "issuer": GITHUB_ISSUER, "jwks_uri": keys })
        } else if address == keys {
            json!({ "keys": *self.published.borrow() })
        } else {
            return Err(FetchFailed);
        };
        Ok(document.to_string().into_bytes())
    }
}
