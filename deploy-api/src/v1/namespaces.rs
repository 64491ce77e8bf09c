//! `/v1/namespaces`: the dispatch namespaces and how much is in them.

use dotdo_names::Environment;
use serde::Serialize;
use serde_json::Value;

use super::Answer;
use crate::audit::Verb;
use crate::engine::{Engine, Outside};
use crate::identity::Caller;
use crate::policy::{Action, Request};
use crate::problem::Problem;
use crate::sql::Sql;
use crate::upstream::{call, script};

/// A namespace as it is shown.
#[derive(Serialize)]
struct Shown {
    name: &'static str,
    environment: &'static str,
    id: &'static str,
    script_count: Option<u64>,
    trusted_workers: Option<bool>,
    created_on: Option<String>,
    modified_on: Option<String>,
}

impl Shown {
    fn of(environment: Environment, described: Option<&Value>) -> Self {
        let member = |name: &str| described.and_then(|described| described.get(name));
        let text = |name: &str| member(name).and_then(Value::as_str).map(str::to_owned);
        Self {
            name: environment.namespace(),
            environment: environment.name(),
            id: environment.namespace_id(),
            script_count: member("script_count").and_then(Value::as_u64),
            trusted_workers: member("trusted_workers").and_then(Value::as_bool),
            created_on: text("created_on"),
            modified_on: text("modified_on"),
        }
    }
}

/// The namespaces that a caller may read something in, as the upstream describes them.
pub(crate) async fn visible<S: Sql, O: Outside>(
    engine: &Engine<'_, S, O>,
    caller: &Caller,
) -> Result<Vec<(Environment, Option<Value>)>, Problem> {
    let mut visible = Vec::new();
    for environment in Environment::ALL {
        if engine
            .access
            .may(caller, &Request::namespace(Action::Read, environment))?
        {
            visible.push(environment);
        }
    }
    if visible.is_empty() {
        return Ok(Vec::new());
    }
    let reply = call(engine.outside, script::namespace(None))
        .await
        .outcome
        .map_err(|failure| failure.problem)?;
    let described = reply.result.as_array().cloned().unwrap_or_default();
    Ok(visible
        .into_iter()
        .map(|environment| {
            let found = described.iter().find(|namespace| {
                namespace.get("namespace_name").and_then(Value::as_str) == Some(environment.namespace())
            });
            (environment, found.cloned())
        })
        .collect())
}

/// A namespace as the upstream describes it.
pub(crate) async fn described<S: Sql, O: Outside>(
    engine: &Engine<'_, S, O>,
    caller: &Caller,
    environment: Environment,
) -> Result<Value, Problem> {
    let request = Request::namespace(Action::Read, environment);
    engine.access.authorize(caller, &request, Verb::Read)?;
    call(engine.outside, script::namespace(Some(environment)))
        .await
        .outcome
        .map(|reply| reply.result)
        .map_err(|failure| failure.problem)
}

/// `GET /v1/namespaces`: the namespaces that the caller may read something in, with their ids and script counts.
///
/// # Errors
/// `UPSTREAM_…` when the upstream does not answer; `RECORD_UNAVAILABLE`.
pub async fn list<S: Sql, O: Outside>(engine: &Engine<'_, S, O>, caller: &Caller) -> Result<Answer, Problem> {
    #[derive(Serialize)]
    struct Listed {
        items: Vec<Shown>,
    }
    let visible = visible(engine, caller).await?;
    let items = visible
        .iter()
        .map(|(environment, described)| Shown::of(*environment, described.as_ref()))
        .collect();
    Answer::json(200, &Listed { items })
}

/// `GET /v1/namespaces/{namespace}`: one of them.
///
/// # Errors
/// `PERMISSION_DENIED` unless the caller may read something in it; `UPSTREAM_…`, `RECORD_UNAVAILABLE`.
pub async fn get<S: Sql, O: Outside>(
    engine: &Engine<'_, S, O>,
    caller: &Caller,
    environment: Environment,
) -> Result<Answer, Problem> {
    let described = described(engine, caller, environment).await?;
    Answer::json(200, &Shown::of(environment, Some(&described)))
}
