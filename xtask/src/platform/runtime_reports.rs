//! The reports about the process of the runtime: the program that starts it (`xtask/src/runtime.rs`) sends them to the supervisor.

use std::{env, net::SocketAddr, process::Command};

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

/// The path for reports at the supervisor's address.
pub const PATH: &str = "/runtime";

/// What the program reports.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, Serialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum RuntimeReport {
    /// Before a start. The program waits for the answer. `again`: a process that it had started has ended.
    Begin { again: bool },
    /// The id of the started process.
    Process { process: i32 },
    /// The process serves requests on this port.
    Port { process: i32, port: u16 },
}

/// The environment variable with the supervisor's address.
const ADDRESS: &str = "DOTDO_SUPERVISOR";
/// The environment variable with the secret for reports.
const SECRET: &str = "DOTDO_SUPERVISOR_SECRET";

/// Sends reports to the supervisor.
#[derive(Clone, Debug)]
pub struct RuntimeReports {
    address: String,
    secret: String,
}

impl RuntimeReports {
    /// Reports to this address.
    pub fn new(address: SocketAddr, secret: &str) -> Self {
        Self {
            address: address.to_string(),
            secret: secret.to_owned(),
        }
    }

    /// Reports to the supervisor that has started this program.
    ///
    /// # Errors
    /// When no supervisor did.
    pub fn from_environment() -> Result<Self> {
        let variable = |name| {
            env::var(name).with_context(|| format!("{name} is not set: only `npm run dev` starts this"))
        };
        Ok(Self {
            address: variable(ADDRESS)?,
            secret: variable(SECRET)?,
        })
    }

    /// The URL below which the supervisor receives reports.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Gives a program what [`Self::from_environment`] reads.
    pub fn pass_to(&self, command: &mut Command) {
        command.env(ADDRESS, &self.address).env(SECRET, &self.secret);
    }

    /// Removes it from a program's environment.
    pub fn hide_from(command: &mut Command) {
        command.env_remove(ADDRESS).env_remove(SECRET);
    }

    /// Sends a report, and waits until the supervisor has recorded it.
    ///
    /// # Errors
    /// When the supervisor does not answer or does not permit the start.
    pub fn send(&self, report: RuntimeReport) -> Result<()> {
        ureq::post(format!("{}{PATH}", self.url()))
            .header("Authorization", format!("Bearer {}", self.secret))
            .send(serde_json::to_string(&report)?)
            .context("the supervisor of the local platform does not answer")?;
        Ok(())
    }
}
