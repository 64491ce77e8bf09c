//! Changes of a Worker other than uploads: one call to the upstream, between the intent and its outcome.

use serde_json::Value;

use super::lease::Lease;
use crate::code::Code;
use crate::ledger::{End, LedgerClient, ScriptState};
use crate::problem::Problem;
use crate::services::Services;
use crate::target::Target;
use crate::upstream::{Called, Effect, UpstreamRequest, call};

/// How a lost answer of a change is treated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LostAnswer {
    /// The reconciler asks the upstream whether it was executed.
    StaysOpen,
    /// It is recorded as failed: repeating the change is safe, and the upstream does not tell whether it was executed.
    Fails,
}

/// Sends a change to the upstream and records the outcome. `secret` is the name of the secret that is changed.
///
/// # Errors
/// The failure, which is recorded: `WORKER_UNKNOWN` and `SECRET_UNKNOWN` if the upstream has none, else `UPSTREAM_…`.
pub(crate) async fn change<L: LedgerClient, O: Services>(
    lease: &Lease<'_, '_, L, O>,
    request: UpstreamRequest,
    script: ScriptState,
    lost_answer: LostAnswer,
    secret: Option<&str>,
) -> Result<Value, Problem> {
    lease.renew().await?;
    let Called { record, outcome } = call(lease.gateway.services, request).await;
    let status = record.status;
    let failure = match outcome {
        Ok(reply) => {
            let end = End::Succeeded {
                upstream: Some(record),
                script: Box::new(script),
            };
            lease.finish(end).await?;
            return Ok(reply.result);
        }
        Err(failure) => failure,
    };
    let is_known = failure.effect == Effect::None || lost_answer == LostAnswer::Fails;
    let problem = match secret {
        _ if failure.absent => worker_unknown(lease.target),
        Some(name) if status == Some(404) => secret_unknown(lease.target, name),
        _ => failure.problem.clone(),
    };
    lease
        .finish(if is_known {
            End::Failed {
                upstream: Some(record),
                problem: Box::new(failure.problem),
            }
        } else {
            End::Unknown
        })
        .await?;
    Err(problem)
}

/// There is no such Worker.
pub(crate) fn worker_unknown(target: &Target) -> Problem {
    Problem::new(
        Code::WorkerUnknown,
        format!("There is no Worker {target}."),
        format!(
            "Deploy it first: `wrangler deploy --dispatch-namespace {}`, with `--secrets-file` if it requires secrets. For a Worker \
             that was deleted, POST …/rollback with a \"deployment\" and its \"secrets\" deploys it again.",
            target.namespace()
        ),
    )
}

fn secret_unknown(target: &Target, name: &str) -> Problem {
    Problem::new(
        Code::SecretUnknown,
        format!("{target} has no secret {name}."),
        "GET …/secrets lists its secrets.",
    )
}
