//! Health checks: a request through the dispatch Worker that every deployment of a Worker must answer as expected. What fails
//! is rolled back.

use super::{Gateway, redeploy};
use crate::attempt::AttemptId;
use crate::audit::Client;
use crate::code::Code;
use crate::deployments::{Deployment, HealthCheckRequest};
use crate::dispatcher::DispatcherAnswer;
use crate::ledger::{FinishHealthCheck, HealthCheckResult, LedgerClient, Renew};
use crate::problem::Problem;
use crate::services::Services;
use crate::target::Target;

/// The number of tries: a deployment takes a moment to reach every machine.
const TRIES: u32 = 3;

/// How long to wait before the request is tried again.
const PAUSE_MILLISECONDS: u32 = 1000;

/// The host under which the dispatch Worker serves a Worker, by its built-in rules.
pub(crate) fn host(target: &Target) -> String {
    format!("{}.do", target.labels())
}

/// A deployment whose health check is due, and who makes it.
pub(crate) struct HealthCheck<'a> {
    /// The attempt that makes it.
    pub attempt: &'a AttemptId,
    /// Where the request came from.
    pub client: &'a Client,
    /// The deployment.
    pub deployment: &'a Deployment,
    /// The request.
    pub request: &'a HealthCheckRequest,
}

/// Makes a health check, rolls back what fails, and records the result. Returns what was wrong, with what was done about it, or
/// `None` if the check passed.
///
/// # Errors
/// `RECORD_UNAVAILABLE`; the reconciler then makes the check again.
pub(crate) async fn check<L: LedgerClient, O: Services>(
    gateway: &Gateway<'_, L, O>,
    check: &HealthCheck<'_>,
) -> Result<Option<Problem>, Problem> {
    let target = &check.deployment.target;
    let Some(found) = request(gateway, check).await? else {
        finish(gateway, check, HealthCheckResult::Passed).await?;
        return Ok(None);
    };
    let problem = check_failed(target, check.request, &found);
    let (problem, result) = if check.deployment.previous.is_none() {
        let problem = problem.note("It is still current: there is no deployment before it.");
        let failed = HealthCheckResult::Failed {
            problem: Box::new(problem.clone()),
        };
        (problem, failed)
    } else {
        match redeploy::undo(gateway, check).await {
            redeploy::Undone::By(back) => {
                let result = HealthCheckResult::RolledBack {
                    problem: Box::new(problem.clone()),
                };
                let served = back.source.as_ref().map_or_else(String::new, ToString::to_string);
                let note = format!(
                    "Deployment {} was rolled back: {} serves what {served} did.",
                    check.deployment.id, back.id
                );
                (problem.note(note), result)
            }
            redeploy::Undone::Refused(failure) if failure.code == Code::WorkerLocked => {
                let problem = problem
                    .note("It is still current: the Worker was locked before its health check was made.");
                let failed = HealthCheckResult::Failed {
                    problem: Box::new(problem.clone()),
                };
                (problem, failed)
            }
            redeploy::Undone::Refused(failure) => {
                let problem = problem.note(not_undone(check, &failure));
                let failed = HealthCheckResult::Failed {
                    problem: Box::new(problem.clone()),
                };
                (problem, failed)
            }
            // It is not known yet whether the rollback was executed. When it is known, the check is made again.
            redeploy::Undone::Unknown(failure) => {
                return Ok(Some(problem.note(not_undone(check, &failure))));
            }
        }
    };
    finish(gateway, check, result).await?;
    Ok(Some(problem))
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
) -> Result<(), Problem> {
    gateway
        .send(&FinishHealthCheck {
            attempt: check.attempt.clone(),
            client: check.client.clone(),
            target: check.deployment.target.clone(),
            deployment: check.deployment.id.clone(),
            result,
        })
        .await
}

/// Sends the request, a few times until it is answered as expected. Returns what was answered instead.
async fn request<L: LedgerClient, O: Services>(
    gateway: &Gateway<'_, L, O>,
    check: &HealthCheck<'_>,
) -> Result<Option<String>, Problem> {
    let mut found = String::new();
    for attempt in 0..TRIES {
        if attempt > 0 {
            gateway.services.pause(PAUSE_MILLISECONDS).await;
            let attempt = check.attempt.clone();
            gateway.send(&Renew { attempt }).await?;
        }
        let host = host(&check.deployment.target);
        found = match gateway.services.request(&host, &check.request.path).await {
            Ok(DispatcherAnswer { status, error: None }) if status == check.request.expect => {
                return Ok(None);
            }
            Ok(DispatcherAnswer { status, error }) => match error {
                Some(error) => format!("status {status} ({error}) from the dispatch Worker"),
                None => format!("status {status}"),
            },
            Err(failure) => failure.to_string(),
        };
    }
    Ok(Some(found))
}

fn check_failed(target: &Target, request: &HealthCheckRequest, found: &str) -> Problem {
    Problem::new(
        Code::HealthCheckFailed,
        format!(
            "The deployment was uploaded, but GET https://{}{} was answered with {found}; {} was expected.",
            host(target),
            request.path,
            request.expect
        ),
        "Correct the Worker, or its health check (`…/probe` of this API), and deploy again.",
    )
}
