use serde_json::Value;

use super::turn::reason;
use super::{Deployment, Failure, State};
use crate::audit::{Entry, Outcome, Verb};
use crate::engine::{Engine, Outside};
use crate::lint;
use crate::problem::Problem;
use crate::sql::Sql;
use crate::store::{deployments, migrations, owed_probes, workers};

/// Puts on record that the upstream took a deployment, which serves from now on, and that its probe is owed where the
/// Worker has one. `result` is what the upstream said of
/// it, or null.
///
/// # Errors
/// `RECORD_UNAVAILABLE`; nothing of it is on record then, and the intent stays open.
pub(super) fn succeeded<S: Sql, O: Outside>(
    engine: &Engine<'_, S, O>,
    mut deployment: Deployment,
    mut entry: Entry,
    result: &Value,
) -> Result<Deployment, Problem> {
    let sql = engine.access.sql;
    entry.outcome = Outcome::Succeeded;
    deployment.state = State::Succeeded;
    deployment.finished = Some(entry.time);
    deployment.etag = result.get("etag").and_then(Value::as_str).map(str::to_owned);
    deployment.startup_time_ms = result.get("startup_time_ms").and_then(Value::as_u64);
    let handlers = result.get("handlers").and_then(Value::as_array);
    deployment.warnings.extend(lint::idle_handlers(
        handlers.into_iter().flatten().filter_map(Value::as_str),
    ));
    sql.transaction(|| {
        engine.access.record(&entry)?;
        deployment.revision = Some(workers::changed(sql, &deployment.target)?);
        workers::serves(sql, &deployment.target, Some(&deployment.id))?;
        workers::set_tags(sql, &deployment.target, &deployment.tags)?;
        if let Some(carried_out) = &deployment.migrations {
            migrations::keep(sql, &deployment.target, carried_out)?;
        }
        deployments::finish(sql, &deployment)?;
        // A rollback is not probed: it is what a failed probe leads to.
        let is_probed = deployment.verb != Verb::Rollback
            && workers::get(sql, &deployment.target)?.is_some_and(|worker| worker.probe.is_some());
        if is_probed {
            owed_probes::owe(sql, &deployment.target, &deployment.id)?;
        }
        Ok::<(), Problem>(())
    })?;
    Ok(deployment)
}

/// Puts on record that the upstream did not take a deployment.
///
/// # Errors
/// `RECORD_UNAVAILABLE`; nothing of it is on record then, and the intent stays open.
pub(super) fn failed<S: Sql, O: Outside>(
    engine: &Engine<'_, S, O>,
    mut deployment: Deployment,
    mut entry: Entry,
    problem: &Problem,
) -> Result<(), Problem> {
    let sql = engine.access.sql;
    entry.outcome = Outcome::Failed;
    entry.reason = Some(reason(problem));
    deployment.state = State::Failed;
    deployment.finished = Some(entry.time);
    deployment.failure = Some(Failure::of(problem));
    sql.transaction(|| {
        engine.access.record(&entry)?;
        deployments::finish(sql, &deployment)?;
        Ok::<(), Problem>(())
    })
}

/// Puts on record that a deployment was taken back, because its probe failed.
///
/// # Errors
/// `RECORD_UNAVAILABLE`; nothing of it is on record then.
pub(super) fn rolled_back<S: Sql, O: Outside>(
    engine: &Engine<'_, S, O>,
    deployment: &Deployment,
    mut entry: Entry,
    problem: &Problem,
) -> Result<(), Problem> {
    let sql = engine.access.sql;
    let mut deployment = deployment.clone();
    entry.outcome = Outcome::RolledBack;
    entry.deployment = Some(deployment.id.to_string());
    entry.reason = Some(reason(problem));
    deployment.state = State::RolledBack;
    deployment.failure = Some(Failure::of(problem));
    sql.transaction(|| {
        engine.access.record(&entry)?;
        owed_probes::made(sql, &deployment.target)?;
        deployments::finish(sql, &deployment)?;
        Ok::<(), Problem>(())
    })
}

impl Failure {
    fn of(problem: &Problem) -> Self {
        Self {
            code: problem.code.name().to_owned(),
            upstream_code: problem.upstream.as_ref().map(|error| error.code),
        }
    }
}
