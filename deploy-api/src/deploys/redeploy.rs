//! Redeploys: rollbacks and promotions upload the bundle of an earlier deployment.

use serde_json::Value;

use super::deploy::checked;
use super::health_check::HealthCheck;
use super::lease::Lease;
use super::remote::{binding_names, migration_tag, remote_script, secret_names};
use super::upload::{Script, UploadFailure, bundle_store_unavailable, upload};
use super::{Gateway, assets, migration_path, object_classes};
use crate::attempt::AttemptId;
use crate::bundles::{self, Digest, ObjectStore, OpenFailure, Retrying, StoredBundle};
use crate::code::Code;
use crate::deployments::Deployment;
use crate::identity::ShownCredential;
use crate::ledger::{Authority, Begin, Begun, Change, Finished, LedgerClient, ScriptState};
use crate::problem::Problem;
use crate::services::Services;
use crate::target::Target;
use crate::upload::{BindingRef, Metadata, Migrations};

/// Deploys an earlier deployment again, and makes the health check. `secrets` are set with it.
///
/// # Errors
/// Why it was not deployed; recorded.
pub(crate) async fn redeploy<L: LedgerClient, O: Services>(
    gateway: &Gateway<'_, L, O>,
    credential: &ShownCredential,
    target: &Target,
    change: Change,
    secrets: &[(String, String)],
) -> Result<Deployment, Problem> {
    let lease = Lease::begin(gateway, credential, target, change).await?;
    let finished = deploy_source(&lease, secrets)
        .await
        .map_err(UploadFailure::into_problem)?;
    checked(gateway, &lease, finished).await
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
        Ok(Begun::Replayed(_) | Begun::Outdated) => return Undone::Refused(no_source()),
        Err(problem) if problem.code == Code::RecordUnavailable => return Undone::Unknown(problem),
        Err(problem) => return Undone::Refused(problem),
    };
    match deploy_source(&lease, &[]).await {
        Ok(Finished {
            deployment: Some(back),
            ..
        }) => Undone::By(Box::new(back)),
        Ok(_) => Undone::Refused(no_source()),
        Err(UploadFailure::Known(problem)) => Undone::Refused(problem),
        Err(UploadFailure::Unknown(problem)) => Undone::Unknown(problem),
    }
}

