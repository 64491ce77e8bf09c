//! The platforms that the tests share, and requests to them.

use std::sync::OnceLock;

use anyhow::{Context, Result};
use dotdo_names::Environment;
use end_to_end::{Answer, Issuer, Options, Platform, Relay, Script, Shared};
use reqwest::Method;
use serde_json::json;

/// A platform as `npm run dev` starts it, which trusts [`issuer`].
pub fn platform() -> &'static Platform {
    static SHARED: Shared = Shared::new(|| Options::new().deploy_api_variable("OIDC_ISSUERS", &issuers()));
    SHARED.get()
}

/// The OIDC issuer that these platforms trust.
pub fn issuer() -> &'static Issuer {
    static ISSUER: OnceLock<Issuer> = OnceLock::new();
    ISSUER.get_or_init(|| Issuer::start().expect("an issuer"))
}

/// An issuer that these platforms trust and that never answers: nothing listens on this port.
pub const UNREACHABLE_ISSUER: &str = "http://127.0.0.1:1";

/// Where [`issuer`] is a GitHub Enterprise Server, a GitLab server and Buildkite.
pub const ENTERPRISE: &str = "/_services/token";
pub const GITLAB: &str = "/gitlab";
pub const BUILDKITE: &str = "/buildkite";

fn issuers() -> String {
    let below = |path| issuer().below(path);
    json!([
        issuer().address(),
        UNREACHABLE_ISSUER,
        below(ENTERPRISE),
        { "issuer": below(GITLAB), "provider": "gitlab" },
        { "issuer": below(BUILDKITE), "provider": "buildkite" },
    ])
    .to_string()
}

/// A platform whose deploy API has another platform as its upstream, through a relay that records requests and makes some
/// fail.
pub struct BehindRelay {
    /// The platform whose deploy API is tested.
    pub platform: &'static Platform,
    /// The relay between the deploy API and its upstream.
    pub relay: &'static Relay,
    /// The upstream in place of Cloudflare. Its dispatch Worker serves the deployed Workers.
    pub cloudflare: &'static Platform,
}

/// How long this deploy API waits for its upstream, in seconds.
const UPSTREAM_TIMEOUT: u32 = 4;

/// The shared platform behind a relay. Each test plans faults only for its own Workers.
pub fn behind_relay() -> BehindRelay {
    static RELAY: OnceLock<Relay> = OnceLock::new();
    static SHARED: Shared = Shared::new(|| options_behind(relay()));
    fn relay() -> &'static Relay {
        RELAY.get_or_init(|| relay_to(Platform::shared()).expect("a relay"))
    }
    BehindRelay {
        platform: SHARED.get(),
        relay: relay(),
        cloudflare: Platform::shared(),
    }
}

/// Starts a relay to a platform's REST API.
pub fn relay_to(cloudflare: &Platform) -> Result<Relay> {
    let origin = cloudflare.base_url().strip_suffix("/client/v4");
    Relay::start(origin.context("the base URL has another path")?)
}

/// The options of a deploy API whose upstream is [`Platform::shared`], behind a relay.
fn options_behind(relay: &Relay) -> Options {
    Options::new()
        .upstream(&format!("{}/client/v4", relay.origin()))
        .deploy_api_variable("CLOUDFLARE_API_TOKEN", Platform::shared().token())
        .deploy_api_variable("UPSTREAM_TIMEOUT_SECONDS", &UPSTREAM_TIMEOUT.to_string())
        .deploy_api_variable("OIDC_ISSUERS", &issuers())
}

/// The host of a Worker in an environment.
pub fn host(environment: Environment, worker: &str) -> String {
    match environment {
        Environment::Production => format!("{worker}.do"),
        Environment::Staging => format!("staging.{worker}.do"),
        Environment::Development => format!("dev.{worker}.do"),
    }
}

/// Uploads a script to the staging namespace, and returns the response, whatever its status.
pub async fn put(platform: &Platform, worker: &str, script: &Script) -> Result<Answer> {
    let call = platform.api(Method::PUT, &platform.script_path(Environment::Staging, worker));
    Answer::read(call.multipart(script.to_form()).send().await?).await
}

/// The response of a Worker through the dispatch Worker.
pub async fn served(platform: &Platform, environment: Environment, worker: &str) -> Result<Answer> {
    platform.get(&host(environment, worker), "/").await
}

/// The text of a Worker's response through the dispatch Worker.
///
/// # Errors
/// When the status is not 200.
pub async fn text(platform: &Platform, environment: Environment, worker: &str) -> Result<String> {
    let answer = served(platform, environment, worker).await?;
    anyhow::ensure!(answer.status == 200, "{worker} is not served: {}", answer.text());
    Ok(answer.text())
}
