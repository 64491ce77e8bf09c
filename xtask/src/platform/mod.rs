//! The local platform: the dispatch Worker, the deploy API and a local replacement for Cloudflare's API, in one
//! `wrangler dev` process behind one port.

mod configuration;
mod console_origin;
mod credentials;
mod guard;
mod lock;
mod namespaces;
mod processes;
mod runtime_reports;
mod secrets;
mod state;
mod stop;
mod supervisor;
mod wrangler;

use anyhow::{Context, Result};

pub use configuration::Overrides;
pub use credentials::Credentials;
pub use guard::{Gate, Guard};
pub use lock::StateLock;
pub use namespaces::namespaces;
pub use processes::ProcessGroup;
pub use runtime_reports::{RuntimeReport, RuntimeReports};
pub use secrets::Secrets;
pub use state::{State, write_private};
pub use stop::Stop;
pub use supervisor::Supervisor;
pub use wrangler::{RUNTIME_LAUNCHER, RUNTIME_PROGRAM, Wrangler};

/// The Worker that serves `/client/v4` on the platform's port.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Api {
    /// The deploy API, with the local REST API as its upstream: what developers use.
    Deploy,
    /// The local REST API itself: for tests of it, and for work on the dispatch Worker alone.
    Rest,
}

/// A platform that serves.
pub struct Platform<'a> {
    /// Keeps it running.
    pub supervisor: Supervisor<'a>,
    /// What a client needs to deploy to it.
    pub credentials: Credentials,
    /// The credentials for the resources of the account, such as KV namespaces.
    pub account_credentials: Credentials,
}

/// Starts the platform on loopback and waits until it serves. The Workers must have been built.
///
/// # Errors
/// The stop was requested, or wrangler fails, whose output is in the error and in the state folder's log.
pub fn start<'a>(
    lock: &'a StateLock,
    guard: Guard,
    api: Api,
    overrides: &Overrides,
    stop: &'a Stop,
) -> Result<Platform<'a>> {
    let state = lock.state();
    let port = guard.port()?;
    state.remove_request_record()?;
    let secrets = Secrets::load_or_generate(state)?;
    let gate = Gate::default();
    let mut supervisor = Supervisor::new(lock, gate.clone(), &secrets, stop)?;
    let configurations =
        configuration::write(state, port, &supervisor.reports_url(), api, &secrets, overrides)?;
    guard.serve(gate, &secrets.front_secret)?;
    supervisor.start(configurations)?;
    let credentials = credentials::obtain(state, port, api, &secrets).with_context(|| {
        // The Workers' output comes through wrangler, later than the response.
        std::thread::sleep(std::time::Duration::from_millis(500));
        format!(
            "no token for the developer; the last output of the Workers:\n{}\n",
            supervisor.output().last()
        )
    })?;
    let account_credentials = credentials::of_account(port, &secrets);
    Ok(Platform {
        supervisor,
        credentials,
        account_credentials,
    })
}
