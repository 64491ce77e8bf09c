//! The health check of a deployment: when it is due, which answer is expected, and how its result is recorded.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::{Ledger, Message};
use crate::access::Access;
use crate::attempt::AttemptId;
use crate::audit::{Action, Client, Entry, Outcome, Reason};
use crate::code::Code;
use crate::deployments::{
    Deployment, DeploymentHealth, DeploymentId, Failure, HealthCheckRequest, HealthResult, Proof, State,
};
use crate::problem::Problem;
use crate::runtime::Runtime;
use crate::sql::{Sql, SqlError};
use crate::store::health_checks::PendingHealthCheck;
use crate::store::{answers, deployments, health_checks, workers};
use crate::target::Target;

/// The time without a renewal after which the reconciler makes a health check: a request takes at most ten seconds, and the
/// pause before the next one at most eight.
const RENEWED_WITHIN: SignedDuration = SignedDuration::from_secs(30);

/// The answer that a deployment must give to its health check.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExpectedAnswer {
    /// The path of the request.
    pub path: String,
    /// The HTTP status of the answer.
    pub expect: u16,
    /// What the answer must contain, with the values of the deployment.
    #[serde(default)]
    pub proof: Option<Proof>,
    /// Why such an answer does not prove that the deployment gave it; `None` if it does.
    #[serde(default)]
    pub unproven: Option<String>,
}

/// A health check that an attempt has to make now.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct DueHealthCheck {
    /// The attempt that makes it.
    pub attempt: AttemptId,
    /// The deployment.
    pub deployment: Deployment,
    /// The expected answer.
    pub expected: ExpectedAnswer,
}

/// Records the result of a health check, and lets other changes of the Worker begin.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct FinishHealthCheck {
    /// The attempt that made it.
    pub attempt: AttemptId,
    /// Where the request came from.
    pub client: Client,
    /// The Worker.
    pub target: Target,
    /// The deployment that was checked.
    pub deployment: DeploymentId,
    /// The result.
    pub result: HealthCheckResult,
}

impl Message for FinishHealthCheck {
    const NAME: &'static str = "finish-health-check";
    type Answer = HealthCheckFinished;
}

/// The result of a health check.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HealthCheckResult {
    /// The Worker answered as expected, with this proof.
    Passed {
        /// What the answer contained.
        proof: Proof,
    },
    /// The Worker answered as expected, and another version may have given the answer.
    Unproven {
        /// What the answer contained, if something was expected.
        proof: Option<Proof>,
        /// Why it proves nothing.
        why: String,
    },
    /// It did not, and the deployment is still current.
    Failed {
        /// The failure.
        problem: Box<Problem>,
        /// The difference between the answer and the expected one, without texts of the Worker.
        found: String,
    },
    /// It did not, and the deployment before it was redeployed.
    RolledBack {
        /// The failure.
        problem: Box<Problem>,
        /// The difference between the answer and the expected one, without texts of the Worker.
        found: String,
    },
    /// Another deployment is current now, so the check is not about the deployment.
    Superseded,
    /// The health check of the Worker was removed before it was made.
    Removed,
}

/// The answer to [`FinishHealthCheck`].
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct HealthCheckFinished {
    /// The recorded health; `None` if the check was not pending any more.
    pub health: Option<DeploymentHealth>,
    /// The check of the redeployed deployment, after [`HealthCheckResult::RolledBack`].
    pub next: Option<Box<DueHealthCheck>>,
}

impl<S: Sql, R: Runtime> Ledger<S, R> {
    /// Stores that a deployment waits for its health check, which `attempt` makes. Returns `None` if the Worker has none.
    pub(super) fn plan_health_check(
        &self,
        deployment: &mut Deployment,
        attempt: &AttemptId,
    ) -> Result<Option<ExpectedAnswer>, SqlError> {
        let sql = &self.sql;
        let worker = workers::get(sql, &deployment.target)?.unwrap_or_default();
        let Some(request) = worker.health_check else {
            return Ok(None);
        };
        health_checks::put(
            sql,
            &PendingHealthCheck {
                target: deployment.target.clone(),
                deployment: deployment.id.clone(),
                attempt: attempt.clone(),
                due: health_check_due(self.runtime.now()),
            },
        )?;
        deployment.health = DeploymentHealth::pending();
        deployments::set_health(sql, &deployment.id, &deployment.health)?;
        self.expected_answer(&request, deployment).map(Some)
    }

    /// The answer that a deployment must give.
    pub(super) fn expected_answer(
        &self,
        request: &HealthCheckRequest,
        deployment: &Deployment,
    ) -> Result<ExpectedAnswer, SqlError> {
        let (proof, unproven) = match &request.proof {
            None => (None, Some("the health check has no proof".to_owned())),
            Some(proof) => match proof.resolve(&deployment.annotations) {
                Ok(resolved) => {
                    let is_same = self.is_proof_of_previous(proof, &resolved, deployment)?;
                    let why = "the deployment before it gives the same answer";
                    (Some(resolved), is_same.then(|| why.to_owned()))
                }
                Err(unresolved) => (None, Some(unresolved.to_string())),
            },
        };
        Ok(ExpectedAnswer {
            path: request.path.clone(),
            expect: request.expect,
            proof,
            unproven,
        })
    }

    /// Whether the deployment before has the same proof, so that its answers cannot be distinguished.
    fn is_proof_of_previous(
        &self,
        proof: &Proof,
        resolved: &Proof,
        deployment: &Deployment,
    ) -> Result<bool, SqlError> {
        let previous = match &deployment.previous {
            Some(id) => deployments::get(&self.sql, id)?,
            None => None,
        };
        Ok(previous.is_some_and(|previous| {
            previous.health.proof.as_ref() == Some(resolved)
                || (proof.has_placeholder() && proof.resolve(&previous.annotations).as_ref() == Ok(resolved))
        }))
    }

