//! The upload of a script to the upstream, between the intent and its outcome.

use serde_json::Value;

use super::lease::Lease;
use super::remote::{has_deployment, remote_state};
use crate::bundles::{Staged, StoredPart};
use crate::code::Code;
use crate::deployments::{Deployment, RemoteVersion};
use crate::ledger::{BeforeUpload, End, Finished, LedgerClient, ScriptState};
use crate::problem::Problem;
use crate::services::Services;
use crate::upload::{Metadata, NamespaceServices, script_pieces, with_log_consumer, with_own_deployment};
use crate::upstream::{Called, Effect, Method, call, script};

/// The most tags of a script, one of which names the deployment.
/// <https://developers.cloudflare.com/cloudflare-for-platforms/workers-for-platforms/platform/limits/>
pub const MAX_TAGS: usize = 8;

/// A script as it is sent.
pub(crate) struct Script<'a> {
    /// The metadata, secrets included, with the author's service bindings.
    pub metadata: Metadata,
    /// The service bindings that reach Workers of the namespace.
    pub services: NamespaceServices,
    /// The modules and source maps.
    pub parts: &'a [StoredPart],
    /// Where their bytes are.
    pub contents: &'a Staged,
    /// The parameters of the query.
    pub query: Vec<(&'static str, String)>,
}

/// An upload that succeeded.
pub(crate) struct Uploaded {
    /// What was recorded.
    pub finished: Finished,
    /// The upstream's report of the changes that `exports` caused, which wrangler prints; `None` if it sent none.
    pub exports_reconciliation: Option<Value>,
}

/// Why an upload did not succeed.
pub(crate) enum UploadFailure {
    /// It was not executed; the outcome is recorded.
    Known(Problem),
    /// The outcome is not known; the lease stays open.
    Unknown(Problem),
}

impl UploadFailure {
    /// The error for the caller.
    pub fn into_problem(self) -> Problem {
        match self {
            Self::Known(problem) | Self::Unknown(problem) => problem,
        }
    }
}

/// Sends a script and records the outcome. `state` has what is known of the script beside the intent.
///
/// # Errors
/// Why it failed. With [`UploadFailure::Unknown`] it may have been carried out; the same upload again continues it.
pub(crate) async fn upload<L: LedgerClient, O: Services>(
    lease: &Lease<'_, '_, L, O>,
    deployment: &Deployment,
    mut state: ScriptState,
    script: Script<'_>,
) -> Result<Uploaded, UploadFailure> {
    let services = lease.gateway.services;
    let known = |problem| UploadFailure::Known(problem);
    if lease.granted.is_resumed && is_there(lease, deployment).await.unwrap_or(false) {
        return accepted(lease, deployment, None, state).await;
    }
    if let Err(problem) = complete_state(lease, deployment, &script.metadata, &mut state).await {
        return Err(known(lease.fail(problem).await));
    }
    let mut tags = state.tags.clone().unwrap_or_else(|| deployment.tags.clone());
    if tags.len() >= MAX_TAGS {
        return Err(known(lease.fail(too_many_tags(tags.len())).await));
    }
    tags.push(deployment.id.tag());
    let mut metadata = script
        .services
        .rewritten(script.metadata, lease.target.namespace)
        .with_tags(&tags);
    if lease.gateway.stores_logs && !lease.target.is_in_account() {
        metadata = with_log_consumer(metadata);
    }
    if lease.target.is_deploy_api() {
        metadata = with_own_deployment(metadata, deployment.id.as_str());
    }
    let (content_type, body) =
        match script_pieces(&metadata, script.parts, script.contents, services.entropy()) {
            Ok(form) => form,
            Err(error) => return Err(known(lease.fail(bundle_store_unavailable(&error)).await)),
        };
    let request = script::script(Method::Put, lease.target, &[]).with_body(content_type, body);
    let request = script
        .query
        .into_iter()
        .fold(request, |request, (name, value)| request.parameter(name, value));
    lease.renew().await.map_err(known)?;
    let Called { record, outcome } = call(services, request).await;
    let failure = match outcome {
        Ok(reply) => {
            state.read(&reply.result);
            let uploaded = accepted(lease, deployment, Some(record), state).await?;
            return Ok(Uploaded {
                exports_reconciliation: reply.result.get("exports_reconciliation").cloned(),
                ..uploaded
            });
        }
        Err(failure) => failure,
    };
    let mut effect = failure.effect;
    if effect != Effect::None
        && let Some(is_there) = is_there(lease, deployment).await
    {
        if is_there {
            return accepted(lease, deployment, Some(record), state).await;
        }
        if effect == Effect::Unknown {
            effect = Effect::None;
        }
    }
    if effect == Effect::None {
        let mut problem = Box::new(failure.problem.clone());
        if let Some(error) = &mut problem.upstream {
            error.meta = None;
        }
        let end = End::Failed {
            upstream: Some(record),
            problem,
        };
        lease.finish(end).await.map_err(UploadFailure::Unknown)?;
        return Err(known(failure.problem));
    }
    lease.finish(End::Unknown).await.map_err(UploadFailure::Unknown)?;
    Err(UploadFailure::Unknown(failure.problem.note(format!(
        "Whether deployment {} was uploaded is not known yet; the same upload again continues it.",
        deployment.id
    ))))
}

