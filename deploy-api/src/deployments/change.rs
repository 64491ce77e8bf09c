use serde_json::Value;

use super::turn::{Turn, reason};
use crate::audit::{Outcome, SubjectRecord};
use crate::code::Code;
use crate::engine::{Engine, Outside};
use crate::problem::Problem;
use crate::sql::Sql;
use crate::store::workers;
use crate::target::Target;
use crate::upstream::{Effect, UpstreamRequest, call};

/// What a change that is no upload leaves behind in the database.
pub(crate) enum Trace {
    /// Nothing but the count of changes.
    None,
    /// The Worker is gone.
    Deleted,
    /// The Worker has these tags.
    Tags(Vec<String>),
}

/// Changes a Worker otherwise than by an upload: intent on record, one call upstream, outcome on record.
///
/// # Errors
/// The failure, which is on record: `WORKER_UNKNOWN` and `SECRET_UNKNOWN` where the upstream has none, else `UPSTREAM_…`.
pub(crate) async fn change<S: Sql, O: Outside>(
    engine: &Engine<'_, S, O>,
    turn: &Turn<'_>,
    subject: Option<SubjectRecord>,
    request: UpstreamRequest,
    trace: Trace,
) -> Result<Value, Problem> {
    let sql = engine.access.sql;
    let mut entry = turn.entry(engine, Outcome::Intent);
    entry.subject.clone_from(&subject);
    let intent = engine.access.record(&entry)?;
    let called = call(engine.outside, request).await;
    let mut entry = turn.entry(engine, Outcome::Succeeded);
    entry.intent = Some(intent);
    entry.subject = subject;
    let status = called.record.status;
    entry.upstream = Some(called.record);
    match called.outcome {
        Ok(reply) => {
            sql.transaction(|| {
                engine.access.record(&entry)?;
                leave(sql, turn.target, &trace)
            })?;
            Ok(reply.result)
        }
        Err(failure) => {
            // A deletion can be asked about later; until then its intent stays open.
            if failure.effect == Effect::None || !matches!(trace, Trace::Deleted) {
                entry.outcome = Outcome::Failed;
                entry.reason = Some(reason(&failure.problem));
                engine.access.record(&entry)?;
            }
            Err(match &entry.subject {
                _ if failure.absent => worker_unknown(turn.target),
                Some(SubjectRecord::Secret { name }) if status == Some(404) => {
                    secret_unknown(turn.target, name)
                }
                _ => failure.problem,
            })
        }
    }
}

fn leave(sql: &impl Sql, target: &Target, trace: &Trace) -> Result<(), Problem> {
    workers::changed(sql, target)?;
    match trace {
        Trace::None => {}
        Trace::Deleted => {
            workers::serves(sql, target, None)?;
            workers::set_tags(sql, target, &[])?;
        }
        Trace::Tags(tags) => workers::set_tags(sql, target, tags)?,
    }
    Ok(())
}

/// There is no such Worker.
pub(crate) fn worker_unknown(target: &Target) -> Problem {
    Problem::new(
        Code::WorkerUnknown,
        format!("There is no Worker {target}."),
        format!(
            "Deploy it first: `wrangler deploy --dispatch-namespace {}`.",
            target.namespace()
        ),
    )
}

fn secret_unknown(target: &Target, name: &str) -> Problem {
    Problem::new(
        Code::SecretUnknown,
        format!("{target} has no secret {name}."),
        "GET …/secrets lists those that it has.",
    )
}
