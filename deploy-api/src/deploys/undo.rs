//! The rollback of a deployment whose health check failed.

use super::Gateway;
use super::lease::Lease;
use super::prepared_redeploy::RedeployOptions;
use super::redeploy_source::{deploy_source, no_source};
use super::upload::UploadFailure;
use crate::attempt::AttemptId;
use crate::code::Code;
use crate::deployments::Deployment;
use crate::ledger::{Authority, Begin, Begun, Change, Finished, LedgerClient};
use crate::problem::Problem;
use crate::services::Services;

/// The result of the rollback after a failed health check.
pub(super) enum Undone {
    /// This deployment has the bundle of the one before and is current.
    By(Box<Deployment>),
    /// It was not rolled back.
    Refused(Problem),
    /// The outcome is not known yet.
    Unknown(Problem),
}

/// Rolls back a deployment whose health check, made by `attempt`, failed. It is done on behalf of the caller who deployed it.
pub(super) async fn undo<L: LedgerClient, O: Services>(
    gateway: &Gateway<'_, L, O>,
    failed: &Deployment,
    attempt: &AttemptId,
) -> Undone {
    let target = &failed.target;
    let begin = Begin {
        attempt: AttemptId::new(gateway.now(), gateway.services.entropy()),
        authority: Authority::HealthCheck {
            attempt: attempt.clone(),
        },
        client: gateway.client.clone(),
        target: target.clone(),
        change: Change::UndoDeployment {
            deployment: failed.id.clone(),
        },
    };
    let lease = match gateway.send(&begin).await {
        Ok(Begun::Lease(granted)) => Lease::granted(gateway, target, *granted),
        Ok(Begun::Replayed(_) | Begun::Check(_) | Begun::Outdated) => return Undone::Refused(no_source()),
        Err(problem) if problem.code == Code::RecordUnavailable => return Undone::Unknown(problem),
        Err(problem) => return Undone::Refused(problem),
    };
    // The failed version must not serve. If bindings of the earlier one are not known, the new deployment has a warning.
    let options = RedeployOptions {
        accepts_inexact: true,
        ..RedeployOptions::default()
    };
    match deploy_source(&lease, &options).await {
        Ok((
            Finished {
                deployment: Some(back),
                ..
            },
            _,
        )) => Undone::By(Box::new(back)),
        Ok(_) => Undone::Refused(no_source()),
        Err(UploadFailure::Known(problem)) => Undone::Refused(problem),
        Err(UploadFailure::Unknown(problem)) => Undone::Unknown(problem),
    }
}
