use jiff::SignedDuration;
use secrecy::{ExposeSecret, SecretString};
use thiserror::Error;
use worker::Env;

use crate::audit::{CheckpointKey, InvalidCheckpointKey};
use crate::deployments::{DeploymentId, InvalidDeploymentId, InvalidWorkerUrls, WorkerUrls};
use crate::identity::oidc::{InvalidIssuer, Issuers};
use crate::identity::{BootstrapSecret, BootstrapTooShort};
use crate::upload::{InvalidUploadKey, OWN_DEPLOYMENT, UploadKey};

/// The Cloudflare API.
const CLOUDFLARE: &str = "https://api.cloudflare.com/client/v4";

/// How long the upstream may take to answer, in seconds, unless it is configured.
const UPSTREAM_TIMEOUT: u32 = 60;

/// How many calls Cloudflare allows a token within five minutes, unless it is configured.
/// <https://developers.cloudflare.com/fundamentals/api/reference/limits/>
const UPSTREAM_CALLS: u32 = 1200;

/// How long a preview exists after its last deploy, in seconds, unless it is configured: 14 days.
const PREVIEW_LIFETIME: u32 = 14 * 24 * 60 * 60;

/// The longest configured lifetime of a preview, in seconds: a year.
const MAX_PREVIEW_LIFETIME: u32 = 365 * 24 * 60 * 60;

/// The variables and secrets of the Worker.
#[derive(Debug)]
pub struct Settings {
    /// `CLOUDFLARE_API_TOKEN`: the account's token for the upstream. It is stored nowhere else.
    pub account_token: SecretString,
    /// `BOOTSTRAP_TOKEN`: the token that creates the first policy.
    pub bootstrap: Option<BootstrapSecret>,
    /// `CHECKPOINT_KEY`: signs checkpoints of the audit log.
    pub checkpoint_key: Option<CheckpointKey>,
    /// `UPLOAD_KEY`, 32 bytes in hexadecimal: signs asset upload sessions and cached key documents, keys the
    /// fingerprints of uploads, and seals the cursors of lists.
    pub upload_key: UploadKey,
    /// `OIDC_ISSUERS` and `OIDC_AUDIENCE`.
    pub issuers: Issuers,
    /// `UPSTREAM_URL`: used in place of `https://api.cloudflare.com/client/v4`.
    pub upstream_url: String,
    /// `UPSTREAM_TIMEOUT_SECONDS`
    upstream_timeout: u32,
    /// `UPSTREAM_CALLS_PER_FIVE_MINUTES`
    pub upstream_calls: u32,
    /// `WORKER_LOGS`: whether the logs Worker gets the logs of the Workers that are deployed.
    pub stores_logs: bool,
    /// `WORKER_URLS`
    pub worker_urls: WorkerUrls,
    /// `PREVIEW_LIFETIME_SECONDS`
    preview_lifetime: u32,
    /// `DEPLOYMENT`: the deployment that this version is. Only a deploy through this API sets it.
    pub own_deployment: Option<DeploymentId>,
}

