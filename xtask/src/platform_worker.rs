use anyhow::Result;
use clap::ValueEnum;

use crate::build::{self, Worker};

/// The Workers of this repository that are deployed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum PlatformWorker {
    Dispatcher,
    DeployApi,
    Logs,
}

impl PlatformWorker {
    /// Every Worker, in the order in which `npm run check` prints them.
    pub const ALL: [Self; 3] = [Self::Dispatcher, Self::DeployApi, Self::Logs];

    /// Its wrangler configuration, from the repository's root.
    pub const fn configuration(self) -> &'static str {
        match self {
            Self::Dispatcher => "wrangler.jsonc",
            Self::DeployApi => "deploy-api/wrangler.jsonc",
            Self::Logs => "logs/wrangler.jsonc",
        }
    }

    /// Builds it. wrangler bundles the TypeScript of the logs Worker itself.
    ///
    /// # Errors
    /// The errors of [`build::build`].
    pub fn build(self) -> Result<()> {
        match self {
            Self::Dispatcher => build::build(Worker::Dispatcher, false),
            Self::DeployApi => build::build(Worker::DeployApi, false),
            Self::Logs => Ok(()),
        }
    }
}
