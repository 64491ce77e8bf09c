//! `…/workers/{worker}/rollback`: redeploys an earlier deployment.

use schemars::JsonSchema;
use serde::Deserialize;

use super::deployments::deployed;
use super::{Answer, body};
use crate::deploys::{Gateway, redeploy};
use crate::identity::ShownCredential;
use crate::ledger::{Change, LedgerClient};
use crate::problem::Problem;
use crate::services::Services;
use crate::target::Target;

/// A rollback.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RollbackRequest {
    /// The deployment to which to roll back. Default: the one before the current one.
    #[serde(default)]
    deployment: Option<String>,
}

/// `POST …/rollback`: redeploys the deployment before the current one, or the one named by `deployment` in the body.
/// The body is `{"deployment": "…"}`, `{}` or empty. The answer is the new deployment. A rollback has no health check, because it
/// follows a failed one.
///
/// # Errors
/// `PERMISSION_DENIED`, `BODY_INVALID`, `WORKER_LOCKED`, `DEPLOYMENT_UNKNOWN`, `ROLLBACK_IMPOSSIBLE`, `BUNDLE_MISSING`,
/// `MIGRATION_UNKNOWN`, `SECRETS_MISSING`, `DEPLOYMENT_UNSETTLED`, `UPSTREAM_…`, `BUNDLE_STORE_UNAVAILABLE`,
/// `RECORD_UNAVAILABLE`.
pub async fn rollback<L: LedgerClient, O: Services>(
    gateway: &Gateway<'_, L, O>,
    credential: &ShownCredential,
    target: &Target,
    body: &[u8],
) -> Result<Answer, Problem> {
    let request: RollbackRequest = if body.is_empty() {
        RollbackRequest::default()
    } else {
        body::read(
            body,
            "{\"deployment\": \"the id of a deployment\"}, {} or nothing",
        )?
    };
    let change = Change::Rollback {
        deployment: request.deployment,
    };
    deployed(
        &redeploy(gateway, credential, target, change, &[]).await?,
        gateway.worker_urls,
    )
}
