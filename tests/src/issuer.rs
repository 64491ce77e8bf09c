//! An issuer of OIDC tokens on loopback, like GitHub Actions: it publishes keys and signs tokens for workflow runs.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::{SystemTime, UNIX_EPOCH},
};

use anyhow::Result;
use data_encoding::HEXLOWER;
use futures_util::FutureExt;
use hyper::{Request, Response, StatusCode, body::Incoming};
use serde_json::{Value, json};

use crate::loopback::{self, Body, whole};

/// The tokens and keys that the deploy API's own tests use.
#[path = "../../deploy-api/tests/support/oidc_tokens.rs"]
#[expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::must_use_candidate,
    missing_docs,
    reason = "test support fails the test"
)]
pub mod tokens;

use tokens::{Key, header, public, signed};

/// The audience that the deploy API expects unless it is configured otherwise.
const AUDIENCE: &str = "dotdo-deploy";

/// The id under which the issuer publishes its key.
const KEY_ID: &str = "key-1";

/// A running issuer, which serves until the program ends.
#[derive(Debug)]
pub struct Issuer {
    address: String,
    state: Arc<State>,
}

#[derive(Debug, Default)]
struct State {
    reads: AtomicU64,
    keys: Mutex<Vec<Value>>,
}

impl Issuer {
    /// Starts an issuer.
    ///
    /// # Errors
    /// When no port is free.
    pub fn start() -> Result<Self> {
        let state = Arc::new(State::default());
        state.publish(public(Key::Issuers, KEY_ID));
        let served = Arc::clone(&state);
        let address = loopback::serve(Arc::new(move |request| {
            let state = Arc::clone(&served);
            async move { Some(state.answer(&request)) }.boxed()
        }))?;
        Ok(Self {
            address: format!("http://{address}"),
            state,
        })
    }

    /// The value of `iss`, for the deploy API's variable `OIDC_ISSUERS`.
    #[must_use]
    pub fn address(&self) -> &str {
        &self.address
    }

    /// How many times its keys were read.
    #[must_use]
    pub fn reads(&self) -> u64 {
        self.state.reads.load(Ordering::Relaxed)
    }

    /// Publishes another key.
    pub fn publish(&self, key: Value) {
        self.state.publish(key);
    }

    /// The claims of a valid token for a run on a repository's main branch, in the environment `production`. Each call
    /// returns another `jti`.
    #[must_use]
    pub fn claims(&self, repository: &str, repository_id: u64) -> Value {
        claims(&self.address, repository, &repository_id.to_string())
    }

    /// The address of another issuer, which this server is as well: the same keys, below a path such as `/_services/token`.
    #[must_use]
    pub fn below(&self, path: &str) -> String {
        format!("{}{path}", self.address)
    }

    /// `ACTIONS_ID_TOKEN_REQUEST_URL` for a run on the main branch of a repository, with other claims in place of some: with a
    /// parameter `audience` it returns a new token, as GitHub's runner does. `path` is that of the issuer: [`Issuer::below`].
    #[must_use]
    pub fn request_url(&self, path: &str, repository: &str, repository_id: u64, changed: &Value) -> String {
        let claims = json!({ "repository": repository, "repository_id": repository_id.to_string() });
        let claims = merged(claims, changed);
        let claims = HEXLOWER.encode(claims.to_string().as_bytes());
        format!("{}{path}/token?api-version=2.0&claims={claims}", self.address)
    }

    /// A correctly signed token with these claims.
    #[must_use]
    pub fn token(&self, claims: &Value) -> String {
        signed(&header(), claims, Key::Issuers)
    }
}

/// The claims of a valid token.
fn claims(issuer: &str, repository: &str, repository_id: &str) -> Value {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let now = now();
    json!({
            "iss": issuer,
            "aud": AUDIENCE,
            "sub": format!("repo:{repository}:environment:production"),
            "jti": format!("token-{}-{number}", std::process::id()),
            "iat": now,
            "nbf": now - 600,
            "exp": now + 300,
            "repository": repository,
            "repository_id": repository_id,
            "repository_owner": repository.split('/').next(),
            "repository_owner_id": OWNER_ID,
            "repository_visibility": "private",
            "ref": "refs/heads/main",
            "ref_type": "branch",
            "ref_protected": "true",
            "sha": "0f9f3a6c3b4a1d2e5f60718293a4b5c6d7e8f901",
            "event_name": "push",
            "environment": "production",
            "actor": "octocat",
            "actor_id": "3003",
            "run_id": "42",
            "run_attempt": "1",
            "workflow_ref": format!("{repository}/.github/workflows/deploy.yml@refs/heads/main"),
            "runner_environment": "github-hosted",
    })
}

/// Claims with others in place of some.
fn merged(mut claims: Value, changed: &Value) -> Value {
    if let (Some(claims), Some(changed)) = (claims.as_object_mut(), changed.as_object()) {
        claims.extend(changed.clone());
    }
    claims
}

/// The owner id of every repository.
pub const OWNER_ID: &str = "2002";

/// Seconds since 1970.
#[must_use]
pub fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or_default()
}

impl State {
    fn publish(&self, key: Value) {
        self.keys.lock().unwrap_or_else(PoisonError::into_inner).push(key);
    }

    fn answer(&self, request: &Request<Incoming>) -> Response<Body> {
        let host = request
            .headers()
            .get("host")
            .and_then(|host| host.to_str().ok())
            .unwrap_or_default();
        let path = request.uri().path();
        let named = ["/.well-known/openid-configuration", "/.well-known/jwks", "/token"]
            .into_iter()
            .find_map(|name| path.strip_suffix(name).map(|prefix| (prefix, name)));
        let (prefix, name) = named.unwrap_or_default();
        let issuer = format!("http://{host}{prefix}");
        let document = match name {
            "/.well-known/openid-configuration" => {
                json!({ "issuer": issuer, "jwks_uri": format!("{issuer}/.well-known/jwks") })
            }
            "/.well-known/jwks" => {
                self.reads.fetch_add(1, Ordering::Relaxed);
                json!({ "keys": *self.keys.lock().unwrap_or_else(PoisonError::into_inner) })
            }
            "/token" => {
                let query = request.uri().query().unwrap_or_default();
                let parameter = |name: &str| {
                    let mut pairs = query.split('&').filter_map(|pair| pair.split_once('='));
                    pairs
                        .find_map(|(key, value)| (key == name).then_some(value))
                        .unwrap_or_default()
                };
                let changed = HEXLOWER
                    .decode(parameter("claims").as_bytes())
                    .unwrap_or_default();
                let changed: Value = serde_json::from_slice(&changed).unwrap_or_default();
                let text = |name: &str| changed.get(name).and_then(Value::as_str).unwrap_or_default();
                let claims = claims(&issuer, text("repository"), text("repository_id"));
                let claims = merged(claims, &json!({ "aud": parameter("audience") }));
                json!({ "value": signed(&header(), &merged(claims, &changed), Key::Issuers) })
            }
            _ => {
                let mut not_found = Response::new(whole("not found"));
                *not_found.status_mut() = StatusCode::NOT_FOUND;
                return not_found;
            }
        };
        Response::new(whole(document.to_string()))
    }
}
