//! `wrangler secret put`, `list` and `delete`. wrangler names a Worker of the account; here it is a Worker in a namespace.

use dotdo_names::WorkerName;
use secrecy::SecretString;
use serde::Deserialize;
use serde_json::{Value, json};

use super::response::Reply;
use super::worker_target::{Alternative, Found, find, resolve};
use super::{Absent, Envelope, settings};
use crate::code::Code;
use crate::deploys::Gateway;
use crate::http::{Request, read_body};
use crate::identity::ShownCredential;
use crate::ledger::LedgerClient;
use crate::policy::Action;
use crate::problem::Problem;
use crate::services::Services;
use crate::target::Target;
use crate::upload::{Source, SourceFailure};
use crate::v1;

/// The longest body, in bytes.
const MAX_SECRET: usize = 32 * 1024;

/// The call that lists the secrets of a Worker in a namespace.
const LIST: Alternative<'_> = Alternative {
    method: "GET",
    below: "secrets",
    body: None,
};

/// The call that sets a secret of a Worker in a namespace.
const PUT: Alternative<'_> = Alternative {
    method: "PUT",
    below: "secrets/NAME",
    body: Some("{\"text\": \"VALUE\"}"),
};

/// The names of a Worker's secrets. wrangler also requests them before each deploy.
pub(super) async fn list<L: LedgerClient, O: Services>(
    gateway: &Gateway<'_, L, O>,
    credential: &ShownCredential,
    worker: &WorkerName,
) -> Result<Reply, Problem> {
    let target = match find(gateway, credential, worker, LIST).await? {
        Found::One(target) => target,
        Found::None(reply) => return Ok(reply),
    };
    settings::authorize(gateway, credential, &target).await?;
    match v1::secrets::names(gateway.services, &target).await {
        Ok(names) => Ok(Reply::Success(Envelope::of(json!(names)))),
        Err(problem) if problem.code == Code::WorkerUnknown => Ok(Reply::Absent(Absent::AccountScript)),
        Err(problem) => Err(problem),
    }
}

/// Sets a secret of the Worker of a call that does not name a namespace. For a Worker that does not exist, the error is not
/// Cloudflare's "no such Worker", because then wrangler creates a Worker of the account.
pub(super) async fn put_of_worker<L: LedgerClient, O: Services, B: Source>(
    gateway: &Gateway<'_, L, O>,
    credential: &ShownCredential,
    worker: &WorkerName,
    request: Request<'_, B>,
) -> Result<Reply, Problem> {
    let target = resolve(gateway, credential, worker, Action::Secrets, PUT).await?;
    put(gateway, credential, &target, request).await
}

/// Sets a secret.
pub(super) async fn put<L: LedgerClient, O: Services, B: Source>(
    gateway: &Gateway<'_, L, O>,
    credential: &ShownCredential,
    target: &Target,
    request: Request<'_, B>,
) -> Result<Reply, Problem> {
    #[derive(Deserialize)]
    struct Secret {
        name: String,
        text: SecretString,
        #[serde(rename = "type", default)]
        kind: Option<String>,
    }
    let announced = request.content_length();
    let body = read_body(request.body, announced, MAX_SECRET)
        .await
        .map_err(SourceFailure::problem)?;
    let invalid = || {
        Problem::new(
            Code::BodyInvalid,
            "The secret cannot be read.",
            "Send {\"name\": \"…\", \"text\": \"…\", \"type\": \"secret_text\"}, as wrangler does.",
        )
    };
    let secret: Secret = serde_json::from_slice(&body).map_err(|_| invalid())?;
    if secret.kind.is_some_and(|kind| kind != "secret_text") {
        return Err(invalid());
    }
    v1::secrets::set(gateway, credential, target, &secret.name, &secret.text).await?;
    Ok(Reply::Success(Envelope::of(
        json!({ "name": secret.name, "type": "secret_text" }),
    )))
}

/// Removes a secret of the Worker of a call that does not name a namespace.
pub(super) async fn delete_of_worker<L: LedgerClient, O: Services>(
    gateway: &Gateway<'_, L, O>,
    credential: &ShownCredential,
    worker: &WorkerName,
    name: &str,
) -> Result<Reply, Problem> {
    let below = format!("secrets/{name}");
    let alternative = Alternative {
        method: "DELETE",
        below: &below,
        body: None,
    };
    let target = resolve(gateway, credential, worker, Action::Secrets, alternative).await?;
    delete(gateway, credential, &target, name).await
}

/// Removes a secret.
pub(super) async fn delete<L: LedgerClient, O: Services>(
    gateway: &Gateway<'_, L, O>,
    credential: &ShownCredential,
    target: &Target,
    name: &str,
) -> Result<Reply, Problem> {
    v1::secrets::remove(gateway, credential, target, name).await?;
    Ok(Reply::Success(Envelope::of(Value::Null)))
}
