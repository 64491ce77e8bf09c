//! The upload of the source of a lease: the bundle of an earlier deployment, under a rollback, a promotion or an undo.

use super::assets;
use super::difference::PromotionDifference;
use super::lease::Lease;
use super::prepared_redeploy::{Prepared, RedeployOptions, prepare};
use super::upload::{Script, UploadFailure, bundle_store_unavailable, upload};
use crate::bundles::{Digest, ObjectStore, Retrying, metadata_key};
use crate::code::Code;
use crate::deployments::Deployment;
use crate::ledger::{Finished, LedgerClient, SetMetadata};
use crate::problem::Problem;
use crate::services::Services;
use crate::upload::with_metadata;

/// Uploads the source of a lease.
pub(super) async fn deploy_source<L: LedgerClient, O: Services>(
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
            .redeployed(&options.secrets, prepared.migrations.as_ref());
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
        services,
        state,
        difference,
        ..
    } = match ready.await {
        Ok(prepared) => prepared,
        Err(problem) => return Err(UploadFailure::Known(lease.fail(problem).await)),
    };
    let script = Script {
        metadata,
        services,
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

/// The ledger granted a lease without a source.
pub(super) fn no_source() -> Problem {
    Problem::new(
        Code::Internal,
        "The ledger named no deployment to upload again.",
        "",
    )
}
