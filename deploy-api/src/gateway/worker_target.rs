use dotdo_names::WorkerName;

use crate::deploys::Gateway;
use crate::identity::ShownCredential;
use crate::ledger::{LedgerClient, ResolveWorker};
use crate::policy::Action;
use crate::problem::Problem;
use crate::services::Services;
use crate::target::Target;

/// The Worker of a call within a deploy that does not name a namespace: the one in the only namespace where the caller may do
/// this; of several, the one that the same token named just before, as wrangler does.
///
/// # Errors
/// `NAMESPACE_AMBIGUOUS`, with the namespaces.
pub(super) async fn resolve<L: LedgerClient, O: Services>(
    gateway: &Gateway<'_, L, O>,
    credential: &ShownCredential,
    worker: &WorkerName,
    action: Action,
) -> Result<Target, Problem> {
    ask(gateway, credential, worker, action, false).await
}

/// The same for a call that is not part of a deploy: the Worker that the token named before is not considered.
///
/// # Errors
/// `NAMESPACE_AMBIGUOUS`.
pub(super) async fn resolve_alone<L: LedgerClient, O: Services>(
    gateway: &Gateway<'_, L, O>,
    credential: &ShownCredential,
    worker: &WorkerName,
    action: Action,
) -> Result<Target, Problem> {
    ask(gateway, credential, worker, action, true).await
}

async fn ask<L: LedgerClient, O: Services>(
    gateway: &Gateway<'_, L, O>,
    credential: &ShownCredential,
    worker: &WorkerName,
    action: Action,
    is_alone: bool,
) -> Result<Target, Problem> {
    let question = ResolveWorker {
        attempt: gateway.attempt.clone(),
        credential: credential.clone(),
        client: gateway.client.clone(),
        worker: worker.clone(),
        action,
        is_alone,
    };
    Ok(gateway.send(&question).await?.target)
}
