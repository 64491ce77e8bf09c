//! `wrangler secret put`, `list` and `delete`, which speak of a Worker of the account and mean one in a namespace.

use dotdo_names::WorkerName;
use secrecy::SecretString;
use serde::Deserialize;
use serde_json::{Value, json};

use super::message::{Body, Request, read_body};
use super::serve::Reply;
use super::worker_target::{resolve, resolve_alone};
use super::{Absent, Envelope};
use crate::audit::Verb;
use crate::code::Code;
use crate::engine::{Engine, Outside};
use crate::identity::Caller;
use crate::policy::{self, Action};
use crate::problem::Problem;
use crate::sql::Sql;
use crate::v1;

/// The longest body, in bytes.
const MAX_SECRET: usize = 32 * 1024;

/// The names of a Worker's secrets. wrangler asks this before each deploy too, and gives up on any answer but a list or
/// "no such Worker"; so where the namespace is not clear, it gets the latter, with an explanation.
pub(super) async fn list<S: Sql, O: Outside>(
    engine: &Engine<'_, S, O>,
    caller: &Caller,
    worker: &WorkerName,
) -> Result<Reply, Problem> {
    let target = match resolve(engine, caller, worker, Action::Deploy) {
        Ok(target) => target,
        Err(problem) if problem.code == Code::NamespaceAmbiguous => return Ok(Reply::Unclear(problem)),
        Err(problem) => return Err(problem),
    };
    let deploy = policy::Request::worker(Action::Deploy, target.clone());
    if !engine.access.may(caller, &deploy)? {
        let target = match resolve(engine, caller, worker, Action::Read) {
            Err(problem) if problem.code == Code::NamespaceAmbiguous => return Ok(Reply::Unclear(problem)),
            resolved => resolved?,
        };
        let read = policy::Request::worker(Action::Read, target.clone());
        engine.access.authorize(caller, &read, Verb::Read)?;
        return names(engine, &target).await;
    }
    names(engine, &target).await
}

async fn names<S: Sql, O: Outside>(
    engine: &Engine<'_, S, O>,
    target: &crate::target::Target,
) -> Result<Reply, Problem> {
    match v1::secrets::names(engine.outside, target).await {
        Ok(names) => Ok(Reply::Success(Envelope::of(json!(names)))),
        Err(problem) if problem.code == Code::WorkerUnknown => Ok(Reply::Absent(Absent::AccountScript)),
        Err(problem) => Err(problem),
    }
}

/// Sets a secret. A Worker that does not exist is a refusal, and never "no such Worker" in Cloudflare's words: on those
/// wrangler makes a Worker of the account.
pub(super) async fn put<S: Sql, O: Outside, B: Body>(
    engine: &Engine<'_, S, O>,
    caller: &Caller,
    worker: &WorkerName,
    request: Request<'_, B>,
) -> Result<Reply, Problem> {
    #[derive(Deserialize)]
    struct Secret {
        name: String,
        text: SecretString,
        #[serde(rename = "type", default)]
        kind: Option<String>,
    }
    let target = resolve_alone(engine, caller, worker, Action::Secrets)?;
    let body = read_body(request.body, MAX_SECRET).await?;
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
    v1::secrets::set(engine, caller, &target, &secret.name, &secret.text).await?;
    Ok(Reply::Success(Envelope::of(
        json!({ "name": secret.name, "type": "secret_text" }),
    )))
}

/// Removes a secret.
pub(super) async fn delete<S: Sql, O: Outside>(
    engine: &Engine<'_, S, O>,
    caller: &Caller,
    worker: &WorkerName,
    name: &str,
) -> Result<Reply, Problem> {
    let target = resolve_alone(engine, caller, worker, Action::Secrets)?;
    v1::secrets::remove(engine, caller, &target, name).await?;
    Ok(Reply::Success(Envelope::of(Value::Null)))
}
