//! `…/workers/{worker}/rollback`: redeploys an earlier deployment.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use secrecy::SecretString;
use serde::Deserialize;

use super::deployments::deployed;
use super::page::Parameters;
use super::promote::{accepts_inexact, read_secrets};
use super::{Answer, body};
use crate::deploys::{Gateway, RedeployOptions, redeploy};
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
    /// Values of secrets that are set with the rollback, for example for a Worker that was deleted, by name.
    #[serde(default)]
    #[schemars(with = "BTreeMap<String, String>")]
    secrets: BTreeMap<String, SecretString>,
}

/// `POST …/rollback`: redeploys the deployment before the current one, or the one named by `deployment` in the body.
/// The body is `{"deployment": "…"}`, `{}` or empty. With `secrets` (`{"NAME": "value"}`), for example for a Worker that was deleted,
/// the caller needs `secrets` as well. With the parameter `confirm=inexact`, bindings that are not known are taken from the current
/// version. The answer is the new deployment. Its health check is made if the Worker has one; a rollback that fails it stays
/// current.
///
/// # Errors
/// `PERMISSION_DENIED`, `BODY_INVALID`, `PARAMETER_INVALID`, `WORKER_LOCKED`, `DEPLOYMENT_UNKNOWN`, `ROLLBACK_IMPOSSIBLE`,
/// `BUNDLE_MISSING`, `REDEPLOY_INEXACT`, `MIGRATION_UNKNOWN`, `SECRETS_MISSING`, `HEALTH_CHECK_FAILED`, `DEPLOYMENT_UNSETTLED`,
/// `UPSTREAM_…`, `BUNDLE_STORE_UNAVAILABLE`, `RECORD_UNAVAILABLE`.
pub async fn rollback<L: LedgerClient, O: Services>(
    gateway: &Gateway<'_, L, O>,
    credential: &ShownCredential,
    target: &Target,
    parameters: &[(&str, &str)],
    body: &[u8],
) -> Result<Answer, Problem> {
    let parameters = Parameters::new(parameters, &["confirm"])?;
    let accepts_inexact = accepts_inexact(&parameters)?;
    let request: RollbackRequest = if body.is_empty() {
        RollbackRequest::default()
    } else {
        body::read_secret(
            body,
            "{\"deployment\": \"the id of a deployment\"}, {} or nothing, and if need be \"secrets\" ({\"NAME\": \"value\"})",
        )?
    };
    let options = RedeployOptions {
        secrets: read_secrets(&request.secrets)?,
        accepts_inexact,
        ..RedeployOptions::default()
    };
    let change = Change::Rollback {
        deployment: request.deployment,
        with_secrets: !options.secrets.is_empty(),
    };
    let redeployed = redeploy(gateway, credential, target, change, &options).await?;
    deployed(
        &redeployed.deployment,
        gateway.worker_urls,
        redeployed.difference.as_ref(),
    )
}