/// The upstream has the script. A deployment of the deploy API stays pending: this instance belongs to the version before, and the
/// reconciler of the new one records that it runs.
async fn accepted<L: LedgerClient, O: Services>(
    lease: &Lease<'_, '_, L, O>,
    deployment: &Deployment,
    upstream: Option<crate::audit::Upstream>,
    state: ScriptState,
) -> Result<Uploaded, UploadFailure> {
    if !lease.target.is_deploy_api() {
        return succeeded(lease, deployment, upstream, state).await;
    }
    // The ledger may be restarting with the new version. Without this message, the reconciler takes the lease when it ends.
    let _ = lease.finish(End::Unknown).await;
    let finished = Finished {
        deployment: Some(Deployment {
            etag: state.etag,
            startup_time_ms: state.startup_time_ms,
            ..deployment.clone()
        }),
        health_check: None,
    };
    Ok(Uploaded {
        finished,
        exports_reconciliation: None,
    })
}

async fn succeeded<L: LedgerClient, O: Services>(
    lease: &Lease<'_, '_, L, O>,
    deployment: &Deployment,
    upstream: Option<crate::audit::Upstream>,
    mut state: ScriptState,
) -> Result<Uploaded, UploadFailure> {
    state.after = version_after(lease, deployment).await;
    let end = End::Succeeded {
        upstream,
        script: Box::new(state),
    };
    let finished = lease.finish(end).await.map_err(UploadFailure::Unknown)?;
    Ok(Uploaded {
        finished,
        exports_reconciliation: None,
    })
}

/// Whether the upstream has the deployment; `None` if it does not answer.
async fn is_there<L: LedgerClient, O: Services>(
    lease: &Lease<'_, '_, L, O>,
    deployment: &Deployment,
) -> Option<bool> {
    let has = has_deployment(lease.gateway.services, lease.target, &deployment.id);
    has.await.ok()
}

/// The version after the upload; `None` if the upstream does not answer or has another deployment already. The ledger then records the
/// etag of the upload's answer only.
async fn version_after<L: LedgerClient, O: Services>(
    lease: &Lease<'_, '_, L, O>,
    deployment: &Deployment,
) -> Option<RemoteVersion> {
    lease.renew().await.ok()?;
    let found = remote_state(lease.gateway.services, lease.target).await.ok()??;
    found.version.can_be(&deployment.id).then_some(found.version)
}

/// Completes what the upload does not say with what the upstream has: the tags, unless the upload has tags, and the migration tag,
/// unless it executes migrations. The records do not count, because the Worker may have been changed outside of this API.
async fn complete_state<L: LedgerClient, O: Services>(
    lease: &Lease<'_, '_, L, O>,
    deployment: &Deployment,
    metadata: &Metadata,
    state: &mut ScriptState,
) -> Result<(), Problem> {
    let found = remote_state(lease.gateway.services, lease.target)
        .await
        .map_err(|failure| failure.problem)?;
    state.before = match &found {
        Some(found) => BeforeUpload::Script(found.version.clone()),
        None => BeforeUpload::NoScript,
    };
    let found = found.unwrap_or_default();
    if deployment.migrations.is_none() && state.migration_tag.is_none() {
        state.migration_tag = Some(found.migration_tag);
    }
    if deployment.source.is_none() && metadata.tags().is_none() && state.tags.is_none() {
        state.tags = Some(found.tags.unwrap_or_default());
    }
    Ok(())
}

impl ScriptState {
    /// Reads the upstream's answer about an uploaded script.
    fn read(&mut self, result: &Value) {
        self.etag = result.get("etag").and_then(Value::as_str).map(str::to_owned);
        self.startup_time_ms = result.get("startup_time_ms").and_then(Value::as_u64);
        let handlers = result.get("handlers").and_then(Value::as_array);
        self.handlers = handlers
            .into_iter()
            .flatten()
            .filter_map(|handler| handler.as_str().map(str::to_owned))
            .collect();
    }
}

pub(crate) fn bundle_store_unavailable(error: &impl ToString) -> Problem {
    Problem::new(
        Code::BundleStoreUnavailable,
        "The bundle store failed, so nothing was deployed.",
        "Try again in a moment.",
    )
    .caused_by(error)
    .retry_after(5)
}

pub(crate) fn too_many_tags(number: usize) -> Problem {
    Problem::new(
        Code::BodyInvalid,
        format!(
            "The Worker would have {number} tags; at most seven are allowed, besides the tag of the deployment."
        ),
        "Remove some tags.",
    )
}
