//! Redeploys: rollbacks and promotions upload the bundle of an earlier deployment.

use super::Gateway;
use super::difference::PromotionDifference;
use super::health_check::checked;
use super::lease::Lease;
use super::prepared_redeploy::{RedeployOptions, prepare};
use super::redeploy_source::deploy_source;
use super::upload::UploadFailure;
use crate::deployments::Deployment;
use crate::identity::ShownCredential;
use crate::ledger::{Change, LedgerClient, PlanRedeploy};
use crate::problem::Problem;
use crate::services::Services;
use crate::store::locks;
use crate::target::Target;

/// A redeploy that succeeded.
pub(crate) struct Redeployed {
    /// The new deployment.
    pub deployment: Deployment,
    /// For a promotion, the difference to what the target served before.
    pub difference: Option<PromotionDifference>,
}

/// The effects of a rollback or a promotion that was not executed.
pub(crate) struct Preview {
    /// The deployment that would be deployed again.
    pub source: Deployment,
    /// The current deployment of the Worker that would be changed.
    pub current: Option<Deployment>,
    /// For a promotion, the difference to what the target serves.
    pub difference: Option<PromotionDifference>,
    /// Why the change would be refused; `None` if it would not.
    pub problem: Option<Problem>,
}

/// Deploys an earlier deployment again, and makes the health check.
///
/// # Errors
/// Why it was not deployed; recorded.
pub(crate) async fn redeploy<L: LedgerClient, O: Services>(
    gateway: &Gateway<'_, L, O>,
    credential: &ShownCredential,
    target: &Target,
    change: Change,
    options: &RedeployOptions,
) -> Result<Redeployed, Problem> {
    let lease = Lease::begin(gateway, credential, target, change).await?;
    let (finished, difference) = deploy_source(&lease, options)
        .await
        .map_err(UploadFailure::into_problem)?;
    Ok(Redeployed {
        deployment: checked(gateway, &lease, finished).await?,
        difference,
    })
}

/// Determines the effects of a rollback or a promotion, and changes nothing.
///
/// # Errors
/// The errors of [`redeploy`], except for those in [`Preview::problem`].
pub(crate) async fn preview<L: LedgerClient, O: Services>(
    gateway: &Gateway<'_, L, O>,
    credential: &ShownCredential,
    target: &Target,
    change: Change,
    options: &RedeployOptions,
) -> Result<Preview, Problem> {
    let begin = gateway.begin(credential, target, change);
    let plan = gateway.send(&PlanRedeploy { begin }).await?;
    let prepared = prepare(gateway, target, &plan, options).await?;
    let locked = plan.lock.as_ref().map(|lock| locks::locked(target, lock));
    Ok(Preview {
        source: plan.source,
        current: plan.current,
        difference: prepared.difference,
        problem: locked.or(prepared.problem),
    })
}
