//! Health checks: a request through the dispatch Worker that every deployment of a Worker must answer as expected. What fails
//! is rolled back.

use super::Gateway;
use super::lease::Lease;
use super::undo::{Undone, undo};
use crate::attempt::AttemptId;
use crate::code::Code;
use crate::deployments::{Deployment, DeploymentHealth, HeaderProof, Proof};
use crate::dispatcher::{DispatcherAnswer, Wanted};
use crate::ledger::{
    DueHealthCheck, ExpectedAnswer, FinishHealthCheck, Finished, HealthCheckFinished, HealthCheckResult,
    LedgerClient, Renew,
};
use crate::problem::Problem;
use crate::services::Services;
use crate::target::Target;

/// The pauses between the requests of a check, in milliseconds: a deployment takes a moment to reach every machine.
const PAUSES_MILLISECONDS: [u32; 4] = [1_000, 2_000, 4_000, 8_000];

/// The maximum length of a header's value in an error, in characters.
const MAX_SHOWN: usize = 100;

/// The host under which the dispatch Worker serves a Worker, by its built-in rules. For a Worker of the account, it is one under which
/// the dispatch Worker serves only its own health document.
pub(crate) fn host(target: &Target) -> String {
    match target.labels() {
        Some(labels) => format!("{labels}.do"),
        None => format!("{}.workers.dev", target.worker),
    }
}

/// A deployment whose health check is due, and who makes it.
#[derive(Clone, Copy)]
pub(crate) struct HealthCheck<'a> {
    /// The attempt that makes it.
    pub attempt: &'a AttemptId,
    /// The deployment.
    pub deployment: &'a Deployment,
    /// The expected answer.
    pub expected: &'a ExpectedAnswer,
}

impl<'a> HealthCheck<'a> {
    /// A check that is due.
    pub const fn of(due: &'a DueHealthCheck) -> Self {
        Self {
            attempt: &due.attempt,
            deployment: &due.deployment,
            expected: &due.expected,
        }
    }
}

/// A health check that was made.
pub(crate) struct Checked {
    /// The recorded health of the deployment; `None` if it is not recorded yet, or another process has recorded it.
    pub health: Option<DeploymentHealth>,
    /// What was wrong, with what was done about it; `None` if the answer was as expected.
    pub problem: Option<Problem>,
}

/// What was wrong with the last answer.
struct Difference {
    /// For the record, without texts of the Worker.
    recorded: String,
    /// For the caller.
    shown: String,
}

/// Makes a health check, rolls back what fails, and records the result. A rollback that fails is not rolled back.
///
/// # Errors
/// `RECORD_UNAVAILABLE`; the reconciler then makes the check again.
pub(crate) async fn check<L: LedgerClient, O: Services>(
    gateway: &Gateway<'_, L, O>,
    check: &HealthCheck<'_>,
) -> Result<Checked, Problem> {
    let found = match request(gateway, check).await? {
        Ok(result) => {
            let health = finish(gateway, check, result).await?.health;
            return Ok(Checked {
                health,
                problem: None,
            });
        }
        Err(found) => found,
    };
    let problem = check_failed(&check.deployment.target, check.expected, &found.shown);
    let failed = |problem: Problem| HealthCheckResult::Failed {
        problem: Box::new(problem),
        found: found.recorded.clone(),
    };
    let (problem, result) = if check.deployment.action == crate::audit::Action::Rollback {
        let problem = problem.note("It is serving, health check failed: a rollback is not rolled back.");
        (problem.clone(), failed(problem))
    } else if check.deployment.previous.is_none() {
        let problem = problem
            .note("It is serving, health check failed: there is no deployment before it to go back to.");
        (problem.clone(), failed(problem))
    } else {
        match undo(gateway, check.deployment, check.attempt).await {
            Undone::By(back) => {
                let result = HealthCheckResult::RolledBack {
                    problem: Box::new(problem.clone()),
                    found: found.recorded.clone(),
                };
                let served = back.source.as_ref().map_or_else(String::new, ToString::to_string);
                let note = format!(
                    "Deployment {} was rolled back: {} serves what {served} did.",
                    check.deployment.id, back.id
                );
                let finished = finish(gateway, check, result).await?;
                let mut problem = problem.note(note);
                if let Some(next) = &finished.next {
                    problem = problem.note(check_rollback(gateway, next).await?);
                }
                return Ok(Checked {
                    health: finished.health,
                    problem: Some(problem),
                });
            }
            Undone::Refused(failure) if failure.code == Code::WorkerLocked => {
                let problem = problem.note(
                    "It is serving, health check failed: the Worker was locked before its health check was made.",
                );
                (problem.clone(), failed(problem))
            }
            Undone::Refused(failure) => {
                let problem = problem.note(not_undone(check, &failure));
                (problem.clone(), failed(problem))
            }
            // It is not known yet whether the rollback was executed. When it is known, the check is made again.
            Undone::Unknown(failure) => {
                return Ok(Checked {
                    health: None,
                    problem: Some(problem.note(not_undone(check, &failure))),
                });
            }
        }
    };
    let health = finish(gateway, check, result).await?.health;
    Ok(Checked {
        health,
        problem: Some(problem),
    })
}

