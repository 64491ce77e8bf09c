use jiff::SignedDuration;
use secrecy::SecretString;
use thiserror::Error;
use wasm_bindgen::JsValue;

use super::bindings::binding;
use crate::audit::{CheckpointKey, InvalidCheckpointKey};
use crate::identity::oidc::{InvalidIssuer, Issuers};
use crate::identity::{BootstrapSecret, BootstrapTooShort};

/// The Cloudflare API.
const CLOUDFLARE: &str = "https://api.cloudflare.com/client/v4";

/// How long the upstream may take to answer, in seconds.
const UPSTREAM_TIMEOUT: u32 = 60;

/// The variables and secrets of the Worker.
#[derive(Debug)]
pub struct Settings {
    /// `CLOUDFLARE_API_TOKEN`: what the upstream takes. It is nowhere else.
    pub account_token: SecretString,
    /// `BOOTSTRAP_TOKEN`: what makes the first policy.
    pub bootstrap: Option<BootstrapSecret>,
    /// `CHECKPOINT_KEY`: what signs checkpoints of the audit log.
    pub checkpoint_key: Option<CheckpointKey>,
    /// `OIDC_ISSUERS` and `OIDC_AUDIENCE`.
    pub issuers: Issuers,
    /// `UPSTREAM_URL`: what stands in the place of `https://api.cloudflare.com/client/v4`.
    pub upstream_url: String,
    /// `UPSTREAM_TIMEOUT_SECONDS`
    upstream_timeout: u32,
}

/// What cannot be used. Holds no value of a secret.
#[derive(Debug, Error)]
pub enum Misconfigured {
    /// A secret that nothing works without.
    #[error("the secret CLOUDFLARE_API_TOKEN is missing")]
    AccountToken,
    /// `BOOTSTRAP_TOKEN`
    #[error(transparent)]
    Bootstrap(#[from] BootstrapTooShort),
    /// `CHECKPOINT_KEY`
    #[error(transparent)]
    CheckpointKey(#[from] InvalidCheckpointKey),
    /// `OIDC_ISSUERS` or `OIDC_AUDIENCE`
    #[error(transparent)]
    Issuers(#[from] InvalidIssuer),
    /// `UPSTREAM_URL`
    #[error(
        "UPSTREAM_URL is no https address, nor an http address of this machine, without a '/' at its end"
    )]
    Upstream,
    /// `UPSTREAM_TIMEOUT_SECONDS`
    #[error("UPSTREAM_TIMEOUT_SECONDS is no number from 1 to 60")]
    Timeout,
}

impl Settings {
    /// Reads the members of the Worker's `env`.
    ///
    /// # Errors
    /// The first one that cannot be used.
    pub fn load(env: &JsValue) -> Result<Self, Misconfigured> {
        let text = |name| binding(env, name).and_then(|value| value.as_string());
        let secret = |name| text(name).filter(|text| !text.is_empty()).map(SecretString::from);
        Ok(Self {
            account_token: secret("CLOUDFLARE_API_TOKEN").ok_or(Misconfigured::AccountToken)?,
            bootstrap: secret("BOOTSTRAP_TOKEN")
                .map(|secret| BootstrapSecret::new(&secret))
                .transpose()?,
            checkpoint_key: secret("CHECKPOINT_KEY")
                .map(|secret| CheckpointKey::from_hex(&secret))
                .transpose()?,
            issuers: Issuers::load(text("OIDC_ISSUERS").as_deref(), text("OIDC_AUDIENCE").as_deref())?,
            upstream_url: text("UPSTREAM_URL").map_or_else(|| Ok(CLOUDFLARE.to_owned()), upstream_url)?,
            upstream_timeout: text("UPSTREAM_TIMEOUT_SECONDS")
                .as_deref()
                .map_or(Ok(UPSTREAM_TIMEOUT), timeout)?,
        })
    }

    /// How long the upstream may take to answer.
    pub const fn upstream_timeout_milliseconds(&self) -> u32 {
        self.upstream_timeout * 1000
    }

    /// How long a change whose answer was lost may still be at work: half as long again.
    pub fn settle_after(&self) -> SignedDuration {
        SignedDuration::from_millis(i64::from(self.upstream_timeout) * 1500)
    }
}

fn upstream_url(text: String) -> Result<String, Misconfigured> {
    let is_safe = text.starts_with("https://")
        || ["http://127.0.0.1:", "http://localhost:", "http://[::1]:"]
            .iter()
            .any(|loopback| text.starts_with(loopback));
    if is_safe && !text.ends_with('/') && !text.contains(['?', '#', '@', ' ']) {
        Ok(text)
    } else {
        Err(Misconfigured::Upstream)
    }
}

fn timeout(text: &str) -> Result<u32, Misconfigured> {
    text.parse()
        .ok()
        .filter(|seconds| (1..=60).contains(seconds))
        .ok_or(Misconfigured::Timeout)
}
