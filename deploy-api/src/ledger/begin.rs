//! How a change begins: it waits for the lease of the Worker, and its intent is recorded.

use std::pin::pin;

use futures_util::future::{Either, select};
use jiff::{SignedDuration, Timestamp};

use super::actor::{Actor, entry_by};
use super::change::{Authority, Begin};
use super::health_check::DueHealthCheck;
use super::lease::Begun;
use super::platform_workers;
use super::{LEASE_WAIT, Ledger, Message};
use crate::access::Access;
use crate::attempt::AttemptId;
use crate::audit::Outcome;
use crate::code::Code;
use crate::deployments::{Deployment, State};
use crate::problem::Problem;
use crate::runtime::Runtime;
use crate::sql::{Sql, SqlError};
use crate::store::leases::{Lease, LeaseState};
use crate::store::locks::{self, Place};
use crate::store::{answers, deployments, drifts, health_checks, leases, workers};
use crate::target::Target;

/// The time within which the same upload by the same token is a retry and not a new deployment. wrangler tries three times, and
/// waits up to a minute in between.
const RETRY_WINDOW: SignedDuration = SignedDuration::from_mins(10);

/// The state of one try to begin.
enum Tried {
    Begun(Begun),
    /// Another change has the lease, or is earlier in the queue.
    Blocked,
}

impl<S: Sql, R: Runtime> Ledger<S, R> {
    pub(super) async fn begin(&self, begin: &Begin) -> Result<Begun, Problem> {
        // The rollback after a failed health check is part of the change that the queue waits for.
        let is_part_of_change = matches!(begin.authority, Authority::HealthCheck { .. });
        if is_part_of_change || !begin.change.is_exclusive() {
            return match self.try_to_begin(begin, true)? {
                Tried::Begun(outcome) => Ok(outcome),
                Tried::Blocked => Err(unsettled(&begin.target, 1)),
            };
        }
        let ticket = self.queue.join(&begin.target);
        if matches!(begin.authority, Authority::ExpiredPreview { .. }) {
            // The deletion does not wait, because a deploy that comes first renews the preview.
            return match self.try_to_begin(begin, ticket.is_first())? {
                Tried::Begun(outcome) => Ok(outcome),
                Tried::Blocked => Err(unsettled(&begin.target, 1)),
            };
        }
        let milliseconds = u32::try_from(LEASE_WAIT.as_millis()).unwrap_or(u32::MAX);
        let mut timeout = pin!(self.runtime.pause(milliseconds));
        loop {
            if let Tried::Begun(outcome) = self.try_to_begin(begin, ticket.is_first())? {
                return Ok(outcome);
            }
            if let Either::Right(_) = select(pin!(ticket.woken()), timeout.as_mut()).await {
                return Err(still_busy(&begin.target));
            }
        }
    }

    /// Checks and writes happen in one turn, so the result of each check is still valid when the intent is written.
    fn try_to_begin(&self, begin: &Begin, is_first: bool) -> Result<Tried, Problem> {
        if let Some(answer) = answers::answer(&self.sql, &begin.attempt, Begin::NAME)? {
            return answer.map(Tried::Begun);
        }
        let access = self.access(&begin.client);
        let actor = self.authorize_change(&access, begin)?;
        let refuse = |problem| refused(&access, &actor, begin, problem);
        if let Some(problem) = platform_workers::refusal(begin) {
            return Err(refuse(problem));
        }
        if is_first
            && self.blocking(begin, access.now)?.is_nothing()
            && let Some(outcome) = self.replay(&access, &actor, begin)?
        {
            return Ok(Tried::Begun(outcome));
        }
        if let Some(lock) = locks::holding(&self.sql, Place::worker(&begin.target), access.now)? {
            return Err(refuse(locks::locked(&begin.target, &lock)));
        }
        let mut resumed = None;
        if begin.change.is_exclusive() {
            match self.blocking(begin, access.now)? {
                Blocking::Nothing if is_first => {}
                Blocking::Resumable(lease, deployment) if is_first => resumed = Some((lease, deployment)),
                Blocking::Unknown(seconds) => return Err(refuse(unsettled(&begin.target, seconds))),
                _ => return Ok(Tried::Blocked),
            }
        }
        let outcome = self.sql.transaction(|| {
            let outcome = match resumed {
                Some((lease, deployment)) => self.resume(begin, *lease, *deployment, access.now),
                None => self.sql.transaction(|| self.write_intent(&access, &actor, begin)),
            };
            if let Ok(outcome) = &outcome {
                answers::store(&self.sql, &begin.attempt, Begin::NAME, &Ok(outcome), access.now)?;
            }
            Ok::<_, SqlError>(outcome)
        })?;
        match outcome {
            Ok(outcome) => Ok(Tried::Begun(outcome)),
            Err(problem) => Err(refuse(problem)),
        }
    }