/// Makes the health check that follows a deployment, if there is one.
///
/// # Errors
/// `HEALTH_CHECK_FAILED`, which says whether the deployment was rolled back or serves.
pub(super) async fn checked<L: LedgerClient, O: Services>(
    gateway: &Gateway<'_, L, O>,
    lease: &Lease<'_, '_, L, O>,
    finished: Finished,
) -> Result<Deployment, Problem> {
    let deployment = finished.deployment.ok_or_else(no_deployment)?;
    let Some(expected) = finished.health_check else {
        return Ok(deployment);
    };
    let due = DueHealthCheck {
        attempt: lease.granted.attempt.clone(),
        deployment,
        expected,
    };
    check_now(gateway, due).await
}

/// Makes a health check, and returns the deployment with its result.
pub(super) async fn check_now<L: LedgerClient, O: Services>(
    gateway: &Gateway<'_, L, O>,
    due: DueHealthCheck,
) -> Result<Deployment, Problem> {
    let checked = Box::pin(check(gateway, &HealthCheck::of(&due))).await?;
    if let Some(problem) = checked.problem {
        return Err(problem);
    }
    Ok(Deployment {
        health: checked.health.unwrap_or_else(|| due.deployment.health.clone()),
        ..due.deployment
    })
}

/// Makes the health check of the deployment that replaced a failed one. Returns the result in words.
pub(super) async fn check_rollback<L: LedgerClient, O: Services>(
    gateway: &Gateway<'_, L, O>,
    due: &DueHealthCheck,
) -> Result<String, Problem> {
    let check = HealthCheck::of(due);
    let (result, text) = match request(gateway, &check).await? {
        Ok(result) => (result, "Its health check was answered as expected.".to_owned()),
        Err(found) => {
            let problem = check_failed(&due.deployment.target, &due.expected, &found.shown);
            let text = format!(
                "It is serving, health check failed as well: the answer was {}.",
                found.shown
            );
            let result = HealthCheckResult::Failed {
                problem: Box::new(problem),
                found: found.recorded,
            };
            (result, text)
        }
    };
    finish(gateway, &check, result).await?;
    Ok(text)
}

fn not_undone(check: &HealthCheck<'_>, failure: &Problem) -> String {
    format!(
        "Deployment {} could not be rolled back and may still be current: {} {}",
        check.deployment.id, failure.detail, failure.fix
    )
}

/// Records the result of a check.
///
/// # Errors
/// `RECORD_UNAVAILABLE`.
pub(crate) async fn finish<L: LedgerClient, O: Services>(
    gateway: &Gateway<'_, L, O>,
    check: &HealthCheck<'_>,
    result: HealthCheckResult,
) -> Result<HealthCheckFinished, Problem> {
    gateway
        .send(&FinishHealthCheck {
            attempt: check.attempt.clone(),
            client: gateway.client.clone(),
            target: check.deployment.target.clone(),
            deployment: check.deployment.id.clone(),
            result,
        })
        .await
}

