//! The adoption of a change that was made outside of this API: what the upstream has becomes the recorded state.

use super::Gateway;
use super::change::worker_unknown;
use super::lease::Lease;
use super::outcome::{LostChange, outcome};
use super::remote::remote_state;
use super::upload::{MAX_TAGS, too_many_tags};
use crate::audit::Action;
use crate::code::Code;
use crate::deployments::{Deployment, Drift, DriftKind};
use crate::identity::ShownCredential;
use crate::ledger::{Change, End, LedgerClient, ScriptState};
use crate::problem::Problem;
use crate::services::Services;
use crate::target::Target;
use crate::upstream::{Called, Effect, Method, call, script};

/// Records the state of the upstream as a deployment without a bundle, whose id the script gets as a tag. For a Worker that was deleted,
/// records the deletion and returns `None`.
///
/// # Errors
/// `PERMISSION_DENIED`, `WORKER_LOCKED`, `DEPLOYMENT_UNSETTLED`, `DRIFT_UNKNOWN` if the Worker changed meanwhile, `UPSTREAM_…`,
/// `RECORD_UNAVAILABLE`.
pub(crate) async fn adopt<L: LedgerClient, O: Services>(
    gateway: &Gateway<'_, L, O>,
    credential: &ShownCredential,
    target: &Target,
    drift: &Drift,
) -> Result<Option<Deployment>, Problem> {
    let is_deleted = drift.kind == DriftKind::Deleted;
    let change = Change::Adopt { is_deleted };
    let lease = Lease::begin(gateway, credential, target, change).await?;
    let found = match remote_state(gateway.services, target).await {
        Ok(found) => found,
        Err(failure) => return Err(lease.fail(failure.problem).await),
    };
    let (found, deployment) = match (found, lease.granted.deployment.clone()) {
        (None, None) => {
            let end = End::Succeeded {
                upstream: None,
                script: Box::default(),
            };
            return lease.finish(end).await.map(|finished| finished.deployment);
        }
        (Some(found), Some(deployment)) => (found, deployment),
        _ => return Err(lease.fail(changed_meanwhile(target)).await),
    };
    let tags = found.tags.unwrap_or_default();
    if tags.len() >= MAX_TAGS {
        return Err(lease.fail(too_many_tags(tags.len())).await);
    }
    let mut all = tags.clone();
    all.push(deployment.id.tag());
    let body = serde_json::Value::from(all).to_string().into_bytes();
    let request = script::script(Method::Put, target, &["tags"]).with_body("application/json", body);
    lease.renew().await?;
    let Called {
        record,
        outcome: answer,
    } = call(gateway.services, request).await;
    let (effect, problem) = match answer {
        Ok(_) => (Effect::Unknown, None),
        Err(failure) if failure.absent => (failure.effect, Some(worker_unknown(target))),
        Err(failure) => (failure.effect, Some(failure.problem)),
    };
    let known = if effect == Effect::None {
        None
    } else {
        // The state after a lost answer and after a complete one is read in the same way.
        lease.renew().await?;
        let change = LostChange {
            target,
            action: Action::Adopt,
            deployment: Some(&deployment),
            sent: None,
            is_over: effect == Effect::Unknown,
            own: None,
        };
        outcome(gateway.services, &change).await
    };
    let end = match (known, &problem) {
        (Some(End::Succeeded { script, .. }), _) => End::Succeeded {
            upstream: Some(record),
            script,
        },
        // The tags are set, and the upstream did not describe the script.
        (_, None) => End::Succeeded {
            upstream: Some(record),
            script: Box::new(ScriptState {
                tags: Some(tags),
                migration_tag: Some(found.migration_tag),
                ..ScriptState::default()
            }),
        },
        (Some(_), Some(problem)) => End::Failed {
            upstream: Some(record),
            problem: Box::new(problem.clone()),
        },
        (None, Some(problem)) if effect == Effect::None => End::Failed {
            upstream: Some(record),
            problem: Box::new(problem.clone()),
        },
        (None, Some(_)) => End::Unknown,
    };
    let is_done = matches!(end, End::Succeeded { .. });
    let finished = lease.finish(end).await?;
    match problem {
        Some(problem) if !is_done => Err(problem),
        _ => Ok(finished.deployment),
    }
}

fn changed_meanwhile(target: &Target) -> Problem {
    Problem::new(
        Code::DriftUnknown,
        format!("{target} was changed again while its drift was adopted."),
        "GET the Worker, and decide again.",
    )
}
