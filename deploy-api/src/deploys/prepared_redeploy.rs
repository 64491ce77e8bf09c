//! What a rollback, a promotion or a preview uploads: the bundle of the source, with bindings, secrets and migrations that fit the
//! target.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::binding_change::shown_names;
use super::binding_choices::Choices;
use super::difference::{PromotionDifference, SecretNames, TargetState, difference};
use super::migration_path::migrations_to;
use super::promoted_bindings::{PromotedBindings, promoted_bindings};
use super::redeploy_kind::RedeployKind;
use super::redeploy_refusal::refusal;
use super::redeploy_secrets::{check_given, left_behind, missing, secrets_of, with_secrets};
use super::remote::{migration_tag, remote_script, remote_settings, secret_names};
use super::source_bundle::{stored_metadata, verified_bundle};
use super::upload_check::{Checked, check, resolve_services};
use super::{Gateway, object_classes};
use crate::bundles::{Retrying, StoredBundle};
use crate::code::Code;
use crate::deployments::{Deployment, Warning};
use crate::ledger::{LedgerClient, RedeployPlan, ScriptState};
use crate::lint;
use crate::problem::Problem;
use crate::services::Services;
use crate::target::Target;
use crate::upload::{BindingRef, Metadata, Migrations, NamespaceServices, Unresolved};

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

/// A bundle that is ready to be uploaded to a Worker.
pub(super) struct Prepared {
    /// The bundle of the source.
    pub bundle: StoredBundle,
    /// The metadata of the new deployment, without secrets.
    pub metadata: Metadata,
    /// The service bindings that reach Workers of the target's namespace.
    pub services: NamespaceServices,
    /// Whether that is not the metadata of the source.
    pub is_changed: bool,
    /// The migrations from the current state of the Worker to the deployment's.
    pub migrations: Option<Migrations>,
    /// The state of the script after the upload.
    pub state: ScriptState,
    /// For a promotion, the difference to what the target serves.
    pub difference: Option<PromotionDifference>,
    /// Why it is refused, although everything is known; `None` if it is not.
    pub problem: Option<Problem>,
}

/// Prepares a redeploy. Nothing is changed.
///
/// # Errors
/// Why the redeploy is impossible: `BUNDLE_MISSING`, `MIGRATION_UNKNOWN`, `REDEPLOY_INEXACT`, `BODY_INVALID`, `UPSTREAM_…`,
/// `BUNDLE_STORE_UNAVAILABLE`, `RECORD_UNAVAILABLE`.
pub(super) async fn prepare<L: LedgerClient, O: Services>(
    gateway: &Gateway<'_, L, O>,
    target: &Target,
    plan: &RedeployPlan,
    options: &RedeployOptions,
) -> Result<Prepared, Problem> {
    let services = gateway.services;
    let source = &plan.source;
    let kind = RedeployKind::of(source, target);
    let store = &Retrying::new(services, services);
    let bundle = verified_bundle(store, source).await?;
    let original = stored_metadata(store, source, &bundle).await?;
    let script = remote_script(services, target)
        .await
        .map_err(|failure| failure.problem)?;
    let present = script.as_ref().and_then(migration_tag);
    object_classes::check(target, source, &original.object_classes(), &plan.removed_classes)?;
    let migrations = migrations_to(&plan.migrations, target, present.as_deref(), source)?;
    // As wrangler does: `exports` replaces the migrations, and the tag of the Worker stays.
    let (migration_tag, migrations) = if original.declares_classes() {
        (present.clone(), None)
    } else {
        (source.migration_tag.clone(), migrations)
    };
    let settings = match script {
        Some(_) if kind.needs_settings(&original) => settings_of(services, target).await?,
        _ => Map::new(),
    };
    let current = bindings_in(&settings);
    let of_target = secrets_of(current);
    let of_previewed = match &kind {
        RedeployKind::Preview { previewed } => Some(bindings_of(services, previewed).await?),
        RedeployKind::Promotion | RedeployKind::Rollback => None,
    };
    // The values that stay as they are: of the target, or for a preview of the Worker in development.
    let kept = of_previewed.as_deref().unwrap_or(current);
    let (mut metadata, mut warnings) = resolve(kind.holder(target), source, &original, kept, options)?;
    let (promoted, resolved) = if kind == RedeployKind::Rollback {
        (None, services_of(services, target, &metadata).await?)
    } else {
        let (promoted, resolved) = promote(gateway, target, &metadata, kept, &options.choices).await?;
        metadata = metadata.with_bindings(promoted.bindings.clone());
        (Some(promoted), resolved)
    };
    warnings.extend(resolved.warnings);
    check_given(&metadata, &options.secrets)?;
    let missing = missing(&metadata, current, &options.secrets);
    let problem = refusal(
        target,
        source,
        &kind,
        promoted.as_ref(),
        &missing,
        script.is_some(),
    );
    let difference = match &promoted {
        Some(promoted) if kind == RedeployKind::Promotion => {
            let of_source = secret_names(services, &source.target)
                .await
                .map_err(|failure| failure.problem)?;
            warnings.extend(left_behind(
                &source.target,
                target,
                &of_source,
                &of_target,
                &options.secrets,
            ));
            let secrets = SecretNames {
                source: of_source,
                target: plan.may_read.then_some(of_target),
                given: options.secrets.iter().map(|(name, _)| name.clone()).collect(),
                missing,
            };
            let state = TargetState {
                exists: script.is_some(),
                settings: &settings,
                migration_tag: present,
            };
            Some(difference(
                plan,
                &original,
                state,
                promoted,
                secrets,
                migrations.as_ref(),
            ))
        }
        _ => None,
    };
    Ok(Prepared {
        bundle,
        is_changed: metadata != original,
        metadata,
        services: resolved.services,
        state: ScriptState {
            migration_tag: Some(migration_tag),
            migrations: migrations.clone(),
            warnings,
            ..ScriptState::default()
        },
        migrations,
        difference,
        problem,
    })
}

