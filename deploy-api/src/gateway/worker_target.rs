use dotdo_names::{Environment, WorkerName};

use crate::code::Code;
use crate::engine::{Engine, Outside};
use crate::identity::Caller;
use crate::policy::{Action, Request};
use crate::problem::Problem;
use crate::sql::Sql;
use crate::store::recent_targets;
use crate::target::Target;

/// Which Worker a call means that names no namespace, within a deploy: the one in the only namespace where the caller
/// may do this; of several, the one that the same token spoke of just before, as wrangler does.
///
/// # Errors
/// `NAMESPACE_AMBIGUOUS`, which names them; `PERMISSION_DENIED` where there is none, explained for production.
pub(super) fn resolve<S: Sql, O: Outside>(
    engine: &Engine<'_, S, O>,
    caller: &Caller,
    worker: &WorkerName,
    action: Action,
) -> Result<Target, Problem> {
    let candidates = candidates(engine, caller, worker, action)?;
    if candidates.len() > 1
        && let Some(token) = &caller.token
        && let Some(recent) = recent_targets::of(engine.access.sql, token, worker, engine.access.now)?
        && let Some(target) = candidates.iter().find(|target| target.environment == recent)
    {
        return Ok(target.clone());
    }
    only(&candidates, worker)
}

/// The same for a call that stands alone: what the token spoke of before says nothing about what is meant now.
///
/// # Errors
/// Those of [`resolve`].
pub(super) fn resolve_alone<S: Sql, O: Outside>(
    engine: &Engine<'_, S, O>,
    caller: &Caller,
    worker: &WorkerName,
    action: Action,
) -> Result<Target, Problem> {
    only(&candidates(engine, caller, worker, action)?, worker)
}

fn candidates<S: Sql, O: Outside>(
    engine: &Engine<'_, S, O>,
    caller: &Caller,
    worker: &WorkerName,
    action: Action,
) -> Result<Vec<Target>, Problem> {
    let mut candidates = Vec::new();
    for environment in Environment::ALL {
        let target = Target {
            environment,
            worker: worker.clone(),
        };
        if engine
            .access
            .may(caller, &Request::worker(action, target.clone()))?
        {
            candidates.push(target);
        }
    }
    Ok(candidates)
}

fn only(candidates: &[Target], worker: &WorkerName) -> Result<Target, Problem> {
    match candidates {
        [only] => Ok(only.clone()),
        [] => Ok(Target {
            environment: Environment::Production,
            worker: worker.clone(),
        }),
        several => {
            let names: Vec<_> = several.iter().map(Target::namespace).collect();
            Err(Problem::new(
                Code::NamespaceAmbiguous,
                format!(
                    "This call of wrangler names no namespace, and you may make it for {worker} in {}.",
                    names.join(" and in ")
                ),
                format!(
                    "Use a token for one namespace, or call this API itself: \
                     /v1/namespaces/{{namespace}}/workers/{worker}/secrets.",
                ),
            ))
        }
    }
}
