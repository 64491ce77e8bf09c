//! The deploy, and the calls of wrangler before and after it.

use dotdo_names::WorkerName;
use serde::Deserialize;
use serde_json::{Value, json};

use super::account_deploy::authorize_deploy;
use super::query::Parameters;
use super::response::Reply;
use super::worker_target::{Alternative, resolve};
use super::{Absent, Envelope, Message};
use crate::audit;
use crate::bundles::{ObjectStore, Retrying, StagedWriter, staging_key};
use crate::code::Code;
use crate::deployments::Deployment;
use crate::deploys::{self, Gateway, Origin, remote_script, remote_state, without_own};
use crate::http::{Request, read_body};
use crate::identity::ShownCredential;
use crate::ledger::LedgerClient;
use crate::policy::{self, Action};
use crate::problem::Problem;
use crate::services::Services;
use crate::target::Target;
use crate::upload::{Permit, Renewing, Source, SourceFailure, StreamOptions, StreamedUpload, read_streamed};
use crate::v1;

/// The parameters of an upload's query that wrangler sends.
const PARAMETERS: [&str; 2] = ["excludeScript", "bindings_inherit"];

/// The longest body of a change of tags, in bytes.
const MAX_SETTINGS: usize = 256 * 1024;

/// Whether the namespace has the script, and at which migration tag.
pub(super) async fn script<L: LedgerClient, O: Services>(
    gateway: &Gateway<'_, L, O>,
    credential: &ShownCredential,
    target: &Target,
) -> Result<Reply, Problem> {
    let on = |action| policy::Request::worker(action, target.clone());
    let requests = vec![on(Action::Deploy), on(Action::Read)];
    gateway
        .authorize_for(credential, requests, audit::Action::Read, target)
        .await?;
    let Some(mut found) = remote_script(gateway.services, target)
        .await
        .map_err(|failure| failure.problem)?
    else {
        return Ok(Reply::Absent(Absent::NamespaceScript));
    };
    if let Some(tags) = found.pointer_mut("/script/tags") {
        let own: Vec<String> = serde_json::from_value(tags.take()).unwrap_or_default();
        *tags = json!(without_own(own));
    }
    Ok(Reply::Success(Envelope::of(found)))
}

/// The upload.
pub(super) async fn put<L: LedgerClient, O: Services, B: Source>(
    gateway: &Gateway<'_, L, O>,
    credential: &ShownCredential,
    target: &Target,
    request: Request<'_, B>,
) -> Result<Reply, Problem> {
    let deploy = policy::Request::worker(Action::Deploy, target.clone());
    let authorized = gateway
        .authorize_for(credential, vec![deploy], audit::Action::Deploy, target)
        .await?;
    let permit = gateway.admit(request.content_length()).await?;
    let store = Retrying::new(gateway.services, gateway.services);
    let (upload, query) = match read(gateway, &store, &permit, request).await {
        Ok(read) => read,
        Err(problem) => {
            return Err(gateway
                .refuse(&authorized, target, audit::Action::Deploy, problem, None)
                .await);
        }
    };
    let (upload, _permit) = gateway.admit_upload(permit, upload).await?;
    let deploying = deploys::deploy(
        gateway,
        credential,
        &authorized,
        target,
        upload,
        query,
        &Origin::Client,
    );
    let done = Box::pin(deploying).await?;
    Ok(Reply::Success(deployed(
        &done.deployment,
        done.exports_reconciliation,
    )))
}

/// Reads the query and the body. The bytes of a large body go to the bundle store while they arrive.
async fn read<'s, L: LedgerClient, O: Services, S: ObjectStore, B: Source>(
    gateway: &Gateway<'_, L, O>,
    store: &'s S,
    permit: &Permit,
    request: Request<'_, B>,
) -> Result<(StreamedUpload<'s, S>, Vec<(&'static str, String)>), Problem> {
    let query = Parameters::parse(request.query)?.only(&PARAMETERS)?;
    let content_type = request.header("content-type");
    let options = StreamOptions {
        content_length: request.content_length(),
    };
    let writer = StagedWriter::new(store, staging_key(gateway.attempt.as_str()));
    let body = Renewing::new(request.body, permit, gateway.services);
    let upload = read_streamed(content_type, body, writer, options).await?;
    Ok((upload, query))
}

