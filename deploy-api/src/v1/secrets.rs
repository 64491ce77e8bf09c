//! `…/workers/{worker}/secrets`: their names, never their values.

use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{Answer, body};
use crate::audit::{SubjectRecord, Verb};
use crate::code::Code;
use crate::deployments::{Trace, Turn, change, worker_unknown};
use crate::engine::{Engine, Outside};
use crate::identity::Caller;
use crate::policy::{Action, Request};
use crate::problem::Problem;
use crate::sql::Sql;
use crate::target::Target;
use crate::upstream::{Method, call, script};

/// The longest name of a secret, in characters.
const MAX_NAME: usize = 128;

/// A secret as it is listed.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct SecretName {
    name: String,
    #[serde(rename = "type", default)]
    kind: String,
}

#[derive(Serialize)]
struct Listed {
    items: Vec<SecretName>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PutRequest {
    text: SecretString,
}

/// `GET …/secrets`: the names and types.
///
/// # Errors
/// `PERMISSION_DENIED`, `WORKER_UNKNOWN`, `UPSTREAM_…`, `RECORD_UNAVAILABLE`.
pub async fn list<S: Sql, O: Outside>(
    engine: &Engine<'_, S, O>,
    caller: &Caller,
    target: &Target,
) -> Result<Answer, Problem> {
    let request = Request::worker(Action::Read, target.clone());
    engine.access.authorize(caller, &request, Verb::Read)?;
    Answer::json(
        200,
        &Listed {
            items: names(engine.outside, target).await?,
        },
    )
}

/// The secrets of a Worker, by name and type only, whatever else the upstream may send.
pub(crate) async fn names(outside: &impl Outside, target: &Target) -> Result<Vec<SecretName>, Problem> {
    let answer = call(outside, script::script(Method::Get, target, &["secrets"])).await;
    match answer.outcome {
        Ok(reply) => serde_json::from_value(reply.result).map_err(|_| {
            Problem::new(
                Code::UpstreamUnavailable,
                "The Cloudflare API's list of secrets cannot be read.",
                "Try again in a moment.",
            )
        }),
        Err(failure) if failure.absent => Err(worker_unknown(target)),
        Err(failure) => Err(failure.problem),
    }
}

/// `PUT …/secrets/{name}`, `{"text": "…"}`: sets one. The value goes upstream and nowhere else.
///
/// # Errors
/// `PERMISSION_DENIED`, `BODY_INVALID`, `BODY_TOO_LARGE`, `WORKER_LOCKED`, `WORKER_UNKNOWN`, `DEPLOYMENT_UNSETTLED`,
/// `UPSTREAM_…`, `RECORD_UNAVAILABLE`.
pub async fn put<S: Sql, O: Outside>(
    engine: &Engine<'_, S, O>,
    caller: &Caller,
    target: &Target,
    name: &str,
    body: &[u8],
) -> Result<Answer, Problem> {
    let request: PutRequest = body::read_secret(body, "{\"text\": \"the secret\"}")?;
    set(engine, caller, target, name, &request.text).await?;
    Answer::json(200, &json!({ "name": name, "type": "secret_text" }))
}

/// Sets a secret, for a call of either API.
pub(crate) async fn set<S: Sql, O: Outside>(
    engine: &Engine<'_, S, O>,
    caller: &Caller,
    target: &Target,
    name: &str,
    text: &SecretString,
) -> Result<(), Problem> {
    let turn = Turn::take(engine, caller, target, Action::Secrets, Verb::SecretPut).await?;
    check_name(name).map_err(|problem| turn.refuse(engine, problem))?;
    let body = json!({ "name": name, "text": text.expose_secret(), "type": "secret_text" });
    let request = script::script(Method::Put, target, &["secrets"])
        .with_body("application/json", body.to_string().into_bytes());
    change(engine, &turn, Some(subject(name)), request, Trace::None)
        .await
        .map(drop)
}

/// `DELETE …/secrets/{name}`: removes one.
///
/// # Errors
/// `PERMISSION_DENIED`, `WORKER_LOCKED`, `WORKER_UNKNOWN`, `SECRET_UNKNOWN`, `DEPLOYMENT_UNSETTLED`, `UPSTREAM_…`,
/// `RECORD_UNAVAILABLE`.
pub async fn delete<S: Sql, O: Outside>(
    engine: &Engine<'_, S, O>,
    caller: &Caller,
    target: &Target,
    name: &str,
) -> Result<Answer, Problem> {
    remove(engine, caller, target, name).await?;
    Answer::json(200, &Value::Null)
}

/// Removes a secret, for a call of either API.
pub(crate) async fn remove<S: Sql, O: Outside>(
    engine: &Engine<'_, S, O>,
    caller: &Caller,
    target: &Target,
    name: &str,
) -> Result<(), Problem> {
    let turn = Turn::take(engine, caller, target, Action::Secrets, Verb::SecretDelete).await?;
    check_name(name).map_err(|problem| turn.refuse(engine, problem))?;
    let request = script::script(Method::Delete, target, &["secrets", name]).parameter("url_encoded", "true");
    change(engine, &turn, Some(subject(name)), request, Trace::None)
        .await
        .map(drop)
}

fn subject(name: &str) -> SubjectRecord {
    SubjectRecord::Secret {
        name: name.to_owned(),
    }
}

/// A secret's name is a JavaScript identifier, as far as ASCII goes. So no value that was given as a name by mistake gets
/// on record: most have other characters.
pub(super) fn check_name(name: &str) -> Result<(), Problem> {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '$';
    let begins_well = name.chars().next().is_some_and(|first| !first.is_ascii_digit());
    if begins_well && name.len() <= MAX_NAME && name.chars().all(plain) {
        return Ok(());
    }
    Err(Problem::new(
        Code::SecretUnknown,
        "The secret's name cannot be one.",
        "Write 1 to 128 letters, digits and underscores, not beginning with a digit.",
    ))
}
