//! An issuer of OIDC tokens, and a connection that returns its keys.

use std::cell::{Cell, RefCell};

use deploy_api::identity::oidc::{FetchFailed, Fetched, KeySource};
use deploy_api::identity::{GITHUB_ISSUER, GitHubRun};
use jiff::SignedDuration;
use serde_json::{Value, json};

pub use super::oidc_tokens::*;
use super::time::at;

/// The claims of a valid token for a run, issued at `at(0)`, valid for five minutes.
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

/// A connection to the issuer. It returns the published keys, fails if `down` is set, and records the requests.
#[derive(Default)]
pub struct Connection {
    pub published: RefCell<Vec<Value>>,
    pub down: Cell<bool>,
    pub asked: RefCell<Vec<String>>,
    /// A copy of older keys in a shared cache, with its age.
    pub copy: RefCell<Option<(Vec<Value>, SignedDuration)>>,
}

impl Connection {
    /// A connection to an issuer that publishes its key with the id `key-1`.
    pub fn to_the_issuer() -> Self {
        let connection = Self::default();
        connection
            .published
            .borrow_mut()
            .push(public(Key::Issuers, "key-1"));
        connection
    }

    /// The number of times that the keys of the issuer were fetched.
    pub fn reads(&self) -> usize {
        self.asked
            .borrow()
            .iter()
            .filter(|address| address.ends_with("/jwks"))
            .count()
    }
}

impl KeySource for Connection {
    async fn get(&self, address: &str, max_age: SignedDuration) -> Result<Fetched, FetchFailed> {
        if let Some((keys, age)) = &*self.copy.borrow()
            && address.ends_with("/jwks")
            && *age <= max_age
        {
            return Ok(Fetched {
                document: json!({ "keys": keys }).to_string().into_bytes(),
                age: *age,
            });
        }
        self.asked.borrow_mut().push(address.to_owned());
        // Yield once, so that other tasks run while the request is pending.
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
        Ok(Fetched {
            document: document.to_string().into_bytes(),
            age: SignedDuration::ZERO,
        })
    }
}
