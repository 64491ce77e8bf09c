//! The check of an upload before it begins.

use super::Gateway;
use super::remote::remote_script;
use crate::ledger::{IsDeployedSomewhere, LedgerClient};
use crate::lint::{self, Findings, Refusal};
use crate::problem::Problem;
use crate::services::Services;
use crate::target::Target;
use crate::upload::Metadata;
use crate::upstream::{Method, call, script};

/// Checks the metadata of an upload, and that a service binding does not name a Worker that is only in a namespace.
///
/// # Errors
/// Why the upload is refused; `UPSTREAM_…`, `RECORD_UNAVAILABLE`.
pub(super) async fn check<L: LedgerClient, O: Services>(
    gateway: &Gateway<'_, L, O>,
    target: &Target,
    metadata: &Metadata,
) -> Result<Findings, Box<Refusal>> {
    let findings = lint::metadata(metadata, target, gateway.now())?;
    for service in &findings.services {
        if is_only_in_a_namespace(gateway, target, &service.service)
            .await
            .map_err(Refusal::new)?
        {
            return Err(lint::unreachable_service(service));
        }
    }
    Ok(findings)
}

/// Whether a Worker of that name is in a namespace and not in the account. If the upstream does not say, the upload is not
/// refused: the upstream itself refuses a binding to a Worker that it does not find.
async fn is_only_in_a_namespace<L: LedgerClient, O: Services>(
    gateway: &Gateway<'_, L, O>,
    target: &Target,
    service: &str,
) -> Result<bool, Problem> {
    let Ok(worker) = dotdo_names::WorkerName::parse(service) else {
        return Ok(false);
    };
    let question = IsDeployedSomewhere {
        worker: service.to_owned(),
    };
    let mut in_namespace = *service == *target.worker.as_str() || gateway.send(&question).await?;
    if !in_namespace {
        let there = Target {
            environment: target.environment,
            worker,
        };
        in_namespace = matches!(remote_script(gateway.services, &there).await, Ok(Some(_)));
    }
    if !in_namespace {
        return Ok(false);
    }
    let request = script::account(Method::Get, &["workers", "services", service]);
    let answer = call(gateway.services, request).await;
    Ok(answer.record.status == Some(404))
}
