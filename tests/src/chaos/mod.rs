//! Kills the deploy API's runtime while it deploys, and checks its records afterwards.
//!
//! The upstream is a separate platform, which keeps running. As in production, it may have made a change, may make it
//! later, or may never have received the request.

mod check;
mod moment;
mod traffic;

use std::collections::HashMap;

use anyhow::{Context, Result};
use rand::{RngExt, SeedableRng, rngs::StdRng};

pub use moment::Moment;

use crate::{Options, Platform, Relay, deploy_api_build, dispatcher_build};
use traffic::{Acknowledged, Traffic};

/// How many Workers are deployed at once.
const WORKERS: usize = 3;

/// How long the deploy API waits for its upstream, in seconds. A change whose response was lost is reconciled after 1.5
/// times as long.
const UPSTREAM_TIMEOUT: &str = "2";

/// A deploy API that is killed repeatedly.
pub struct Chaos<'a> {
    cloudflare: &'a Platform,
    relay: Relay,
    // None only while it is restarted.
    platform: Option<Platform>,
    random: StdRng,
    kills: u32,
    // The response of each script, by the SHA-256 of its module.
    answers: HashMap<String, String>,
    acknowledged: Vec<Acknowledged>,
    // The sequence number up to which all entries were checked and all intents are closed.
    closed: u64,
}

/// The results of some kills.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// How many times the runtime was killed.
    pub kills: u32,
    /// How many changes were acknowledged to their client.
    pub acknowledged: usize,
    /// How many entries the audit log has.
    pub entries: u64,
    /// How many changes were not acknowledged, and were found to have been made.
    pub found_done: usize,
    /// How many changes were not acknowledged, and were found not to have been made.
    pub found_undone: usize,
}

impl<'a> Chaos<'a> {
    /// Starts a deploy API whose upstream is a platform in place of Cloudflare. The same seed gives the same moments of
    /// kills; timing still differs between runs.
    ///
    /// # Errors
    /// When it does not start.
    pub fn start(cloudflare: &'a Platform, seed: u64) -> Result<Self> {
        let origin = cloudflare.base_url().strip_suffix("/client/v4");
        let relay = Relay::start(origin.context("the base URL has another path")?)?;
        // Built once instead of at each of many starts.
        let options = Options::new()
            .dispatcher_build(&dispatcher_build()?)
            .deploy_api_build(&deploy_api_build()?)
            .upstream(&format!("{}/client/v4", relay.origin()))
            .deploy_api_variable("CLOUDFLARE_API_TOKEN", cloudflare.token())
            .deploy_api_variable("UPSTREAM_TIMEOUT_SECONDS", UPSTREAM_TIMEOUT);
        Ok(Self {
            cloudflare,
            relay,
            platform: Some(Platform::try_start(options)?),
            random: StdRng::seed_from_u64(seed),
            kills: 0,
            answers: HashMap::new(),
            acknowledged: Vec::new(),
            closed: 0,
        })
    }

    /// Kills the runtime at a random moment while every Worker is being changed, starts it again, and checks its records.
    ///
    /// # Errors
    /// When a record is wrong.
    pub async fn kill_at_random(&mut self) -> Result<Moment> {
        let moment = Moment::random(&mut self.random);
        self.kill(moment).await?;
        Ok(moment)
    }

    /// Kills the runtime at a given moment, starts it again, and checks its records.
    ///
    /// # Errors
    /// When a record is wrong.
    pub async fn kill(&mut self, moment: Moment) -> Result<()> {
        self.kills += 1;
        let platform = self.platform.take().context("the platform did not start again")?;
        let workers = (0..WORKERS).map(|number| format!("shaken-{number}"));
        let traffic = Traffic::begin(
            &platform,
            workers,
            self.kills,
            &mut self.random,
            &mut self.answers,
        );
        moment.wait_for(&self.relay, &traffic).await;
        // The clients' connections end, as in a power failure.
        let platform = tokio::task::block_in_place(|| platform.kill_and_restart());
        self.acknowledged.extend(traffic.end().await);
        self.relay.remove_faults(traffic::PATH);
        let platform = self.platform.insert(platform);
        check::everything(
            &check::Expected {
                platform,
                cloudflare: self.cloudflare,
                answers: &self.answers,
                acknowledged: &self.acknowledged,
            },
            &mut self.closed,
        )
        .await
        .with_context(|| format!("after kill {} ({moment:?})", self.kills))
    }

    /// The results so far.
    ///
    /// # Errors
    /// When the audit log cannot be read.
    pub async fn summary(&self) -> Result<Summary> {
        let platform = self
            .platform
            .as_ref()
            .context("the platform did not start again")?;
        let (found_done, found_undone) = check::reconciled(platform).await?;
        Ok(Summary {
            kills: self.kills,
            acknowledged: self.acknowledged.len(),
            entries: self.closed,
            found_done,
            found_undone,
        })
    }
}

/// A number below a limit.
fn below(random: &mut StdRng, limit: u64) -> u64 {
    random.random_range(0..limit)
}
