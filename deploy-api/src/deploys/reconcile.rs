//! The reconciler: determines the outcome of changes whose gateway ended or whose answer was lost, makes the pending health
//! checks, deletes expired previews, searches for drift, and deletes objects that no deployment needs. The ledger selects the work; each item takes a few calls.

use super::Gateway;
use super::expired_preview::delete_expired;
use super::health_check::{self, HealthCheck};
use super::inspect::inspect;
use super::outcome::{LostChange, outcome};
use super::remote::has_deployment;
use crate::audit::{Action, CheckpointKey};
use crate::bundles::{ObjectStore, Retrying};
use crate::code::Code;
use crate::deployments::Deployment;
use crate::ledger::{Due, Finish, HealthCheckResult, LedgerClient, Unreferenced, Work, archive_step};
use crate::problem::Problem;
use crate::services::Services;
use crate::store::health_checks::PendingHealthCheck;
use crate::store::leases::Lease;

/// Does the work that is due. Returns how many items there were. `checkpoint_key` signs archived segments of the audit log; without
/// it, none are archived.
///
/// # Errors
/// The first failure. The other items are still processed, and an item without an outcome is due again.
pub async fn reconcile<L: LedgerClient, O: Services>(
    gateway: &Gateway<'_, L, O>,
    checkpoint_key: Option<&CheckpointKey>,
) -> Result<usize, Problem> {
    let work = gateway.send(&Due {}).await?;
    let items = work.len();
    let mut failure = None;
    for item in work {
        let settled = match item {
            Work::Intent {
                lease,
                deployment,
                is_over,
            } => settle_intent(gateway, &lease, deployment.as_deref(), is_over).await,
            Work::HealthCheck {
                check,
                expected,
                deployment,
                serving,
            } => match (deployment, expected) {
                (Some(deployment), Some(expected)) => {
                    let check = HealthCheck {
                        attempt: &check.attempt,
                        deployment: &deployment,
                        expected: &expected,
                    };
                    make_check(gateway, &check, serving.as_deref()).await
                }
                _ => drop_check(gateway, check).await,
            },
            Work::ExpiredPreview { target, expired } => delete_expired(gateway, &target, expired).await,
            Work::Archive => archive(gateway, checkpoint_key).await,
            Work::CollectGarbage => collect_garbage(gateway).await.map(drop),
            Work::Inspect { since } => inspect(gateway, since).await,
        };
        if let Err(problem) = settled {
            failure.get_or_insert(problem);
        }
    }
    failure.map_or(Ok(items), Err)
}

/// Asks the upstream how a change ended, and records the outcome if that is certain.
async fn settle_intent<L: LedgerClient, O: Services>(
    gateway: &Gateway<'_, L, O>,
    lease: &Lease,
    deployment: Option<&Deployment>,
    is_over: bool,
) -> Result<(), Problem> {
    let lost = LostChange {
        target: &lease.target,
        action: lease.action,
        deployment,
        sent: lease.sent.as_ref(),
        is_over,
        own: gateway.own_deployment,
    };
    let end = outcome(gateway.services, &lost).await;
    let Some(end) = end else { return Ok(()) };
    let finished = gateway
        .send(&Finish {
            attempt: lease.attempt.clone(),
            client: gateway.client.clone(),
            end,
        })
        .await?;
    if let (Some(expected), Some(deployment)) = (&finished.health_check, &finished.deployment) {
        let check = HealthCheck {
            attempt: &lease.attempt,
            deployment,
            expected,
        };
        health_check::check(gateway, &check).await?;
    }
    Ok(())
}

/// Makes a health check that its gateway did not finish.
async fn make_check<L: LedgerClient, O: Services>(
    gateway: &Gateway<'_, L, O>,
    check: &HealthCheck<'_>,
    serving: Option<&Deployment>,
) -> Result<(), Problem> {
    let id = &check.deployment.id;
    if let Some(serving) = serving.filter(|serving| serving.id != *id) {
        let result = if serving.action == Action::Rollback && serving.previous.as_ref() == Some(id) {
            // The process ended after the rollback and before its result was recorded.
            HealthCheckResult::RolledBack {
                problem: Box::new(Problem::new(
                    Code::HealthCheckFailed,
                    format!("Deployment {id} failed its health check and was rolled back."),
                    "",
                )),
                found: "unexpected answer".to_owned(),
            }
        } else {
            HealthCheckResult::Superseded
        };
        let finished = health_check::finish(gateway, check, result).await?;
        if let Some(next) = &finished.next {
            health_check::check_rollback(gateway, next).await?;
        }
        return Ok(());
    }
    let Ok(is_there) = has_deployment(gateway.services, &check.deployment.target, id).await else {
        return Ok(());
    };
    if !is_there {
        return health_check::finish(gateway, check, HealthCheckResult::Superseded)
            .await
            .map(drop);
    }
    health_check::check(gateway, check).await.map(drop)
}

/// The Worker has no health check any more.
async fn drop_check<L: LedgerClient, O: Services>(
    gateway: &Gateway<'_, L, O>,
    check: PendingHealthCheck,
) -> Result<(), Problem> {
    gateway
        .send(&crate::ledger::FinishHealthCheck {
            attempt: check.attempt,
            client: gateway.client.clone(),
            target: check.target,
            deployment: check.deployment,
            result: HealthCheckResult::Removed,
        })
        .await
        .map(drop)
}

/// Archives the segments of the audit log that are complete.
async fn archive<L: LedgerClient, O: Services>(
    gateway: &Gateway<'_, L, O>,
    key: Option<&CheckpointKey>,
) -> Result<(), Problem> {
    let Some(key) = key else { return Ok(()) };
    let store = Retrying::new(gateway.services, gateway.services);
    while archive_step(gateway.ledger, &store, key).await? {}
    Ok(())
}

/// The prefixes of keys that garbage is collected from. Objects of the first format (`sha256/`) are never deleted: which of
/// them static assets need is not recorded.
const PREFIXES: [&str; 4] = ["bundles/", "metadata/", "staging/", "assets/"];

/// How old an object must be before it is deleted: its deploy may not have begun yet.
const MIN_AGE: jiff::SignedDuration = jiff::SignedDuration::from_hours(24);

/// Deletes the objects that no deployment needs and that are old. Returns how many.
///
/// # Errors
/// `BUNDLE_STORE_UNAVAILABLE`, `RECORD_UNAVAILABLE`.
pub async fn collect_garbage<L: LedgerClient, O: Services>(
    gateway: &Gateway<'_, L, O>,
) -> Result<usize, Problem> {
    let unavailable = |error| super::upload::bundle_store_unavailable(&error);
    let before = gateway.now().saturating_sub(MIN_AGE).unwrap_or_default();
    let store = Retrying::new(gateway.services, gateway.services);
    let mut deleted = 0;
    for prefix in PREFIXES {
        let mut cursor = None;
        loop {
            let page = store.list(prefix, cursor.as_deref()).await.map_err(unavailable)?;
            let keys: Vec<String> = page
                .objects
                .into_iter()
                .filter(|object| object.uploaded < before)
                .map(|object| object.key)
                .collect();
            if !keys.is_empty() {
                let unreferenced = gateway.send(&Unreferenced { keys }).await?;
                if !unreferenced.is_empty() {
                    store.delete(&unreferenced).await.map_err(unavailable)?;
                    deleted += unreferenced.len();
                }
            }
            cursor = page.cursor;
            if cursor.is_none() {
                break;
            }
        }
    }
    Ok(deleted)
}
