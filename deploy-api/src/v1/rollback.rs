//! `…/workers/{worker}/rollback`: an earlier deployment's very bytes again.

use serde::Deserialize;

use super::deployments::shipped;
use super::{Answer, body};
use crate::audit::Verb;
use crate::deployments::{Turn, again, named, previous, ship};
use crate::engine::{Engine, Outside};
use crate::identity::Caller;
use crate::policy::Action;
use crate::problem::Problem;
use crate::sql::Sql;
use crate::target::Target;

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct RollbackRequest {
    #[serde(default)]
    deployment: Option<String>,
}

/// `POST …/rollback`: ships the deployment before the one that serves, or the one of the body's `deployment`, again.
/// The body is `{"deployment": "…"}`, `{}` or empty. The answer is the new deployment. A rollback is not probed: it is
/// what a failed probe leads to.
///
/// # Errors
/// `PERMISSION_DENIED`, `BODY_INVALID`, `WORKER_LOCKED`, `DEPLOYMENT_UNKNOWN`, `ROLLBACK_IMPOSSIBLE`, `BUNDLE_MISSING`,
/// `MIGRATION_UNKNOWN`, `SECRETS_MISSING`, `DEPLOYMENT_UNSETTLED`, `UPSTREAM_…`, `BUNDLE_STORE_UNAVAILABLE`,
/// `RECORD_UNAVAILABLE`.
pub async fn rollback<S: Sql, O: Outside>(
    engine: &Engine<'_, S, O>,
    caller: &Caller,
    target: &Target,
    body: &[u8],
) -> Result<Answer, Problem> {
    let request: RollbackRequest = if body.is_empty() {
        RollbackRequest::default()
    } else {
        body::read(
            body,
            "{\"deployment\": \"the id of a deployment\"}, {} or nothing",
        )?
    };
    let turn = Turn::take(engine, caller, target, Action::Rollback, Verb::Rollback).await?;
    let sql = engine.access.sql;
    let source = match &request.deployment {
        Some(id) => named(sql, target, id),
        None => previous(sql, target),
    };
    let shipment = match source {
        Ok(source) => again(engine, target, &source, Verb::Rollback, &[]).await,
        Err(problem) => Err(problem),
    }
    .map_err(|problem| turn.refuse(engine, problem))?;
    shipped(&ship(engine, &turn, shipment, None).await?)
}