    /// Answers a retry of the current deployment with that deployment, whose health check is made again if the Worker has one. A
    /// lock does not matter, because nothing is uploaded.
    fn replay(&self, access: &Access<'_, S>, actor: &Actor, begin: &Begin) -> Result<Option<Begun>, Problem> {
        let Some(upload) = begin.change.upload() else {
            return Ok(None);
        };
        let since = begin_of_window(access.now);
        let earlier = deployments::same_upload(&self.sql, &begin.target, &upload.fingerprint, since)?;
        let worker = workers::get(&self.sql, &begin.target)?.unwrap_or_default();
        let serves_unchanged = |found: &Deployment| {
            found.state == State::Succeeded
                && worker.deployment.as_ref() == Some(&found.id)
                && found.revision == Some(worker.revision)
        };
        let is_changed_outside = drifts::get(&self.sql, &begin.target)?.is_some();
        let Some(mut earlier) = earlier.filter(serves_unchanged).filter(|_| !is_changed_outside) else {
            return Ok(None);
        };
        let mut entry = entry_by(access, actor, begin, Outcome::Replayed);
        entry.deployment = Some(earlier.id.to_string());
        let outcome = self.sql.transaction(|| {
            access.record(&entry)?;
            let outcome = match self.plan_health_check(&mut earlier, &begin.attempt)? {
                Some(expected) => Begun::Check(Box::new(DueHealthCheck {
                    attempt: begin.attempt.clone(),
                    deployment: earlier,
                    expected,
                })),
                None => Begun::Replayed(Box::new(earlier)),
            };
            answers::store(&self.sql, &begin.attempt, Begin::NAME, &Ok(&outcome), access.now)?;
            Ok::<_, Problem>(outcome)
        })?;
        Ok(Some(outcome))
    }

    /// The reason why the change cannot begin now.
    fn blocking(&self, begin: &Begin, now: Timestamp) -> Result<Blocking, Problem> {
        if let Some(mut lease) = leases::of_worker(&self.sql, &begin.target)? {
            let same = self.same_upload(begin, &lease)?;
            if lease.state == LeaseState::Unknown {
                if let Some(deployment) = same {
                    return Ok(Blocking::Resumable(Box::new(lease), deployment));
                }
                lease.due = now;
                leases::update(&self.sql, &lease)?;
                let left = self.lease_ends(lease.renewed).duration_since(now).as_secs();
                return Ok(Blocking::Unknown(u32::try_from(left.clamp(1, 60)).unwrap_or(60)));
            }
            if same.is_some() {
                // The client has sent the upload again, so that the first attempt may have ended: the reconciler asks the
                // upstream at once.
                lease.due = lease.due.min(now);
                leases::update(&self.sql, &lease)?;
            }
            return Ok(Blocking::Held);
        }
        let check = health_checks::of_worker(&self.sql, &begin.target)?;
        let is_own = |attempt: &AttemptId| matches!(&begin.authority, Authority::HealthCheck { attempt: own } if own == attempt);
        Ok(match check {
            Some(check) if !is_own(&check.attempt) => Blocking::Held,
            _ => Blocking::Nothing,
        })
    }

    /// The deployment of a lease, if it is of the same upload.
    fn same_upload(&self, begin: &Begin, lease: &Lease) -> Result<Option<Box<Deployment>>, Problem> {
        let Some(upload) = begin.change.upload() else {
            return Ok(None);
        };
        let since = begin_of_window(self.runtime.now());
        let found = deployments::same_upload(&self.sql, &begin.target, &upload.fingerprint, since)?;
        Ok(found
            .filter(|found| found.intent == lease.intent && found.state == State::Pending)
            .map(Box::new))
    }
}

/// Records why a change did not begin, and returns the error for the caller.
fn refused<S: Sql>(access: &Access<'_, S>, actor: &Actor, begin: &Begin, problem: Problem) -> Problem {
    access.refuse(entry_by(access, actor, begin, Outcome::Denied), problem)
}

/// The reason why a change cannot begin.
enum Blocking {
    Nothing,
    /// Another attempt is in progress.
    Held,
    /// The outcome of an earlier change is not known yet. It is known after this number of seconds.
    Unknown(u32),
    /// An earlier attempt of the same upload gave up.
    Resumable(Box<Lease>, Box<Deployment>),
}

impl Blocking {
    const fn is_nothing(&self) -> bool {
        matches!(self, Self::Nothing)
    }
}

fn begin_of_window(now: Timestamp) -> Timestamp {
    now.saturating_sub(RETRY_WINDOW).unwrap_or(now)
}

/// The error while the outcome of an earlier change is not known.
fn unsettled(target: &Target, seconds: u32) -> Problem {
    Problem::new(
        Code::DeploymentUnsettled,
        format!("The answer to an earlier change of {target} was lost, and it may still be carried out."),
        format!("Try again in {seconds} seconds; by then the outcome is known."),
    )
    .retry_after(seconds)
}

fn still_busy(target: &Target) -> Problem {
    Problem::new(
        Code::DeploymentUnsettled,
        format!(
            "Other changes of {target} have been under way for {} seconds.",
            LEASE_WAIT.as_secs()
        ),
        "Try again in a moment: the same upload is not deployed twice.",
    )
    .retry_after(10)
}
