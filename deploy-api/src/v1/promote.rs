//! `…/workers/{worker}/promote`: the same bytes to another namespace.

use std::collections::BTreeMap;

use dotdo_names::Environment;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

use super::deployments::shipped;
use super::secrets::check_name;
use super::{Answer, body};
use crate::audit::Verb;
use crate::code::Code;
use crate::deployments::{Deployment, Turn, again, named, probed, ship};
use crate::engine::{Engine, Outside};
use crate::identity::Caller;
use crate::policy::{Action, Request};
use crate::problem::Problem;
use crate::sql::Sql;
use crate::store::{deployments, workers};
use crate::target::Target;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PromoteRequest {
    to: String,
    #[serde(default)]
    deployment: Option<String>,
    #[serde(default)]
    secrets: BTreeMap<String, SecretString>,
}

/// `POST …/promote`, `{"to": "dotdo-staging"}`: ships what serves here, or the body's `deployment`, to the Worker of the
/// same name in another namespace. Needs `promote` there and `read` here; with `secrets` (`{"NAME": "value"}`, for those
/// that the other namespace does not have yet) also `secrets` there. The answer is the new deployment, which is probed
/// where the Worker has a probe.
///
/// # Errors
/// Those of [`rollback`](super::rollback::rollback), and `PROBE_FAILED`.
pub async fn promote<S: Sql, O: Outside>(
    engine: &Engine<'_, S, O>,
    caller: &Caller,
    target: &Target,
    body: &[u8],
) -> Result<Answer, Problem> {
    let request: PromoteRequest = body::read_secret(
        body,
        "{\"to\": \"dotdo-staging\"}, and if need be \"deployment\" (an id) and \"secrets\" ({\"NAME\": \"value\"})",
    )?;
    let invalid = |detail: String| {
        Problem::new(
            Code::BodyInvalid,
            detail,
            "Write the namespace that the Worker goes to as \"to\".",
        )
    };
    let environment = Environment::from_namespace(&request.to)
        .ok_or_else(|| invalid("\"to\" is no namespace of the platform.".to_owned()))?;
    if environment == target.environment {
        return Err(invalid(format!(
            "\"to\" is {}, where it serves already.",
            target.namespace()
        )));
    }
    for name in request.secrets.keys() {
        check_name(name)?;
    }
    let access = &engine.access;
    access.authorize(
        caller,
        &Request::worker(Action::Read, target.clone()),
        Verb::Promote,
    )?;
    let to = Target {
        environment,
        worker: target.worker.clone(),
    };
    if !request.secrets.is_empty() {
        access.authorize(
            caller,
            &Request::worker(Action::Secrets, to.clone()),
            Verb::SecretPut,
        )?;
    }
    let turn = Turn::take(engine, caller, &to, Action::Promote, Verb::Promote).await?;
    let secrets: Vec<(String, String)> = request
        .secrets
        .iter()
        .map(|(name, text)| (name.clone(), text.expose_secret().to_owned()))
        .collect();
    let shipment = match source(access.sql, target, request.deployment.as_deref()) {
        Ok(source) => again(engine, &to, &source, Verb::Promote, &secrets).await,
        Err(problem) => Err(problem),
    }
    .map_err(|problem| turn.refuse(engine, problem))?;
    let deployment = ship(engine, &turn, shipment, None).await?;
    shipped(&probed(engine, &turn, deployment).await?)
}

fn source(sql: &impl Sql, target: &Target, id: Option<&str>) -> Result<Deployment, Problem> {
    if let Some(id) = id {
        return named(sql, target, id);
    }
    let serving = workers::get(sql, target)?.and_then(|worker| worker.deployment);
    let serving = match serving {
        Some(id) => deployments::get(sql, &id)?,
        None => None,
    };
    serving.ok_or_else(|| {
        Problem::new(
            Code::DeploymentUnknown,
            format!("No deployment of {target} serves that went through this API."),
            "Deploy it there first, or name a deployment.",
        )
    })
}
