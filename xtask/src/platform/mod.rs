//! The local platform: the dispatch Worker, the deploy API and a local replacement for Cloudflare's API, in one
//! `wrangler dev` process behind one port.

mod configuration;
mod credentials;
mod guard;
mod lock;
mod namespaces;
mod processes;
mod ready;
mod secrets;
mod state;
mod stop;
mod wrangler;

use std::time::Duration;

use anyhow::Result;

use ready::Start;

pub use configuration::Overrides;
pub use credentials::Credentials;
pub use guard::Guard;
pub use lock::StateLock;
pub use namespaces::namespaces;
pub use processes::ProcessGroup;
pub use secrets::Secrets;
pub use state::{State, write_private};
pub use stop::Stop;
pub use wrangler::Wrangler;

/// The Worker that serves `/client/v4` on the platform's port.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Api {
    /// The deploy API, with the local REST API as its upstream: what developers use.
    Deploy,
    /// The local REST API itself: for tests of it, and for work on the dispatch Worker alone.
    Rest,
}

/// A platform that serves.
pub struct Platform {
    /// The process that runs it.
    pub wrangler: Wrangler,
    /// What a client needs to deploy to it.
    pub credentials: Credentials,
    /// The credentials for the resources of the account, such as KV namespaces.
    pub account_credentials: Credentials,
}

/// How long the platform may take until it serves, once everything is built.
const START_UP: Duration = Duration::from_secs(90);

/// Starts the platform on loopback and waits until it serves. The Workers must have been built.
///
/// # Errors
/// The stop was requested, or wrangler fails, whose output is in the error and in the state folder's log.
pub fn start(
    lock: &StateLock,
    guard: Guard,
    api: Api,
    overrides: &Overrides,
    stop: &Stop,
) -> Result<Platform> {
    let state = lock.state();
    let port = guard.port()?;
    state.remove_request_record()?;
    let secrets = Secrets::load_or_generate(state)?;
    let configurations = configuration::write(state, port, api, &secrets, overrides)?;
    let start = Start::new(START_UP, stop);
    let mut wrangler = Wrangler::spawn(lock, &configurations)?;
    guard.serve(start.wait_for_port(&mut wrangler)?, secrets.front_secret.clone())?;
    start.wait_until_served(&mut wrangler, port)?;
    let credentials = credentials::obtain(state, port, api, &secrets)?;
    let account_credentials = credentials::of_account(port, &secrets);
    Ok(Platform {
        wrangler,
        credentials,
        account_credentials,
    })
}
