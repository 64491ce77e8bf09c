//! The bundle of an earlier deployment, and the metadata that the deployment was uploaded with.

use super::upload::bundle_store_unavailable;
use crate::bundles::{self, Digest, ObjectStore, OpenFailure, StoredBundle};
use crate::code::Code;
use crate::deployments::Deployment;
use crate::problem::Problem;
use crate::upload::Metadata;

/// The metadata that a deployment was uploaded with, without secrets.
///
/// # Errors
/// `BUNDLE_MISSING`, `BUNDLE_STORE_UNAVAILABLE`.
pub(super) async fn stored_metadata(
    store: &impl ObjectStore,
    deployment: &Deployment,
    bundle: &StoredBundle,
) -> Result<Metadata, Problem> {
    let Some(key) = &deployment.metadata else {
        return Ok(Metadata::of_kept(bundle.metadata.clone()));
    };
    let bytes = store
        .get(key, None)
        .await
        .map_err(|failure| bundle_store_unavailable(&failure))?
        .ok_or_else(|| not_opened(deployment, &OpenFailure::Missing))?;
    let broken = || not_opened(deployment, &bundles::BrokenBundle::Digest.into());
    if Digest::of(&bytes).to_string() != deployment.bundle.metadata {
        return Err(broken());
    }
    let members = serde_json::from_slice(&bytes).map_err(|_| broken())?;
    Ok(Metadata::of_kept(members))
}

/// A deployment's bundle, from the store. Its contents are not verified.
///
/// # Errors
/// `BUNDLE_MISSING`, `BUNDLE_STORE_UNAVAILABLE`.
pub(crate) async fn stored_bundle(
    store: &impl ObjectStore,
    deployment: &Deployment,
) -> Result<StoredBundle, Problem> {
    let digest = Digest::parse(&deployment.bundle.digest)
        .map_err(|_| not_opened(deployment, &OpenFailure::Missing))?;
    let key = deployment
        .object
        .clone()
        .unwrap_or_else(|| format!("sha256/{digest}"));
    bundles::open(store, &key, &digest, None)
        .await
        .map_err(|failure| not_opened(deployment, &failure))
}

/// A deployment's bundle, from the store, whose contents are verified.
///
/// # Errors
/// `BUNDLE_MISSING`, `BUNDLE_STORE_UNAVAILABLE`.
pub(super) async fn verified_bundle(
    store: &impl ObjectStore,
    deployment: &Deployment,
) -> Result<StoredBundle, Problem> {
    let bundle = stored_bundle(store, deployment).await?;
    bundle
        .verify_parts(store)
        .await
        .map_err(|failure| not_opened(deployment, &failure))?;
    Ok(bundle)
}

/// The error for a bundle that cannot be opened.
fn not_opened(deployment: &Deployment, failure: &OpenFailure) -> Problem {
    if let OpenFailure::Store(failure) = failure {
        return bundle_store_unavailable(failure);
    }
    Problem::new(
        Code::BundleMissing,
        format!(
            "The bundle of deployment {} is not stored, or was damaged.",
            deployment.id
        ),
        "Deploy the version from its sources again.",
    )
    .caused_by(failure)
}
