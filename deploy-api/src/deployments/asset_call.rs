use serde_json::Value;

use super::turn::{entry_by, reason};
use crate::access::Allowed;
use crate::audit::{Entry, Outcome, SubjectRecord, Verb};
use crate::code::Code;
use crate::engine::{Engine, Outside};
use crate::identity::Caller;
use crate::problem::Problem;
use crate::sql::Sql;
use crate::target::Target;
use crate::upstream::{UpstreamRequest, call};

/// A call about static assets, by a caller whom the policy allows to deploy. It holds no place in the Worker's line:
/// wrangler makes several at once, and nothing of what serves changes by them.
pub(crate) struct AssetCall<'a> {
    pub caller: &'a Caller,
    pub allowed: &'a Allowed,
    pub target: &'a Target,
    pub verb: Verb,
}

impl AssetCall<'_> {
    fn entry<S: Sql, O: Outside>(&self, engine: &Engine<'_, S, O>, outcome: Outcome) -> Entry {
        entry_by(engine, self.caller, self.allowed, self.target, self.verb, outcome)
    }

    /// Puts on record why nothing was begun, and gives what the caller is told.
    pub fn refuse<S: Sql, O: Outside>(&self, engine: &Engine<'_, S, O>, problem: Problem) -> Problem {
        if problem.code == Code::RecordUnavailable {
            return problem;
        }
        concluded(engine, self.entry(engine, Outcome::Denied), problem)
    }

    /// Intent on record, then `keep`, which stores what is sent, then one call upstream, then the outcome on record
    /// together with what `read` makes of the answer and of the intent's sequence number.
    ///
    /// # Errors
    /// The failure, which is on record; `RECORD_UNAVAILABLE`.
    pub async fn make<S: Sql, O: Outside, T>(
        &self,
        engine: &Engine<'_, S, O>,
        subject: SubjectRecord,
        keep: impl Future<Output = Result<(), Problem>>,
        request: UpstreamRequest,
        read: impl FnOnce(Value, u64) -> Result<T, Problem>,
    ) -> Result<T, Problem> {
        let mut entry = self.entry(engine, Outcome::Intent);
        entry.subject = Some(subject);
        let intent = engine.access.record(&entry)?;
        let outcome = |outcome| Entry {
            intent: Some(intent),
            ..self.entry(engine, outcome)
        };
        if let Err(problem) = keep.await {
            return Err(concluded(engine, outcome(Outcome::Failed), problem));
        }
        let called = call(engine.outside, request).await;
        let entry = |result| Entry {
            upstream: Some(called.record.clone()),
            ..outcome(result)
        };
        let reply = match called.outcome {
            Ok(reply) => reply,
            Err(failure) => return Err(concluded(engine, entry(Outcome::Failed), failure.problem)),
        };
        let made = engine.access.sql.transaction(|| {
            let made = read(reply.result, intent)?;
            engine.access.record(&entry(Outcome::Succeeded))?;
            Ok::<T, Problem>(made)
        });
        made.map_err(|problem| match problem.code {
            Code::RecordUnavailable => problem,
            _ => concluded(engine, entry(Outcome::Failed), problem),
        })
    }
}

/// Puts on record that a problem ended the call, and gives what the caller is told.
fn concluded<S: Sql, O: Outside>(engine: &Engine<'_, S, O>, entry: Entry, problem: Problem) -> Problem {
    match engine.access.record(&entry.because(reason(&problem))) {
        Ok(_) => problem,
        Err(unrecorded) => unrecorded,
    }
}
