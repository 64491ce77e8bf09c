//! Redeploys: rollbacks and promotions upload the bundle of an earlier deployment.

use super::deploy::checked;
use super::difference::PromotionDifference;
use super::health_check::HealthCheck;
use super::lease::Lease;
use super::prepared_redeploy::{Prepared, prepare};
use super::promoted_bindings::Choices;
use super::upload::{Script, UploadFailure, bundle_store_unavailable, upload};
use super::{Gateway, assets};
use crate::attempt::AttemptId;
use crate::bundles::{Digest, ObjectStore, Retrying, metadata_key};
use crate::code::Code;
use crate::deployments::Deployment;
use crate::identity::ShownCredential;
use crate::ledger::{Authority, Begin, Begun, Change, Finished, LedgerClient, PlanRedeploy, SetMetadata};
use crate::problem::Problem;
use crate::services::Services;
use crate::target::Target;
use crate::upload::with_metadata;

/// What a request for a rollback or a promotion says about its execution.
#[derive(Default)]
pub(crate) struct RedeployOptions {
    /// The names and the values of secrets that are set with it.
    pub secrets: Vec<(String, String)>,
    /// Whether bindings that are not known may be taken from the current version.
    pub accepts_inexact: bool,
    /// The bindings of a promotion.
    pub choices: Choices,
}

/// A redeploy that succeeded.
pub(crate) struct Redeployed {
    /// The new deployment.
    pub deployment: Deployment,
    /// For a promotion, the difference to what the target served before.
    pub difference: Option<PromotionDifference>,
}

/// The effects of a promotion that was not executed.
pub(crate) struct Preview {
    /// The difference to what the target serves.
    pub difference: Option<PromotionDifference>,
    /// Why the promotion would be refused; `None` if it would not.
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

/// Determines the effects of a promotion, and changes nothing.
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
    Ok(Preview {
        difference: prepared.difference,
        problem: prepared.problem,
    })
}

/// The result of the rollback after a failed health check.
pub(super) enum Undone {
    /// This deployment has the bundle of the one before and is current.
    By(Box<Deployment>),
    /// It was not rolled back.
    Refused(Problem),
    /// The outcome is not known yet.
    Unknown(Problem),
}

/// Rolls back the deployment of a failed health check, on behalf of the caller who deployed it.
pub(super) async fn undo<L: LedgerClient, O: Services>(
    gateway: &Gateway<'_, L, O>,
    check: &HealthCheck<'_>,
) -> Undone {
    let target = &check.deployment.target;
    let begin = Begin {
        attempt: AttemptId::new(gateway.now(), gateway.services.entropy()),
        authority: Authority::HealthCheck {
            attempt: check.attempt.clone(),
        },
        client: check.client.clone(),
        target: target.clone(),
        change: Change::UndoDeployment {
            deployment: check.deployment.id.clone(),
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

/// Uploads the source of a lease.
async fn deploy_source<L: LedgerClient, O: Services>(
    lease: &Lease<'_, '_, L, O>,
    options: &RedeployOptions,
) -> Result<(Finished, Option<PromotionDifference>), UploadFailure> {
    let (Some(plan), Some(deployment)) = (&lease.granted.redeploy, &lease.granted.deployment) else {
        return Err(UploadFailure::Known(lease.fail(no_source()).await));
    };
    let ready = async {
        let mut prepared = prepare(lease.gateway, lease.target, plan, options).await?;
        if let Some(problem) = prepared.problem {
            return Err(problem);
        }
        if prepared.is_changed {
            store_metadata(lease, deployment, &prepared).await?;
        }
        prepared.metadata = prepared
            .metadata
            .shipped_again(&options.secrets, prepared.migrations.as_ref());
        lease.renew().await?;
        let jwt = assets::upload_again(lease.gateway.services, lease.target, &prepared.bundle).await?;
        if let Some(jwt) = jwt {
            prepared.metadata = prepared.metadata.with_assets_jwt(&jwt);
        }
        Ok(prepared)
    };
    let Prepared {
        bundle,
        metadata,
        state,
        difference,
        ..
    } = match ready.await {
        Ok(prepared) => prepared,
        Err(problem) => return Err(UploadFailure::Known(lease.fail(problem).await)),
    };
    let script = Script {
        metadata,
        parts: &bundle.parts,
        contents: &bundle.contents(),
        query: vec![("excludeScript", "true".to_owned())],
    };
    let uploaded = upload(lease, deployment, state, script).await?;
    Ok((uploaded.finished, difference))
}

/// Stores the metadata of a redeploy that differs from the source's, so that this deployment can be redeployed as well.
async fn store_metadata<L: LedgerClient, O: Services>(
    lease: &Lease<'_, '_, L, O>,
    deployment: &Deployment,
    prepared: &Prepared,
) -> Result<(), Problem> {
    let services = lease.gateway.services;
    let bytes = prepared.metadata.to_json();
    let digest = Digest::of(bytes.as_bytes());
    let key = metadata_key(&digest);
    Retrying::new(services, services)
        .put(&key, bytes.as_bytes())
        .await
        .map_err(|failure| bundle_store_unavailable(&failure))?;
    let message = SetMetadata {
        attempt: lease.granted.attempt.clone(),
        bundle: with_metadata(&deployment.bundle, &prepared.metadata, &digest),
        metadata: key,
        unresolved: prepared.metadata.unresolved(),
    };
    lease.gateway.send(&message).await
}

fn no_source() -> Problem {
    Problem::new(
        Code::Internal,
        "The ledger named no deployment to upload again.",
        "",
    )
}
