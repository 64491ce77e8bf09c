use super::Line;
use super::settle::settle;
use crate::access::Allowed;
use crate::audit::{Entry, Outcome, Reason, Verb};
use crate::code::Code;
use crate::engine::{Engine, Outside};
use crate::identity::Caller;
use crate::policy::{Action, Request};
use crate::problem::Problem;
use crate::sql::Sql;
use crate::store::locks::{self, Lock, Place};
use crate::target::Target;

/// A caller's turn to change a Worker: the policy allows it, and every earlier change of the Worker is done.
pub(crate) struct Turn<'a> {
    pub caller: &'a Caller,
    pub allowed: Allowed,
    pub target: &'a Target,
    pub verb: Verb,
    pub line: Line,
}

/// The beginning of an entry about what a caller may do, at the present time.
pub(super) fn entry_by<S: Sql, O: Outside>(
    engine: &Engine<'_, S, O>,
    caller: &Caller,
    allowed: &Allowed,
    target: &Target,
    verb: Verb,
    outcome: Outcome,
) -> Entry {
    let mut entry = engine
        .access
        .entry(verb, outcome)
        .about(target)
        .by(caller)
        .under(Some(&allowed.rule), allowed.policy_version);
    entry.time = engine.outside.now();
    entry
}

impl<'a> Turn<'a> {
    /// Waits for the turn of a caller whom the policy has allowed.
    pub async fn wait<S: Sql, O: Outside>(
        engine: &Engine<'_, S, O>,
        caller: &'a Caller,
        allowed: Allowed,
        target: &'a Target,
        verb: Verb,
    ) -> Self {
        Self {
            caller,
            allowed,
            target,
            verb,
            line: engine.lines.wait(target).await,
        }
    }

    /// Asks the policy, waits, and makes sure that the Worker may be changed now.
    ///
    /// # Errors
    /// `PERMISSION_DENIED`, and those of [`begin`](Self::begin).
    pub async fn take<S: Sql, O: Outside>(
        engine: &Engine<'_, S, O>,
        caller: &'a Caller,
        target: &'a Target,
        action: Action,
        verb: Verb,
    ) -> Result<Self, Problem> {
        let request = Request::worker(action, target.clone());
        let allowed = engine.access.authorize(caller, &request, verb)?;
        let turn = Self::wait(engine, caller, allowed, target, verb).await;
        turn.begin(engine, None).await?;
        Ok(turn)
    }

    /// Makes sure that nobody locked the Worker, that no earlier change of it is unsettled, but for the one whose intent
    /// is `resumed`, and that no probe of what serves is still to be made.
    ///
    /// # Errors
    /// `WORKER_LOCKED`, `DEPLOYMENT_UNSETTLED`, `RECORD_UNAVAILABLE`.
    pub async fn begin<S: Sql, O: Outside>(
        &self,
        engine: &Engine<'_, S, O>,
        resumed: Option<u64>,
    ) -> Result<(), Problem> {
        let place = Place::worker(self.target);
        if let Some(lock) = locks::holding(engine.access.sql, place, engine.outside.now())? {
            return Err(self.refuse(engine, locked(self.target, &lock)));
        }
        if let Err(problem) = settle(engine, self.target, resumed, &self.line).await {
            return Err(self.refuse(engine, problem));
        }
        Ok(())
    }

    /// The beginning of an entry about this turn, at the present time.
    pub fn entry<S: Sql, O: Outside>(&self, engine: &Engine<'_, S, O>, outcome: Outcome) -> Entry {
        entry_by(
            engine,
            self.caller,
            &self.allowed,
            self.target,
            self.verb,
            outcome,
        )
    }

    /// Puts on record why nothing was begun, and gives what the caller is told.
    pub fn refuse<S: Sql, O: Outside>(&self, engine: &Engine<'_, S, O>, problem: Problem) -> Problem {
        self.refuse_because(engine, problem, None)
    }

    /// The same, about a binding.
    pub fn refuse_because<S: Sql, O: Outside>(
        &self,
        engine: &Engine<'_, S, O>,
        problem: Problem,
        binding: Option<String>,
    ) -> Problem {
        if problem.code == Code::RecordUnavailable {
            return problem;
        }
        let outcome = if problem.code.status() < 500 {
            Outcome::Denied
        } else {
            Outcome::Failed
        };
        let mut reason = reason(&problem);
        if let Some(binding) = binding {
            reason = reason.about_binding(binding);
        }
        let entry = self.entry(engine, outcome).because(reason);
        match engine.access.record(&entry) {
            Ok(_) => problem,
            Err(unrecorded) => unrecorded,
        }
    }
}

/// What goes on record of a problem: codes, and no text.
pub(crate) fn reason(problem: &Problem) -> Reason {
    let reason = Reason::code(problem.code);
    match &problem.upstream {
        Some(error) => reason.upstream(error.code),
        None => reason,
    }
}

fn locked(target: &Target, lock: &Lock) -> Problem {
    let what = match &lock.worker {
        Some(_) => target.to_string(),
        None => format!("The namespace {}", target.namespace()),
    };
    let until = match lock.until {
        Some(until) => format!("until {until:.0}"),
        None => "until it is unlocked".to_owned(),
    };
    Problem::new(
        Code::WorkerLocked,
        format!("{what} is locked by {} {until}: \"{}\".", lock.by, lock.why),
        format!(
            "Wait, or have it unlocked: DELETE /v1/namespaces/{}{}/lock.",
            lock.namespace,
            lock.worker
                .as_ref()
                .map(|worker| format!("/workers/{worker}"))
                .unwrap_or_default()
        ),
    )
}
