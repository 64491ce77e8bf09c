//! `DELETE …/workers/{worker}`: removes a Worker from its namespace, or reports what that would remove.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Answer;
use super::page::Parameters;
use super::workers::{Shown, find};
use crate::audit;
use crate::deploys::{Gateway, Lease, SmallChange, change, remote_settings, worker_unknown};
use crate::identity::ShownCredential;
use crate::ledger::{Change, LedgerClient};
use crate::policy::{Action, Request};
use crate::problem::{Document, Problem};
use crate::services::Services;
use crate::store::locks;
use crate::target::Target;
use crate::upload::BindingRef;

/// The answer to a dry run of a deletion.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "DeletionPreview")]
pub struct Previewed<'a> {
    /// True.
    pub dry_run: bool,
    /// The Worker that would be removed.
    pub worker: Shown,
    /// The names of its secrets, whose values are lost.
    pub secrets: Vec<String>,
    /// Its Durable Object classes, whose objects are lost.
    pub object_classes: Vec<String>,
    /// Why the deletion would be refused; null if it would not.
    pub problem: Option<Document<'a>>,
}

/// `DELETE …/workers/{worker}`: removes the Worker from its namespace. Its deployments and bundles stay. With the parameter
/// `dry_run=true`, the answer is what would be removed, and the problem that the deletion would have; this needs the action `read` as
/// well.
///
/// # Errors
/// `PERMISSION_DENIED`, `PARAMETER_INVALID`, `WORKER_LOCKED`, `WORKER_UNKNOWN`, `DEPLOYMENT_UNSETTLED`, `UPSTREAM_…`,
/// `RECORD_UNAVAILABLE`.
pub async fn delete<L: LedgerClient, O: Services>(
    gateway: &Gateway<'_, L, O>,
    credential: &ShownCredential,
    target: &Target,
    parameters: &[(&str, &str)],
) -> Result<Answer, Problem> {
    if Parameters::new(parameters, &["dry_run"])?.is_dry_run()? {
        return preview(gateway, credential, target).await;
    }
    // A caller with the permission to delete has confirmed it.
    remove(gateway, credential, target, true).await?;
    Answer::json(200, &Value::Null)
}

async fn preview<L: LedgerClient, O: Services>(
    gateway: &Gateway<'_, L, O>,
    credential: &ShownCredential,
    target: &Target,
) -> Result<Answer, Problem> {
    let request = Request::worker(Action::Delete, target.clone());
    gateway
        .authorize_for(credential, vec![request], audit::Action::Delete, target)
        .await?;
    let worker = find(gateway, credential, target)
        .await?
        .ok_or_else(|| worker_unknown(target))?;
    let settings = remote_settings(gateway.services, target)
        .await
        .map_err(|failure| failure.problem)?
        .ok_or_else(|| worker_unknown(target))?;
    let bindings: Vec<BindingRef<'_>> = settings
        .get("bindings")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(BindingRef::of)
        .collect();
    let secrets = bindings.iter().filter(|binding| binding.is_secret());
    let own_classes = bindings.iter().filter(|binding| {
        binding.kind == "durable_object_namespace"
            && binding
                .text("script_name")
                .is_none_or(|script| script == target.worker.as_str())
    });
    let problem = worker
        .listed
        .lock
        .as_ref()
        .map(|lock| locks::locked(target, lock));
    let request_id = &gateway.client.request_id;
    Answer::json(
        200,
        &Previewed {
            dry_run: true,
            secrets: secrets.map(|binding| binding.name.to_owned()).collect(),
            object_classes: own_classes
                .filter_map(|binding| binding.text("class_name"))
                .map(str::to_owned)
                .collect(),
            worker,
            problem: problem.as_ref().map(|problem| problem.document(request_id)),
        },
    )
}

/// Removes a Worker, for a call of either API.
pub(crate) async fn remove<L: LedgerClient, O: Services>(
    gateway: &Gateway<'_, L, O>,
    credential: &ShownCredential,
    target: &Target,
    is_forced: bool,
) -> Result<(), Problem> {
    let lease = Lease::begin(gateway, credential, target, Change::Delete).await?;
    change(&lease, SmallChange::deletion(target, is_forced)).await
}
