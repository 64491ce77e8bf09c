//! The check of an upload before it begins, and the targets of its service bindings.

use std::collections::{BTreeMap, BTreeSet};

use dotdo_names::WorkerName;

use super::Gateway;
use super::binding_change::members;
use super::remote::remote_script;
use crate::code::Code;
use crate::deployments::Warning;
use crate::ledger::{IsDeployedSomewhere, LedgerClient};
use crate::lint::{self, Refusal};
use crate::problem::Problem;
use crate::services::Services;
use crate::target::Target;
use crate::upload::{BindingRef, Metadata, NamespaceServices, SELF_REFERENCE};
use crate::upstream::{Method, call, script};

/// The result of the check of an upload that is accepted.
#[derive(Default)]
pub(super) struct Checked {
    /// The warnings.
    pub warnings: Vec<Warning>,
    /// The service bindings that reach Workers of the namespace.
    pub services: NamespaceServices,
}

/// Checks the metadata of an upload to a namespace into which the Workers `moved` are imported from the account, that a Durable Object or a tail consumer is not of a Worker that is only in a namespace, and
/// where its service bindings lead.
///
/// # Errors
/// Why the upload is refused; `UPSTREAM_…`, `RECORD_UNAVAILABLE`.
pub(super) async fn check<L: LedgerClient, O: Services>(
    gateway: &Gateway<'_, L, O>,
    target: &Target,
    metadata: &Metadata,
    moved: &BTreeSet<WorkerName>,
) -> Result<Checked, Box<Refusal>> {
    if target.is_in_account() {
        if let Some(problem) = refused_for_platform(&target.worker, metadata) {
            return Err(Refusal::new(problem));
        }
        // Only administrators of the platform deploy its Workers, which are bound to each other and to the namespaces.
        return Ok(Checked {
            warnings: lint::compatibility(metadata, gateway.now())?,
            ..Checked::default()
        });
    }
    let findings = lint::metadata(metadata, target, gateway.now())?;
    for reference in &findings.references {
        if is_only_in_a_namespace(gateway, target, &reference.service)
            .await
            .map_err(Refusal::new)?
        {
            return Err(lint::unreachable_service(reference));
        }
    }
    let mut checked = resolve_services(gateway.services, target, metadata, moved).await?;
    checked.warnings.splice(0..0, findings.warnings);
    Ok(checked)
}

/// Why a Worker of the platform cannot be uploaded with this metadata; `None` if it can. A deploy neither sets the secrets on which this
/// API depends, nor uploads static assets.
pub(crate) fn refused_for_platform(worker: &WorkerName, metadata: &Metadata) -> Option<Problem> {
    let secret = metadata.bindings().find(BindingRef::is_secret);
    let (detail, fix) = if let Some(secret) = secret {
        (
            format!(
                "The upload sets the secret {} of {worker}, a Worker of the platform.",
                secret.name
            ),
            format!(
                "Deploy without --secrets-file: the Worker keeps its secrets. To change one, use your own Cloudflare login: \
                 npx wrangler secret put NAME --name {worker}."
            ),
        )
    } else if metadata.assets_jwt().is_some() || metadata.keeps_assets() {
        (
            format!("The Worker {worker} of the platform has no static assets."),
            "Remove `assets` from the wrangler configuration.".to_owned(),
        )
    } else {
        return None;
    };
    Some(Problem::new(Code::AccountWorkerRefused, detail, fix))
}

