use serde::{Deserialize, Serialize};

use super::{Ledger, Message};
use crate::deployments::{DeploymentHealth, LastDeployment, Preview};
use crate::problem::Problem;
use crate::runtime::Runtime;
use crate::sql::Sql;
use crate::store::locks::{self, Lock, Place};
use crate::store::workers;
use crate::target::Target;

/// Returns what is recorded of Workers, for a list. It changes nothing.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Overview {
    /// The Workers, at most 1,000.
    pub workers: Vec<Target>,
}

/// What is recorded of a Worker.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct WorkerOverview {
    /// The current deployment.
    pub last_deployment: Option<LastDeployment>,
    /// The result of its health check.
    pub health: DeploymentHealth,
    /// The lock that is in effect.
    pub lock: Option<Lock>,
    /// What it previews, if it is a preview.
    #[serde(default)]
    pub preview: Option<Preview>,
}

impl Message for Overview {
    const NAME: &'static str = "overview";
    type Answer = Vec<WorkerOverview>;
}

impl<S: Sql, R: Runtime> Ledger<S, R> {
    pub(super) fn overview(&self, message: &Overview) -> Result<Vec<WorkerOverview>, Problem> {
        let sql = &self.sql;
        let now = self.runtime.now();
        let mut overviews = Vec::new();
        for target in &message.workers {
            let deployment = workers::current_deployment(sql, workers::get(sql, target)?.as_ref())?;
            overviews.push(WorkerOverview {
                last_deployment: deployment.as_ref().map(LastDeployment::of),
                preview: deployment.as_ref().and_then(Preview::of),
                health: deployment.map(|deployment| deployment.health).unwrap_or_default(),
                lock: locks::holding(sql, Place::worker(target), now)?,
            });
        }
        Ok(overviews)
    }
}
