use super::conclude::rolled_back;
use super::look::held;
use super::probed::{go_back, probe_problem, still_serves};
use super::turn::Turn;
use super::{Deployment, Line};
use crate::access::Access;
use crate::audit::{Client, Outcome, Reason, Verb};
use crate::code::Code;
use crate::engine::{Engine, Outside};
use crate::problem::Problem;
use crate::sql::Sql;
use crate::store::locks::{self, Place};
use crate::store::{deployments, owed_probes, workers};
use crate::target::Target;

/// After how many seconds it is worth asking again while a probe is owed that cannot be made.
pub(super) const PROBE_AGAIN_AFTER: u32 = 30;

/// What became of the probe that a Worker's deployment was owed.
pub(crate) enum Owed {
    /// None is owed any more, and nothing is wrong.
    Nothing,
    /// It was made and failed; what was done about it is on record.
    Failed(Problem),
    /// It is owed still: the upstream cannot be asked what serves.
    Still,
}

/// Makes the probe of a deployment that went up shortly before the process ended, with the same consequences as if it
/// had not ended: what fails is rolled back, in the name of whoever deployed it. The caller has the Worker's line, and
/// has closed its intents.
///
/// # Errors
/// `RECORD_UNAVAILABLE`.
pub(crate) async fn make<S: Sql, O: Outside>(
    engine: &Engine<'_, S, O>,
    target: &Target,
    line: &Line,
) -> Result<Owed, Problem> {
    let sql = engine.access.sql;
    let Some(id) = owed_probes::of_worker(sql, target)? else {
        return Ok(Owed::Nothing);
    };
    let Some(deployment) = deployments::get(sql, &id)? else {
        owed_probes::made(sql, target)?;
        return Ok(Owed::Nothing);
    };
    let (caller, allowed) = engine.access.began(deployment.intent)?;
    // Nobody's request is at work here, whoever it was that came upon it.
    let client = Client {
        address: None,
        request_id: engine.access.client.request_id.clone(),
    };
    let engine = &Engine {
        access: Access {
            sql,
            policies: engine.access.policies,
            bootstrap: engine.access.bootstrap,
            client: &client,
            now: engine.access.now,
        },
        outside: engine.outside,
        lines: engine.lines,
        settle_after: engine.settle_after,
    };
    let turn = Turn {
        caller: &caller,
        allowed,
        target,
        verb: deployment.verb,
        line: line.clone(),
    };
    let serving = workers::get(sql, target)?.and_then(|worker| worker.deployment);
    if serving.as_ref() != Some(&id) {
        let back = match &serving {
            Some(serving) => deployments::get(sql, serving)?,
            None => None,
        };
        if back.is_some_and(|back| back.verb == Verb::Rollback && back.previous.as_ref() == Some(&id)) {
            return rolled_back_already(engine, &turn, &deployment).map(Owed::Failed);
        }
        return superseded(engine, &turn, &deployment);
    }
    let Ok(there) = held(engine.outside, target).await else {
        return Ok(Owed::Still);
    };
    if there.and_then(|held| held.deployment).as_ref() != Some(&id) {
        return superseded(engine, &turn, &deployment);
    }
    let Some(problem) = probe_problem(engine, target).await? else {
        let mut entry = turn.entry(engine, Outcome::Succeeded);
        entry.verb = Verb::Verify;
        entry.deployment = Some(id.to_string());
        sql.transaction(|| {
            engine.access.record(&entry)?;
            owed_probes::made(sql, target).map_err(Problem::from)
        })?;
        return Ok(Owed::Nothing);
    };
    let locked = locks::holding(sql, Place::worker(target), engine.outside.now())?.is_some();
    let told = if locked {
        let problem = problem.note("It still serves: the Worker was locked before its probe was made.");
        still_serves(engine, &turn, &deployment, problem)?
    } else {
        go_back(engine, &turn, &deployment, problem).await?
    };
    // A rollback whose answer was lost leaves it owed.
    Ok(match owed_probes::of_worker(sql, target)? {
        Some(_) => Owed::Still,
        None => Owed::Failed(told),
    })
}

/// The process ended after the rollback went up and before that was on record of the deployment.
fn rolled_back_already<S: Sql, O: Outside>(
    engine: &Engine<'_, S, O>,
    turn: &Turn<'_>,
    deployment: &Deployment,
) -> Result<Problem, Problem> {
    let problem = Problem::new(
        Code::ProbeFailed,
        format!(
            "Deployment {} went up, failed its probe and was rolled back.",
            deployment.id
        ),
        "Correct the Worker, or its probe (`…/probe` of this API), and deploy again.",
    );
    let mut entry = turn.entry(engine, Outcome::RolledBack);
    entry.verb = Verb::Verify;
    rolled_back(engine, deployment, entry, &problem)?;
    Ok(problem)
}

/// Something else serves by now, past this API: the probe would tell nothing of the deployment, and a rollback would
/// undo what somebody meant.
fn superseded<S: Sql, O: Outside>(
    engine: &Engine<'_, S, O>,
    turn: &Turn<'_>,
    deployment: &Deployment,
) -> Result<Owed, Problem> {
    let sql = engine.access.sql;
    let mut entry = turn.entry(engine, Outcome::Failed);
    entry.verb = Verb::Verify;
    entry.deployment = Some(deployment.id.to_string());
    entry.reason =
        Some(Reason::code(Code::ProbeFailed).because("something else served by the time of its probe"));
    sql.transaction(|| {
        engine.access.record(&entry)?;
        owed_probes::made(sql, turn.target).map_err(Problem::from)
    })?;
    Ok(Owed::Nothing)
}