/// Uploads the source of a lease.
async fn deploy_source<L: LedgerClient, O: Services>(
    lease: &Lease<'_, '_, L, O>,
    secrets: &[(String, String)],
) -> Result<Finished, UploadFailure> {
    let (Some(source), Some(deployment)) = (&lease.granted.source, &lease.granted.deployment) else {
        return Err(UploadFailure::Known(lease.fail(no_source()).await));
    };
    let Prepared {
        bundle,
        metadata,
        state,
    } = match prepare(lease, source, secrets).await {
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
    Ok(uploaded.finished)
}

/// A bundle that is ready to be uploaded to a Worker.
struct Prepared {
    bundle: StoredBundle,
    metadata: Metadata,
    state: ScriptState,
}

/// The same bytes, with the existing secrets of the Worker or the given ones, and with the migrations from its current
/// state to the deployment's.
async fn prepare<L: LedgerClient, O: Services>(
    lease: &Lease<'_, '_, L, O>,
    source: &Deployment,
    secrets: &[(String, String)],
) -> Result<Prepared, Problem> {
    let services = lease.gateway.services;
    let target = lease.target;
    let store = &Retrying::new(services, services);
    let bundle = stored_bundle(store, source).await?;
    bundle
        .verify_parts(store)
        .await
        .map_err(|failure| not_opened(source, &failure))?;
    let script = remote_script(services, target)
        .await
        .map_err(|failure| failure.problem)?;
    let present = script.as_ref().and_then(migration_tag);
    let metadata = Metadata::of_kept(bundle.metadata.clone());
    let removed = &lease.granted.removed_classes;
    object_classes::check(target, source, &metadata.object_classes(), removed)?;
    let migrations = migrations_to(&lease.granted.migrations, target, present.as_deref(), source)?;
    // As wrangler does: `exports` replaces the migrations, and the tag of the Worker stays.
    let (migration_tag, migrations) = if metadata.declares_classes() {
        (present, None)
    } else {
        (source.migration_tag.clone(), migrations)
    };
    check_secrets(lease, &metadata, script.as_ref(), secrets).await?;
    let metadata = metadata.shipped_again(secrets, migrations.as_ref());
    lease.renew().await?;
    let metadata = match assets::upload_again(services, target, &bundle).await? {
        Some(jwt) => metadata.with_assets_jwt(&jwt),
        None => metadata,
    };
    let mut state = ScriptState {
        migration_tag: Some(migration_tag),
        migrations,
        ..ScriptState::default()
    };
    if source.target != *target {
        state.warnings = secrets_left_behind(services, &source.target, target, secrets).await?;
    }
    Ok(Prepared {
        bundle,
        metadata,
        state,
    })
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

/// Checks that the Worker has the secrets that the deployment uses.
async fn check_secrets<L: LedgerClient, O: Services>(
    lease: &Lease<'_, '_, L, O>,
    metadata: &Metadata,
    script: Option<&Value>,
    given: &[(String, String)],
) -> Result<(), Problem> {
    let target = lease.target;
    let mut missing: Vec<&str> = metadata
        .bindings()
        .filter(BindingRef::is_secret)
        .map(|binding| binding.name)
        .filter(|name| !given.iter().any(|(given, _)| given == name))
        .collect();
    if !missing.is_empty() && script.is_some() {
        let present = secret_names(lease.gateway.services, target).await?;
        missing.retain(|name| !present.iter().any(|present| present == name));
    }
    // Bundles of earlier versions of this API do not say what an inherited binding was.
    if metadata.inherits() {
        let present = match script {
            Some(_) => binding_names(lease.gateway.services, target).await?,
            None => Vec::new(),
        };
        let inherited = metadata
            .bindings()
            .filter_map(|binding| Some((binding.name, binding.inherited()?)))
            .filter(|(name, _)| !given.iter().any(|(given, _)| given == name))
            .filter(|(_, inherited)| !present.iter().any(|present| present == inherited));
        missing.extend(inherited.map(|(name, _)| name));
    }
    if missing.is_empty() {
        return Ok(());
    }
    let is_promotion = lease
        .granted
        .source
        .as_ref()
        .is_some_and(|source| source.target != *target);
    let fix = if is_promotion {
        "Add them to the promotion: {\"to\": …, \"secrets\": {\"NAME\": \"value\"}}."
    } else {
        "Set them: PUT …/secrets/{name} of this API."
    };
    Err(Problem::new(
        Code::SecretsMissing,
        format!(
            "{target} lacks secrets that the deployment uses: {}.",
            missing.join(", ")
        ),
        fix,
    ))
}

/// The migrations from the Worker's current tag to the deployment's; `None` if the tags are equal.
fn migrations_to(
    known: &[Migrations],
    target: &Target,
    present: Option<&str>,
    source: &Deployment,
) -> Result<Option<Migrations>, Problem> {
    let wanted = source.migration_tag.as_deref();
    if wanted == present {
        return Ok(None);
    }
    wanted
        .and_then(|wanted| migration_path::path(known, present, wanted))
        .map(Some)
        .ok_or_else(|| {
            let shown = |tag: Option<&str>| tag.map_or("none".to_owned(), |tag| format!("\"{tag}\""));
            Problem::new(
                Code::MigrationUnknown,
                format!(
                    "{target} has the Durable Object migration tag {}, deployment {} has {}, and no known migrations \
                     lead from the one to the other.",
                    shown(present),
                    source.id,
                    shown(wanted)
                ),
                "Deploy from sources, with the migrations in the wrangler configuration: objects are never migrated back.",
            )
        })
}

/// A warning about secrets that are set in the source namespace and not in the target. The bundle does not name
/// them, so it is not known whether they are used.
async fn secrets_left_behind(
    services: &impl Services,
    from: &Target,
    to: &Target,
    given: &[(String, String)],
) -> Result<Vec<crate::deployments::Warning>, Problem> {
    let mut left = secret_names(services, from).await?;
    left.retain(|name| !given.iter().any(|(given, _)| given == name));
    if !left.is_empty() {
        let present = secret_names(services, to).await?;
        left.retain(|name| !present.contains(name));
    }
    if left.is_empty() {
        return Ok(Vec::new());
    }
    Ok(vec![crate::deployments::Warning {
        code: Code::SecretsMissing.name().to_owned(),
        message: format!("{from} has secrets that {to} does not have: {}.", left.join(", ")),
    }])
}

fn no_source() -> Problem {
    Problem::new(
        Code::Internal,
        "The ledger named no deployment to upload again.",
        "",
    )
}
