use dotdo_names::{DEPLOY_API_WORKER, DISPATCH_WORKER, LOGS_WORKER};

/// A Worker of the platform, which this repository deploys to the account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PlatformWorker {
    /// The logs Worker.
    Logs,
    /// The dispatch Worker.
    Dispatch,
    /// The deploy API.
    DeployApi,
}

impl PlatformWorker {
    /// Every Worker. Each has service bindings only to those before it.
    pub const ALL: [Self; 3] = [Self::Logs, Self::Dispatch, Self::DeployApi];

    /// The script name in the account.
    #[must_use]
    pub const fn script(self) -> &'static str {
        match self {
            Self::Logs => LOGS_WORKER,
            Self::Dispatch => DISPATCH_WORKER,
            Self::DeployApi => DEPLOY_API_WORKER,
        }
    }

    /// What people call it.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::Logs => "the logs Worker",
            Self::Dispatch => "the dispatch Worker",
            Self::DeployApi => "the deploy API",
        }
    }

    /// The argument of `npm run deploy`.
    #[must_use]
    pub const fn argument(self) -> &'static str {
        match self {
            Self::Logs => "logs",
            Self::Dispatch => "dispatcher",
            Self::DeployApi => "deploy-api",
        }
    }

    /// The Worker of an argument of `npm run deploy`.
    #[must_use]
    pub fn of_argument(argument: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|worker| worker.argument() == argument)
    }

    /// Its wrangler configuration, from the top of the repository.
    #[must_use]
    pub const fn configuration(self) -> &'static str {
        match self {
            Self::Logs => "logs/wrangler.jsonc",
            Self::Dispatch => "wrangler.jsonc",
            Self::DeployApi => "deploy-api/wrangler.jsonc",
        }
    }

    /// The member of `dotdo.jsonc` with its script name.
    #[must_use]
    pub const fn name_member(self) -> &'static str {
        match self {
            Self::Logs => "workers.logs",
            Self::Dispatch => "workers.dispatch",
            Self::DeployApi => "workers.deploy_api",
        }
    }
}