/// A variable, secret or binding that is invalid or missing. Contains no value of a secret.
#[derive(Debug, Error)]
pub enum Misconfigured {
    /// A required secret.
    #[error("the secret CLOUDFLARE_API_TOKEN is missing")]
    AccountToken,
    /// `BOOTSTRAP_TOKEN`
    #[error(transparent)]
    Bootstrap(#[from] BootstrapTooShort),
    /// `CHECKPOINT_KEY`
    #[error(transparent)]
    CheckpointKey(#[from] InvalidCheckpointKey),
    /// `UPLOAD_KEY`
    #[error("the secret UPLOAD_KEY is missing (create one with `openssl rand -hex 32`)")]
    NoUploadKey,
    /// `UPLOAD_KEY`
    #[error(transparent)]
    UploadKey(#[from] InvalidUploadKey),
    /// `OIDC_ISSUERS` or `OIDC_AUDIENCE`
    #[error(transparent)]
    Issuers(#[from] InvalidIssuer),
    /// `UPSTREAM_URL`
    #[error(
        "UPSTREAM_URL is not an https address or an http address of this machine, or it ends with '/' or has a query"
    )]
    Upstream,
    /// `UPSTREAM_TIMEOUT_SECONDS`
    #[error("UPSTREAM_TIMEOUT_SECONDS is not a number from 1 to 60")]
    Timeout,
    /// `WORKER_LOGS`
    #[error("WORKER_LOGS is neither \"on\" nor \"off\"")]
    WorkerLogs,
    /// `UPSTREAM_CALLS_PER_FIVE_MINUTES`
    #[error("UPSTREAM_CALLS_PER_FIVE_MINUTES is not a number from 1 to 1000000")]
    Calls,
    /// `PREVIEW_LIFETIME_SECONDS`
    #[error("PREVIEW_LIFETIME_SECONDS is not a number from 1 to {MAX_PREVIEW_LIFETIME}")]
    PreviewLifetime,
    /// `WORKER_URLS`
    #[error("WORKER_URLS is not valid: {0}")]
    WorkerUrls(#[from] InvalidWorkerUrls),
    /// `DEPLOYMENT`
    #[error("DEPLOYMENT is not the id of a deployment")]
    OwnDeployment(#[from] InvalidDeploymentId),
    /// The Durable Object's binding.
    #[error("the binding LEDGER is missing: {0}")]
    Ledger(String),
}

impl Settings {
    /// Reads the variables and secrets from the Worker's `env`.
    ///
    /// # Errors
    /// The first one that is invalid or missing.
    pub fn load(env: &Env) -> Result<Self, Misconfigured> {
        let text = |name| env.var(name).ok().map(|value| value.to_string());
        let secret = |name| text(name).filter(|text| !text.is_empty()).map(SecretString::from);
        Ok(Self {
            account_token: secret("CLOUDFLARE_API_TOKEN").ok_or(Misconfigured::AccountToken)?,
            bootstrap: secret("BOOTSTRAP_TOKEN")
                .map(|secret| BootstrapSecret::new(&secret))
                .transpose()?,
            checkpoint_key: secret("CHECKPOINT_KEY")
                .map(|secret| CheckpointKey::from_hex(&secret))
                .transpose()?,
            upload_key: UploadKey::from_hex(
                secret("UPLOAD_KEY")
                    .ok_or(Misconfigured::NoUploadKey)?
                    .expose_secret(),
            )?,
            issuers: Issuers::load(text("OIDC_ISSUERS").as_deref(), text("OIDC_AUDIENCE").as_deref())?,
            upstream_url: text("UPSTREAM_URL").map_or_else(|| Ok(CLOUDFLARE.to_owned()), upstream_url)?,
            upstream_timeout: text("UPSTREAM_TIMEOUT_SECONDS")
                .as_deref()
                .map_or(Ok(UPSTREAM_TIMEOUT), timeout)?,
            upstream_calls: text("UPSTREAM_CALLS_PER_FIVE_MINUTES")
                .as_deref()
                .map_or(Ok(UPSTREAM_CALLS), calls)?,
            stores_logs: text("WORKER_LOGS").as_deref().map_or(Ok(true), on_or_off)?,
            worker_urls: text("WORKER_URLS")
                .as_deref()
                .map_or(Ok(WorkerUrls::default()), WorkerUrls::parse)?,
            preview_lifetime: text("PREVIEW_LIFETIME_SECONDS")
                .as_deref()
                .map_or(Ok(PREVIEW_LIFETIME), preview_lifetime)?,
            own_deployment: text(OWN_DEPLOYMENT)
                .map(|text| DeploymentId::parse(&text))
                .transpose()?,
        })
    }

    /// How long the upstream may take to answer.
    pub const fn upstream_timeout_milliseconds(&self) -> u32 {
        self.upstream_timeout * 1000
    }

    /// The same as a duration.
    pub fn upstream_timeout(&self) -> SignedDuration {
        SignedDuration::from_secs(i64::from(self.upstream_timeout))
    }

    /// How long a preview exists after its last deploy.
    pub fn preview_lifetime(&self) -> SignedDuration {
        SignedDuration::from_secs(i64::from(self.preview_lifetime))
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

fn calls(text: &str) -> Result<u32, Misconfigured> {
    text.parse()
        .ok()
        .filter(|calls| (1..=1_000_000).contains(calls))
        .ok_or(Misconfigured::Calls)
}

fn on_or_off(text: &str) -> Result<bool, Misconfigured> {
    match text {
        "on" => Ok(true),
        "off" => Ok(false),
        _ => Err(Misconfigured::WorkerLogs),
    }
}

fn preview_lifetime(text: &str) -> Result<u32, Misconfigured> {
    text.parse()
        .ok()
        .filter(|seconds| (1..=MAX_PREVIEW_LIFETIME).contains(seconds))
        .ok_or(Misconfigured::PreviewLifetime)
}

fn timeout(text: &str) -> Result<u32, Misconfigured> {
    text.parse()
        .ok()
        .filter(|seconds| (1..=60).contains(seconds))
        .ok_or(Misconfigured::Timeout)
}
