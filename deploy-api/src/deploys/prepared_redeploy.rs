//! What a rollback or a promotion uploads: the bundle of the source, with bindings, secrets and migrations that fit the target.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::binding_change::{BindingChange, shown_names};
use super::difference::{PromotionDifference, SecretNames, TargetState, difference};
use super::promoted_bindings::{Choices, PromotedBindings, promoted_bindings};
use super::redeploy_secrets::{check_given, left_behind, missing, secrets_missing, secrets_of, with_secrets};
use super::remote::{migration_tag, remote_script, remote_settings, secret_names};
use super::source_bundle::{not_opened, stored_bundle, stored_metadata};
use super::upload_check::{Checked, check, resolve_services};
use super::{Gateway, migration_path, object_classes};
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
    let kind = Kind::of(source, target);
    let store = &Retrying::new(services, services);
    let bundle = stored_bundle(store, source).await?;
    bundle
        .verify_parts(store)
        .await
        .map_err(|failure| not_opened(source, &failure))?;
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
    let needs_settings = kind != Kind::Rollback
        || original.bindings().any(|binding| binding.is_secret())
        || !original.unresolved().is_empty();
    let settings = if script.is_some() && needs_settings {
        settings_of(services, target).await?
    } else {
        Map::new()
    };
    let current: &[Value] = settings
        .get("bindings")
        .and_then(Value::as_array)
        .map(Vec::as_slice)
        .unwrap_or_default();
    let of_target = secrets_of(current);
    let of_previewed = match &kind {
        Kind::Preview { previewed } => Some(bindings_of(services, previewed).await?),
        Kind::Promotion | Kind::Rollback => None,
    };
    // The values that stay as they are: of the target, or for a preview of the Worker in development.
    let kept = of_previewed.as_deref().unwrap_or(current);
    let (mut metadata, mut warnings) = resolve(kind.holder(target), source, &original, kept, options)?;
    let (promoted, resolved) = if kind == Kind::Rollback {
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
        Some(promoted) if kind == Kind::Promotion => {
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

/// What is deployed where.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Kind {
    /// An earlier deployment of the Worker itself.
    Rollback,
    /// A deployment of the Worker in another namespace.
    Promotion,
    /// A deployment of another Worker, which the target previews.
    Preview {
        /// That Worker in development.
        previewed: Target,
    },
}

impl Kind {
    fn of(source: &Deployment, target: &Target) -> Self {
        if source.target == *target {
            Self::Rollback
        } else if source.target.worker == target.worker {
            Self::Promotion
        } else {
            Self::Preview {
                previewed: Target {
                    namespace: target.namespace,
                    worker: source.target.worker.clone(),
                },
            }
        }
    }

    /// The Worker whose variables and resources the deployment gets.
    const fn holder<'a>(&'a self, target: &'a Target) -> &'a Target {
        match self {
            Self::Preview { previewed } => previewed,
            Self::Rollback | Self::Promotion => target,
        }
    }

    /// What it is called in errors.
    const fn name(&self) -> &'static str {
        match self {
            Self::Rollback => "rollback",
            Self::Promotion => "promotion",
            Self::Preview { .. } => "preview",
        }
    }
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
    let mut settings = settings_of(services, target).await?;
    Ok(match settings.remove("bindings") {
        Some(Value::Array(bindings)) => bindings,
        _ => Vec::new(),
    })
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

/// Why a redeploy is refused: the target lacks variables, resources or secrets.
fn refusal(
    target: &Target,
    source: &Deployment,
    kind: &Kind,
    promoted: Option<&PromotedBindings>,
    missing_secrets: &[String],
    exists: bool,
) -> Option<Problem> {
    let (variables, resources) = promoted.map_or_else(
        || (Vec::new(), Vec::new()),
        |promoted| (promoted.missing_variables(), promoted.missing_resources()),
    );
    let of_secrets =
        (!missing_secrets.is_empty()).then(|| secrets_missing(target, missing_secrets, exists, kind.name()));
    if variables.is_empty() && resources.is_empty() {
        return of_secrets;
    }
    let names = |changes: &[&BindingChange]| -> String {
        let names: Vec<&str> = changes.iter().map(|change| change.name.as_str()).collect();
        shown_names(&names)
    };
    let mut lacks = Vec::new();
    let mut copies = Vec::new();
    if !variables.is_empty() {
        lacks.push(format!("the variables {}", names(&variables)));
        copies.push("\"variables\": \"copy_new\"");
    }
    if !resources.is_empty() {
        lacks.push(format!("the bindings {}", names(&resources)));
        copies.push("\"resources\": \"copy_new\"");
    }
    let mut problem = Problem::new(
        Code::PromotionIncomplete,
        format!(
            "{} lacks {} of deployment {}.",
            kind.holder(target),
            lacks.join(" and "),
            source.id
        ),
        format!(
            "Add to the request: {}. Or copy the values of {}: {}.",
            members(&variables, &resources),
            source.target.namespace(),
            copies.join(", ")
        ),
    );
    if let Some(secrets) = of_secrets {
        problem = problem.note(format!("{} {}", secrets.detail, secrets.fix));
    }
    Some(problem)
}

/// The members of a request that give the values of these bindings.
fn members(variables: &[&BindingChange], resources: &[&BindingChange]) -> String {
    const MAX: usize = 10;
    let list = |entries: Vec<String>| entries.join(", ");
    let mut members = Vec::new();
    if !variables.is_empty() {
        let entries = variables
            .iter()
            .take(MAX)
            .map(|change| format!("\"{}\": …", change.name));
        members.push(format!("\"values\": {{{}}}", list(entries.collect())));
    }
    if !resources.is_empty() {
        let entries = resources.iter().take(MAX).map(|change| {
            let object = change.source.as_ref().and_then(Value::as_object);
            let keys = object
                .into_iter()
                .flatten()
                .map(|(key, _)| format!("\"{key}\": …"));
            format!("\"{}\": {{{}}}", change.name, list(keys.take(MAX).collect()))
        });
        members.push(format!("\"bindings\": {{{}}}", list(entries.collect())));
    }
    list(members)
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
