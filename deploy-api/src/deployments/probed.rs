use super::again::again;
use super::conclude::rolled_back;
use super::ship::ship;
use super::turn::{Turn, reason};
use super::{Deployment, Probe, probing};
use crate::audit::{Outcome, Verb};
use crate::code::Code;
use crate::engine::{Engine, Outside};
use crate::problem::Problem;
use crate::sql::Sql;
use crate::store::{audit_log, deployments, owed_probes, workers};
use crate::target::Target;

/// Probes a deployment that went up, if the Worker has a probe, and puts the one before it back when that fails.
///
/// # Errors
/// `PROBE_FAILED`, which says what was done.
pub(crate) async fn probed<S: Sql, O: Outside>(
    engine: &Engine<'_, S, O>,
    turn: &Turn<'_>,
    deployment: Deployment,
) -> Result<Deployment, Problem> {
    if let Some(problem) = probe_problem(engine, turn.target).await? {
        return Err(go_back(engine, turn, &deployment, problem).await?);
    }
    owed_probes::made(engine.access.sql, turn.target)?;
    Ok(deployment)
}

/// Makes a Worker's probe: what is wrong, or nothing when it passed or the Worker has none.
///
/// # Errors
/// `RECORD_UNAVAILABLE`.
pub(super) async fn probe_problem<S: Sql, O: Outside>(
    engine: &Engine<'_, S, O>,
    target: &Target,
) -> Result<Option<Problem>, Problem> {
    let worker = workers::get(engine.access.sql, target)?.unwrap_or_default();
    let Some(probe) = worker.probe else {
        return Ok(None);
    };
    let probed = probing::probe(engine.outside, target, &probe).await;
    Ok((!probed.passed).then(|| probe_failed(target, &probe, &probed.found)))
}

/// Puts back what served before a deployment whose probe failed, and gives what the caller is told.
///
/// # Errors
/// `RECORD_UNAVAILABLE`; the probe is owed then, and made again.
pub(super) async fn go_back<S: Sql, O: Outside>(
    engine: &Engine<'_, S, O>,
    turn: &Turn<'_>,
    deployment: &Deployment,
    problem: Problem,
) -> Result<Problem, Problem> {
    let previous = match &deployment.previous {
        Some(id) => deployments::get(engine.access.sql, id)?,
        None => None,
    };
    let Some(previous) = previous else {
        let problem = problem.note("It still serves: there is no deployment before it to go back to.");
        return still_serves(engine, turn, deployment, problem);
    };
    let back = match again(engine, turn.target, &previous, Verb::Rollback, &[]).await {
        Ok(shipment) => ship(engine, turn, shipment, None).await,
        Err(problem) => Err(turn.refuse(engine, problem)),
    };
    match back {
        Ok(back) => {
            let mut entry = turn.entry(engine, Outcome::RolledBack);
            entry.verb = Verb::Verify;
            rolled_back(engine, deployment, entry, &problem)?;
            Ok(problem.note(format!(
                "Deployment {} was rolled back: {} serves what {} did.",
                deployment.id, back.id, previous.id
            )))
        }
        Err(failure) => {
            let problem = problem.note(format!(
                "Deployment {} could not be rolled back and may still serve: {} {}",
                deployment.id, failure.detail, failure.fix
            ));
            // Of a rollback whose answer was lost nobody knows yet; once its intent is closed, the probe tells.
            if audit_log::open_changes_of(engine.access.sql, turn.target)?.is_empty() {
                return still_serves(engine, turn, deployment, problem);
            }
            Ok(problem)
        }
    }
}

/// Puts on record that a deployment serves although its probe failed.
///
/// # Errors
/// `RECORD_UNAVAILABLE`; the probe is owed then, and made again.
pub(super) fn still_serves<S: Sql, O: Outside>(
    engine: &Engine<'_, S, O>,
    turn: &Turn<'_>,
    deployment: &Deployment,
    problem: Problem,
) -> Result<Problem, Problem> {
    let mut entry = turn.entry(engine, Outcome::Failed);
    entry.verb = Verb::Verify;
    entry.deployment = Some(deployment.id.to_string());
    entry.reason = Some(reason(&problem));
    let sql = engine.access.sql;
    sql.transaction(|| {
        engine.access.record(&entry)?;
        owed_probes::made(sql, turn.target).map_err(Problem::from)
    })?;
    Ok(problem)
}

fn probe_failed(target: &Target, probe: &Probe, found: &str) -> Problem {
    Problem::new(
        Code::ProbeFailed,
        format!(
            "The deployment went up, but GET https://{}{} gave {found} where {} was expected.",
            probing::host(target),
            probe.path,
            probe.expect
        ),
        "Correct the Worker, or its probe (`…/probe` of this API), and deploy again.",
    )
}