/// Sends the request, a few times until it is answered as expected. Otherwise returns what was wrong with the last answer.
async fn request<L: LedgerClient, O: Services>(
    gateway: &Gateway<'_, L, O>,
    check: &HealthCheck<'_>,
) -> Result<Result<HealthCheckResult, Difference>, Problem> {
    let expected = check.expected;
    let host = host(&check.deployment.target);
    let wanted = match &expected.proof {
        None => Wanted::Nothing,
        Some(Proof::Header(header)) => Wanted::Header(&header.name),
        Some(Proof::Body(_)) => Wanted::Body,
    };
    let mut pauses = PAUSES_MILLISECONDS.into_iter();
    loop {
        let found = match gateway.services.request(&host, &expected.path, wanted).await {
            Ok(answer) => match difference(expected, &answer) {
                None => return Ok(Ok(result_of(expected))),
                Some(found) => found,
            },
            Err(failure) => Difference {
                recorded: failure.to_string(),
                shown: failure.to_string(),
            },
        };
        let Some(pause) = pauses.next() else {
            return Ok(Err(found));
        };
        gateway.services.pause(pause).await;
        let attempt = check.attempt.clone();
        gateway.send(&Renew { attempt, sent: None }).await?;
    }
}

/// The result of a check whose answer was as expected.
fn result_of(expected: &ExpectedAnswer) -> HealthCheckResult {
    match (&expected.proof, &expected.unproven) {
        (Some(proof), None) => HealthCheckResult::Passed { proof: proof.clone() },
        (proof, why) => HealthCheckResult::Unproven {
            proof: proof.clone(),
            why: why.clone().unwrap_or_default(),
        },
    }
}

/// How an answer differs from the expected one; `None` if it does not.
fn difference(expected: &ExpectedAnswer, answer: &DispatcherAnswer) -> Option<Difference> {
    let status = answer.status;
    if let Some(error) = &answer.error {
        let text = format!("status {status} ({error}) from the dispatch Worker");
        return Some(Difference {
            recorded: text.clone(),
            shown: text,
        });
    }
    if status != expected.expect {
        return Some(Difference {
            recorded: format!("status {status} and not {}", expected.expect),
            shown: format!("status {status}"),
        });
    }
    match (&expected.proof, &answer.content) {
        (None, _) => None,
        (Some(Proof::Body(text)), Some(body)) if body.contains(text) => None,
        (Some(Proof::Body(_)), _) => {
            let text = format!("status {status} and a body without the text of the proof");
            Some(Difference {
                recorded: text.clone(),
                shown: text,
            })
        }
        (Some(Proof::Header(header)), Some(value)) if *value == header.value => None,
        (Some(Proof::Header(HeaderProof { name, .. })), found) => Some(Difference {
            recorded: format!("status {status} and not the expected header {name}"),
            shown: match found {
                Some(found) => {
                    let found: String = found.chars().take(MAX_SHOWN).collect();
                    format!("status {status} and the header {name}: {found}")
                }
                None => format!("status {status} and no header {name}"),
            },
        }),
    }
}

fn check_failed(target: &Target, expected: &ExpectedAnswer, found: &str) -> Problem {
    let proof = match &expected.proof {
        None => String::new(),
        Some(Proof::Body(text)) => format!(" with a body that contains {text:?}"),
        Some(Proof::Header(HeaderProof { name, value })) => format!(" with the header {name}: {value}"),
    };
    Problem::new(
        Code::HealthCheckFailed,
        format!(
            "The deployment was uploaded, but GET https://{}{} was answered with {found}; status {}{proof} was expected.",
            host(target),
            expected.path,
            expected.expect
        ),
        "Correct the Worker, or its health check (`…/health-check` of this API), and deploy again.",
    )
}

/// The ledger did not record a deployment, although something was uploaded.
pub(super) fn no_deployment() -> Problem {
    Problem::new(
        Code::Internal,
        "The ledger recorded no deployment for an upload.",
        "",
    )
}