fn deployed(deployment: &Deployment, exports_reconciliation: Option<Value>) -> Envelope {
    let mut result = json!({
        "id": deployment.target.worker.as_str(),
        "etag": deployment.etag,
        "startup_time_ms": deployment.startup_time_ms.unwrap_or_default(),
        "deployment_id": deployment.id,
        "pipeline_hash": Value::Null,
        "mutable_pipeline_id": Value::Null,
        "tags": deployment.tags,
        "migration_tag": deployment.migration_tag,
    });
    if let (Some(report), Value::Object(members)) = (exports_reconciliation, &mut result) {
        members.insert("exports_reconciliation".to_owned(), report);
    }
    let messages = deployment
        .warnings
        .iter()
        .map(|warning| Message {
            code: Code::from_name(&warning.code).unwrap_or(Code::Internal).number(),
            message: warning.message.clone(),
        })
        .collect();
    Envelope::of(result).with_messages(messages)
}

/// Sets the tags that wrangler sends after a deploy of a configuration with environments.
pub(super) async fn tags<L: LedgerClient, O: Services, B: Source>(
    gateway: &Gateway<'_, L, O>,
    credential: &ShownCredential,
    worker: &WorkerName,
    request: Request<'_, B>,
) -> Result<Reply, Problem> {
    #[derive(Deserialize)]
    struct Settings {
        #[serde(default)]
        tags: Option<Vec<String>>,
    }
    let alternative = Alternative {
        method: "PUT",
        below: "tags",
        body: Some("[\"TAG\"]"),
    };
    let target = resolve(gateway, credential, worker, Action::Deploy, alternative).await?;
    let announced = request.content_length();
    let body = read_body(request.body, announced, MAX_SETTINGS)
        .await
        .map_err(SourceFailure::problem)?;
    let settings: Settings = serde_json::from_slice(&body).map_err(|_| {
        Problem::new(
            Code::BodyInvalid,
            "The settings cannot be read.",
            "Send {\"tags\": [\"…\"]}; other settings are part of a deploy.",
        )
    })?;
    let tags = settings.tags.unwrap_or_default();
    if target.is_in_account() {
        return set_account_tags(gateway, credential, &target, &tags).await;
    }
    v1::tags::set(gateway, credential, &target, &tags).await?;
    Ok(Reply::Success(Envelope::of(json!({ "tags": tags }))))
}

/// `PATCH A/workers/scripts/{script}/script-settings`: accepts the tags that the Worker has. The other settings were part of the upload.
///
/// # Errors
/// `ACCOUNT_WORKER_REFUSED` for other tags; `PERMISSION_DENIED`, `BODY_INVALID`, `UPSTREAM_…`.
async fn set_account_tags<L: LedgerClient, O: Services>(
    gateway: &Gateway<'_, L, O>,
    credential: &ShownCredential,
    target: &Target,
    tags: &[String],
) -> Result<Reply, Problem> {
    authorize_deploy(gateway, credential, target).await?;
    let found = remote_state(gateway.services, target)
        .await
        .map_err(|failure| failure.problem)?;
    let Some(found) = found else {
        return Ok(Reply::Absent(Absent::AccountScript));
    };
    if found.tags.unwrap_or_default() != tags {
        return Err(Problem::new(
            Code::AccountWorkerRefused,
            format!("The tags of {target} cannot be changed through this API."),
            "Deploy the Worker with a configuration without `env`, or change the tags with your own Cloudflare login.",
        ));
    }
    Ok(Reply::Success(Envelope::of(json!({ "tags": tags }))))
}
