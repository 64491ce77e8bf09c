//! The local platform: the dispatch Worker, the deploy API and what stands in for Cloudflare, in one `wrangler dev`
//! process on one port.

mod configuration;
mod credentials;
mod leftover;
mod namespaces;
mod ready;
mod secrets;
mod state;
mod wrangler;

use std::time::Duration;

use anyhow::Result;

pub use configuration::Overrides;
pub use credentials::Credentials;
pub use leftover::{abandon, end as end_leftover};
pub use namespaces::namespaces;
pub use secrets::Secrets;
pub use state::{State, write_private};
pub use wrangler::Wrangler;

/// Who answers `/client/v4` on the platform's port.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Api {
    /// The deploy API, with the local REST API behind it: what developers speak to.
    Deploy,
    /// The local REST API itself: for tests of it, and for work on the dispatch Worker alone.
    Rest,
}

/// A platform that is up.
pub struct Platform {
    /// The process that it runs in.
    pub wrangler: Wrangler,
    /// What a client needs to deploy to it.
    pub credentials: Credentials,
}

/// How long the platform may take to answer, once everything is built.
const START_UP: Duration = Duration::from_secs(90);

/// Starts the platform on loopback and waits until it serves. The Workers must have been built.
///
/// # Errors
/// The port is taken, another platform uses the state folder, or wrangler fails; its own output is in the state
/// folder's log.
pub fn start(state: &State, port: u16, api: Api, overrides: &Overrides) -> Result<Platform> {
    state.create()?;
    leftover::end(state)?;
    ready::port_is_free(port)?;
    let secrets = Secrets::load_or_make(state)?;
    let configurations = configuration::write(state, api, &secrets, overrides)?;
    let mut wrangler = Wrangler::spawn(state, &configurations, port)?;
    ready::wait(&mut wrangler, port, START_UP)?;
    let credentials = credentials::obtain(state, port, api, &secrets)?;
    Ok(Platform {
        wrangler,
        credentials,
    })
}
