//! Changes of a Worker other than uploads: one call to the upstream, between the intent and its outcome.

use super::lease::Lease;
use super::outcome::{LostChange, outcome};
use super::remote::{read_state, remote_state};
use crate::audit::Action;
use crate::code::Code;
use crate::deployments::{ExpectedState, SentChange};
use crate::ledger::{End, LedgerClient, ScriptState};
use crate::problem::Problem;
use crate::services::Services;
use crate::target::Target;
use crate::upstream::{Called, Effect, Method, UpstreamRequest, call, script};

/// A change that is sent to the upstream.
pub(crate) struct SmallChange<'a> {
    /// What is done, as it is recorded.
    pub action: Action,
    /// The call.
    pub request: UpstreamRequest,
    /// The secrets or tags after the change; `None` for a deletion.
    pub expected: Option<ExpectedState>,
    /// The secret that is changed, if it is one.
    pub secret: Option<&'a str>,
    /// Whether the change succeeded if the upstream has no such Worker.
    pub may_be_absent: bool,
}

impl SmallChange<'_> {
    /// The deletion of a Worker. Unless it `is_forced`, the upstream does not delete a script that has Durable Objects or to which
    /// other scripts bind.
    pub fn deletion(target: &Target, is_forced: bool) -> Self {
        let request = script::script(Method::Delete, target, &[]);
        Self {
            action: Action::Delete,
            request: if is_forced {
                request.parameter("force", "true")
            } else {
                request
            },
            expected: None,
            secret: None,
            may_be_absent: false,
        }
    }
}

/// Sends a change to the upstream and records the outcome. If the answer is lost, the upstream is asked whether it was executed; if
/// that is not certain, the lease stays open for the reconciler.
///
/// # Errors
/// The failure, which is recorded: `WORKER_UNKNOWN` and `SECRET_UNKNOWN` if the upstream has none, else `UPSTREAM_…`.
pub(crate) async fn change<L: LedgerClient, O: Services>(
    lease: &Lease<'_, '_, L, O>,
    change: SmallChange<'_>,
) -> Result<(), Problem> {
    let services = lease.gateway.services;
    let sent = match change.expected {
        Some(expected) => Some(before(lease, expected).await?),
        None => None,
    };
    lease.renew_with(sent.clone()).await?;
    let Called {
        record,
        outcome: answer,
    } = call(services, change.request).await;
    let status = record.status;
    let failure = answer
        .err()
        .filter(|failure| !(failure.absent && change.may_be_absent));
    let Some(failure) = failure else {
        let script = after(lease, sent.as_ref()).await;
        let end = End::Succeeded {
            upstream: Some(record),
            script: Box::new(script),
        };
        return lease.finish(end).await.map(drop);
    };
    let problem = match change.secret {
        _ if failure.absent => worker_unknown(lease.target),
        Some(name) if status == Some(404) => secret_unknown(lease.target, name),
        _ => failure.problem.clone(),
    };
    if failure.effect == Effect::None {
        let end = End::Failed {
            upstream: Some(record),
            problem: Box::new(failure.problem),
        };
        lease.finish(end).await?;
        return Err(problem);
    }
    let lost = LostChange {
        target: lease.target,
        action: change.action,
        deployment: None,
        sent: sent.as_ref(),
        is_over: failure.effect == Effect::Unknown,
        own: lease.gateway.own_deployment,
    };
    let end = outcome(services, &lost).await.unwrap_or(End::Unknown);
    let (is_done, note) = match &end {
        End::Succeeded { .. } => (true, ""),
        End::Failed { .. } => (false, "It was not executed."),
        End::Undetermined { .. } => (
            false,
            "Whether it was executed is not known: read the secrets and tags, and repeat the change.",
        ),
        End::Unknown => (
            false,
            "It may still be executed. Until the outcome is known, other changes of the Worker wait; GET /v1/audit returns it then.",
        ),
    };
    lease.finish(end).await?;
    if is_done {
        return Ok(());
    }
    Err(problem.note(note))
}

/// The script before a change of secrets or tags.
async fn before<L: LedgerClient, O: Services>(
    lease: &Lease<'_, '_, L, O>,
    expected: ExpectedState,
) -> Result<SentChange, Problem> {
    let request = script::script(Method::Get, lease.target, &[]);
    let Called { record, outcome } = call(lease.gateway.services, request).await;
    let failure = match outcome {
        Ok(reply) => match read_state(lease.gateway.services, lease.target, &reply.result).await {
            Ok(state) => {
                return Ok(SentChange {
                    before: state.version,
                    expected,
                });
            }
            Err(failure) => failure,
        },
        Err(failure) => failure,
    };
    let problem = if failure.absent {
        worker_unknown(lease.target)
    } else {
        failure.problem.clone()
    };
    let end = End::Failed {
        upstream: Some(record),
        problem: Box::new(failure.problem),
    };
    lease.finish(end).await?;
    Err(problem)
}

/// The state after a change of secrets or tags. If the upstream does not answer, its version is learned later.
async fn after<L: LedgerClient, O: Services>(
    lease: &Lease<'_, '_, L, O>,
    sent: Option<&SentChange>,
) -> ScriptState {
    let Some(sent) = sent else {
        return ScriptState::default();
    };
    let found = match lease.renew().await {
        Ok(()) => remote_state(lease.gateway.services, lease.target)
            .await
            .ok()
            .flatten(),
        Err(_) => None,
    };
    ScriptState {
        tags: match &sent.expected {
            ExpectedState::Tags { tags, .. } => Some(tags.clone()),
            ExpectedState::Secrets { .. } => None,
        },
        after: found.map(|found| found.version),
        ..ScriptState::default()
    }
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
