use std::sync::OnceLock;

use anyhow::{Context, Result};
use dotdo_names::Environment;
use end_to_end::{Answer, Issuer, Options, Platform, Relay, Shared};

/// As `npm run dev` starts it, but that OIDC tokens of [`issuer`] are taken.
pub fn platform() -> &'static Platform {
    static SHARED: Shared = Shared::new(|| Options::new().deploy_api_variable("OIDC_ISSUERS", &issuers()));
    SHARED.get()
}

/// The issuer that every platform here trusts.
pub fn issuer() -> &'static Issuer {
    static ISSUER: OnceLock<Issuer> = OnceLock::new();
    ISSUER.get_or_init(|| Issuer::start().expect("an issuer"))
}

fn issuers() -> String {
    format!("[\"{}\"]", issuer().address())
}

/// A platform whose upstream is another one, over a relay that notes every call and makes some go wrong.
pub struct Distant {
    /// Whose deploy API is tried.
    pub platform: &'static Platform,
    /// What is between.
    pub relay: &'static Relay,
    /// Which stands in for Cloudflare: its dispatch Worker serves what was deployed.
    pub cloudflare: &'static Platform,
}

/// How long the deploy API waits for its upstream there, in seconds.
pub const UPSTREAM_TIMEOUT: u32 = 4;

/// That platform, which the tests share: each breaks only calls about Workers of its own.
pub fn distant() -> Distant {
    static RELAY: OnceLock<Relay> = OnceLock::new();
    static SHARED: Shared = Shared::new(|| options_behind(relay()));
    fn relay() -> &'static Relay {
        RELAY.get_or_init(|| relay_to(Platform::shared()).expect("a relay"))
    }
    Distant {
        platform: SHARED.get(),
        relay: relay(),
        cloudflare: Platform::shared(),
    }
}

/// A relay to a platform's REST API.
pub fn relay_to(cloudflare: &Platform) -> Result<Relay> {
    let origin = cloudflare.base_url().strip_suffix("/client/v4");
    Relay::start(origin.context("an address of another form")?)
}

/// A deploy API whose upstream is [`Platform::shared`], behind a relay.
pub fn options_behind(relay: &Relay) -> Options {
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

/// What a Worker answers through the dispatch Worker.
pub async fn served(platform: &Platform, environment: Environment, worker: &str) -> Result<Answer> {
    platform.get(&host(environment, worker), "/").await
}

/// The text that a Worker answers with through the dispatch Worker, which must be the Worker's own.
pub async fn text(platform: &Platform, environment: Environment, worker: &str) -> Result<String> {
    let answer = served(platform, environment, worker).await?;
    anyhow::ensure!(answer.status == 200, "{worker} is not served: {}", answer.text());
    Ok(answer.text())
}