/// Determines the bindings of a promotion or a preview, and where its service bindings lead.
async fn promote<L: LedgerClient, O: Services>(
    gateway: &Gateway<'_, L, O>,
    target: &Target,
    source: &Metadata,
    current: &[Value],
    choices: &Choices,
) -> Result<(PromotedBindings, Checked), Problem> {
    let resolved = services_of(gateway.services, target, source).await?;
    let promoted = promoted_bindings(source, current, choices, &resolved.services)?;
    let metadata = source.clone().with_bindings(promoted.bindings.clone());
    if !choices.bindings.is_empty() {
        check(gateway, target, &metadata, &BTreeSet::new())
            .await
            .map_err(|refusal| refusal.problem)?;
    }
    // A binding to a Worker of the account may have the target's value now.
    let resolved = services_of(gateway.services, target, &metadata).await?;
    Ok((promoted, resolved))
}

/// Determines where the service bindings of a redeploy lead. An earlier bundle may refer to a Worker of the platform, which is refused.
async fn services_of(
    services: &impl Services,
    target: &Target,
    metadata: &Metadata,
) -> Result<Checked, Problem> {
    if !target.is_in_account() {
        lint::platform_workers(metadata).map_err(|refusal| refusal.problem)?;
    }
    let resolved = resolve_services(services, target, metadata, &BTreeSet::new()).await;
    resolved.map_err(|refusal| refusal.problem)
}

/// The bindings of a Worker; none if it does not exist.
async fn bindings_of(services: &impl Services, target: &Target) -> Result<Vec<Value>, Problem> {
    let exists = remote_script(services, target)
        .await
        .map_err(|failure| failure.problem)?
        .is_some();
    if !exists {
        return Ok(Vec::new());
    }
    let settings = settings_of(services, target).await?;
    Ok(bindings_in(&settings).to_vec())
}

/// The bindings in settings.
fn bindings_in(settings: &Map<String, Value>) -> &[Value] {
    let bindings = settings.get("bindings").and_then(Value::as_array);
    bindings.map(Vec::as_slice).unwrap_or_default()
}

/// The settings of a Worker that exists, with its bindings.
async fn settings_of(services: &impl Services, target: &Target) -> Result<Map<String, Value>, Problem> {
    let settings = remote_settings(services, target)
        .await
        .map_err(|failure| failure.problem)?;
    settings
        .filter(|settings| settings.get("bindings").is_some_and(Value::is_array))
        .ok_or_else(|| {
            Problem::new(
                Code::UpstreamUnavailable,
                format!(
                    "The Cloudflare API did not return the bindings of {target}, so nothing was deployed."
                ),
                "Try again in a moment.",
            )
            .retry_after(5)
        })
}

/// The metadata of the source in which no binding refers to the version before, or is taken from the current version with the
/// caller's consent. Returns a warning then.
///
/// # Errors
/// `REDEPLOY_INEXACT`.
fn resolve(
    target: &Target,
    source: &Deployment,
    original: &Metadata,
    current: &[Value],
    options: &RedeployOptions,
) -> Result<(Metadata, Vec<Warning>), Problem> {
    // Bundles of earlier versions of this API do not say what an inherited binding was. A secret keeps its value anyway.
    let mut secrets: Vec<&str> = options.secrets.iter().map(|(name, _)| name.as_str()).collect();
    let of_target = current.iter().filter_map(BindingRef::of);
    secrets.extend(
        of_target
            .filter(BindingRef::is_secret)
            .map(|binding| binding.name),
    );
    let metadata = with_secrets(original, &secrets);
    let unresolved = metadata.unresolved();
    if unresolved.is_empty() {
        return Ok((metadata, Vec::new()));
    }
    let resolved = Metadata::of_kept(metadata.stored(Some(current)));
    let detail = inexact(target, source, &unresolved, &metadata, &resolved);
    if !options.accepts_inexact {
        return Err(Problem::new(
            Code::RedeployInexact,
            detail,
            "Deploy the version from its sources, or confirm the difference with `?confirm=inexact`.",
        ));
    }
    let warning = Warning {
        code: Code::RedeployInexact.name().to_owned(),
        message: detail,
    };
    Ok((resolved, vec![warning]))
}

/// Which bindings are not known, and what takes their place.
fn inexact(
    target: &Target,
    source: &Deployment,
    unresolved: &[Unresolved],
    before: &Metadata,
    resolved: &Metadata,
) -> String {
    let unknown: Vec<String> = unresolved.iter().map(ToString::to_string).collect();
    let unknown: Vec<&str> = unknown.iter().map(String::as_str).collect();
    let taken: Vec<&str> = resolved
        .bindings()
        .filter(|binding| binding.inherited().is_none())
        .map(|binding| binding.name)
        .filter(|name| {
            !before
                .bindings()
                .any(|other| other.name == *name && other.inherited().is_none())
        })
        .collect();
    format!(
        "Deployment {} took bindings from the version before it, and their values are not recorded: {}. In their place it would \
         get the current bindings of {target}: {}.",
        source.id,
        shown_names(&unknown),
        shown_names(&taken)
    )
}
