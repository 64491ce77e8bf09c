//! The Workers that the sequences change.

use deploy_api::target::Target;
use deploy_api::v1;
use dotdo_names::{DEPLOY_API_WORKER, DISPATCH_WORKER};

/// A Worker.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// The Worker agents in staging.
    Staging,
    /// The Worker agents in production.
    Production,
    /// The preview of a pull request of agents.
    PullRequest,
    /// The preview of one deployment of agents in staging, which the first change that makes it selects.
    Deployment,
    /// The dispatch Worker in the account.
    Dispatcher,
    /// The deploy API itself.
    DeployApi,
}

impl Place {
    pub const ALL: [Self; 6] = [
        Self::Staging,
        Self::Production,
        Self::PullRequest,
        Self::Deployment,
        Self::Dispatcher,
        Self::DeployApi,
    ];

    pub const fn namespace(self) -> &'static str {
        match self {
            Self::Staging => "dotdo-staging",
            Self::Production => "dotdo-production",
            Self::PullRequest | Self::Deployment => "dotdo-development",
            Self::Dispatcher | Self::DeployApi => "account",
        }
    }

    pub const fn is_preview(self) -> bool {
        matches!(self, Self::PullRequest | Self::Deployment)
    }

    pub const fn is_in_account(self) -> bool {
        matches!(self, Self::Dispatcher | Self::DeployApi)
    }

    /// The place from which agents is promoted to this one; `None` if it is not a promotion's target.
    pub const fn promoted_from(self) -> Option<Self> {
        match self {
            Self::Staging => Some(Self::Production),
            Self::Production => Some(Self::Staging),
            _ => None,
        }
    }

    /// The Worker. `previewed` is the id of the deployment that [`Self::Deployment`] previews.
    pub fn target(self, previewed: Option<&str>) -> Target {
        let digits = previewed
            .and_then(|id| id.rsplit('-').next())
            .unwrap_or("000000000000");
        let worker = match self {
            Self::Staging | Self::Production => "agents".to_owned(),
            Self::PullRequest => "agents-pr-12".to_owned(),
            Self::Deployment => format!("agents-at-{digits}"),
            Self::Dispatcher => DISPATCH_WORKER.to_owned(),
            Self::DeployApi => DEPLOY_API_WORKER.to_owned(),
        };
        v1::target(self.namespace(), &worker).unwrap()
    }
}