    pub(super) fn finish_health_check(
        &self,
        message: &FinishHealthCheck,
    ) -> Result<HealthCheckFinished, Problem> {
        let access = self.access(&message.client);
        let finished = answers::once(
            &self.sql,
            &message.attempt,
            FinishHealthCheck::NAME,
            access.now,
            || self.record_health_check(&access, message),
        );
        self.queue.wake_first(&message.target);
        finished
    }

    fn record_health_check(
        &self,
        access: &Access<'_, S>,
        message: &FinishHealthCheck,
    ) -> Result<HealthCheckFinished, Problem> {
        let sql = &self.sql;
        let pending = health_checks::of_worker(sql, &message.target)?;
        if pending.is_none_or(|pending| pending.deployment != message.deployment) {
            return Ok(HealthCheckFinished::default());
        }
        let Some(mut deployment) = deployments::get(sql, &message.deployment)? else {
            health_checks::delete(sql, &message.target)?;
            return Ok(HealthCheckFinished::default());
        };
        deployment.health = health_of(&message.result, access.now);
        if let HealthCheckResult::RolledBack { problem, .. } = &message.result {
            deployment.state = State::RolledBack;
            deployment.failure = Some(Failure::of(problem));
        }
        let entry = entry_of(access, &message.result, &deployment)?;
        let next = sql.transaction(|| {
            access.record(&entry)?;
            health_checks::delete(sql, &message.target)?;
            deployments::finish(sql, &deployment)?;
            deployments::set_health(sql, &deployment.id, &deployment.health)?;
            match &message.result {
                HealthCheckResult::RolledBack { .. } => self.check_of_rollback(&deployment),
                _ => Ok::<_, Problem>(None),
            }
        })?;
        Ok(HealthCheckFinished {
            health: Some(deployment.health),
            next,
        })
    }

    /// Plans the health check of the deployment that replaced one whose health check failed.
    fn check_of_rollback(&self, undone: &Deployment) -> Result<Option<Box<DueHealthCheck>>, Problem> {
        let worker = workers::get(&self.sql, &undone.target)?;
        let serving = workers::current_deployment(&self.sql, worker.as_ref())?;
        let Some(mut back) = serving
            .filter(|serving| serving.action == Action::Rollback)
            .filter(|serving| serving.previous.as_ref() == Some(&undone.id))
        else {
            return Ok(None);
        };
        let attempt = AttemptId::new(self.runtime.now(), self.runtime.entropy());
        let expected = self.plan_health_check(&mut back, &attempt)?;
        Ok(expected.map(|expected| {
            Box::new(DueHealthCheck {
                attempt,
                deployment: back,
                expected,
            })
        }))
    }
}

fn health_of(result: &HealthCheckResult, now: Timestamp) -> DeploymentHealth {
    let health = |result, detail: Option<&str>, proof: Option<&Proof>| DeploymentHealth {
        result,
        time: Some(now),
        detail: detail.map(str::to_owned),
        proof: proof.cloned(),
    };
    match result {
        HealthCheckResult::Passed { proof } => health(HealthResult::Passed, None, Some(proof)),
        HealthCheckResult::Unproven { proof, why } => {
            health(HealthResult::Unproven, Some(why), proof.as_ref())
        }
        HealthCheckResult::Failed { found, .. } | HealthCheckResult::RolledBack { found, .. } => {
            health(HealthResult::Failed, Some(found), None)
        }
        HealthCheckResult::Superseded => health(HealthResult::None, Some(SUPERSEDED), None),
        HealthCheckResult::Removed => health(HealthResult::None, Some(REMOVED), None),
    }
}

const SUPERSEDED: &str = "another deployment was current before its health check";

const REMOVED: &str = "the health check was removed before it was made";

fn entry_of<S: Sql>(
    access: &Access<'_, S>,
    result: &HealthCheckResult,
    deployment: &Deployment,
) -> Result<Entry, Problem> {
    let (caller, allowed) = access.caller_of_intent(deployment.intent)?;
    let (outcome, reason) = match result {
        HealthCheckResult::Passed { .. } => (Outcome::Succeeded, None),
        HealthCheckResult::Unproven { .. } => (Outcome::Unproven, None),
        HealthCheckResult::Failed { problem, .. } => (Outcome::Failed, Some(Reason::of(problem))),
        HealthCheckResult::RolledBack { problem, .. } => (Outcome::RolledBack, Some(Reason::of(problem))),
        HealthCheckResult::Superseded => (
            Outcome::Failed,
            Some(Reason::code(Code::HealthCheckFailed).because(SUPERSEDED)),
        ),
        HealthCheckResult::Removed => (
            Outcome::Failed,
            Some(Reason::code(Code::HealthCheckFailed).because(REMOVED)),
        ),
    };
    let mut entry = access
        .entry(Action::Verify, outcome)
        .about(&deployment.target)
        .by(&caller)
        .under(Some(&allowed.rule), allowed.policy_version);
    entry.deployment = Some(deployment.id.to_string());
    Ok(match reason {
        Some(reason) => entry.because(reason),
        None => entry,
    })
}

/// When the reconciler makes a health check that is not renewed again.
pub(super) fn health_check_due(renewed: Timestamp) -> Timestamp {
    renewed.saturating_add(RENEWED_WITHIN).unwrap_or(renewed)
}