/// Determines which service bindings of a deployment in `target` reach Workers of the same namespace. Those to the Workers `moved` do,
/// even if only the account has them so far. There is a warning for each of
/// them that is not deployed yet.
///
/// # Errors
/// `SERVICE_BINDING_UNREACHABLE` if such a binding has more than the name of a Worker; `UPSTREAM_…` if the upstream does not say
/// whether the namespace has a Worker.
pub(super) async fn resolve_services(
    services: &impl Services,
    target: &Target,
    metadata: &Metadata,
    moved: &BTreeSet<WorkerName>,
) -> Result<Checked, Box<Refusal>> {
    let mut checked = Checked::default();
    if target.is_in_account() {
        return Ok(checked);
    }
    let mut known: BTreeMap<&str, Location> = BTreeMap::new();
    for (value, binding) in metadata
        .binding_values()
        .iter()
        .filter_map(|value| Some((value, BindingRef::of(value)?)))
    {
        let Some(service) = binding.text("service").filter(|_| binding.kind == "service") else {
            continue;
        };
        let is_own = binding.name == SELF_REFERENCE || service == target.worker.as_str();
        let worker = match WorkerName::parse(service) {
            _ if is_own => target.worker.clone(),
            Ok(worker) => worker,
            Err(_) => continue,
        };
        if !is_own {
            let location = match known.get(service) {
                Some(location) => *location,
                None => locate(services, target, &worker).await.map_err(Refusal::new)?,
            };
            known.insert(service, location);
            let location = match location {
                Location::Account if moved.contains(&worker) => Location::Nowhere,
                other => other,
            };
            match location {
                Location::Account => continue,
                Location::Namespace => {}
                Location::Nowhere if moved.contains(&worker) => {}
                Location::Nowhere => checked.warnings.push(not_deployed(binding.name, target, &worker)),
            }
        }
        let other = members(value).find(|(member, value)| *member != "service" && !value.is_null());
        if let Some((member, _)) = other {
            return Err(lint::only_for_the_account(binding.name, member, worker.as_str()));
        }
        checked.services.add(binding.name, worker);
    }
    Ok(checked)
}

/// Where the Worker of a service binding is.
#[derive(Clone, Copy)]
enum Location {
    Namespace,
    Account,
    Nowhere,
}

/// Finds a Worker: in the namespace, otherwise in the account. If the upstream does not say whether the account has it, the binding is
/// sent as it is: the upstream refuses a binding to a Worker that it does not find.
async fn locate(services: &impl Services, target: &Target, worker: &WorkerName) -> Result<Location, Problem> {
    let there = Target {
        namespace: target.namespace,
        worker: worker.clone(),
    };
    let found = remote_script(services, &there).await;
    if found.map_err(|failure| failure.problem)?.is_some() {
        return Ok(Location::Namespace);
    }
    Ok(if is_in_account(services, worker.as_str()).await == Some(false) {
        Location::Nowhere
    } else {
        Location::Account
    })
}

fn not_deployed(binding: &str, target: &Target, worker: &WorkerName) -> Warning {
    let worker = worker.as_str();
    Warning {
        code: Code::ServiceBindingUnreachable.name().to_owned(),
        message: format!(
            "The service binding {binding} refers to {worker}, which is not deployed in {} yet. It returns WORKER_NOT_DEPLOYED until \
             then.",
            target.namespace()
        ),
    }
}

/// Whether the account has a Worker of this name; `None` if the upstream does not say.
async fn is_in_account(services: &impl Services, worker: &str) -> Option<bool> {
    let request = script::account(Method::Get, &["workers", "services", worker]);
    match call(services, request).await.record.status {
        Some(404) => Some(false),
        Some(200..300) => Some(true),
        _ => None,
    }
}

/// Whether a Worker of that name is in a namespace and not in the account. If the upstream does not say, the upload is not
/// refused: the upstream itself refuses a reference to a Worker that it does not find.
async fn is_only_in_a_namespace<L: LedgerClient, O: Services>(
    gateway: &Gateway<'_, L, O>,
    target: &Target,
    service: &str,
) -> Result<bool, Problem> {
    let Ok(worker) = WorkerName::parse(service) else {
        return Ok(false);
    };
    let question = IsDeployedSomewhere {
        worker: service.to_owned(),
    };
    let mut in_namespace = *service == *target.worker.as_str() || gateway.send(&question).await?;
    if !in_namespace {
        let there = Target {
            namespace: target.namespace,
            worker,
        };
        in_namespace = matches!(remote_script(gateway.services, &there).await, Ok(Some(_)));
    }
    Ok(in_namespace && is_in_account(gateway.services, service).await == Some(false))
}
