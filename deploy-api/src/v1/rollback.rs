//! `…/workers/{worker}/rollback`: redeploys an earlier deployment.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};

use super::page::Parameters;
use super::promote::{accepts_inexact, read_secrets};
use super::shown_deployment::{Shown, deployed, show};
use super::{Answer, body, secret_text};
use crate::deploys::{Gateway, RedeployOptions, preview, redeploy};
use crate::identity::ShownCredential;
use crate::ledger::{Change, LedgerClient};
use crate::problem::{Document, Problem};
use crate::services::Services;
use crate::target::Target;

/// A rollback.
#[derive(Default, Deserialize, Debug, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RollbackRequest {
    /// The deployment to which to roll back. Default: the one before the current one.
    #[serde(default)]
    pub deployment: Option<String>,
    /// Values of secrets that are set with the rollback, for example for a Worker that was deleted, by name.
    // Without the condition, the schema would have a default, which generated clients take for a required member.
    #[serde(
        default,
        skip_serializing_if = "BTreeMap::is_empty",
        serialize_with = "secret_text::serialize_all"
    )]
    #[schemars(with = "BTreeMap<String, String>")]
    pub secrets: BTreeMap<String, SecretString>,
}

/// The answer to a dry run of a rollback.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "RollbackPreview")]
pub struct Previewed<'a> {
    /// True.
    pub dry_run: bool,
    /// The current deployment; null if none is recorded.
    pub current: Option<Shown<'a>>,
    /// The deployment that would be deployed again.
    pub source: Shown<'a>,
    /// Why the rollback would be refused; null if it would not.
    pub problem: Option<Document<'a>>,
}

/// `POST …/rollback`: redeploys the deployment before the current one, or the one named by `deployment` in the body.
/// The body is `{"deployment": "…"}`, `{}` or empty. With `secrets` (`{"NAME": "value"}`), for example for a Worker that was deleted,
/// the caller needs `secrets` as well. With the parameter `confirm=inexact`, bindings that are not known are taken from the current
/// version. With the parameter `dry_run=true`, the answer is the current deployment, the one that would be deployed again, and the
/// problem that the rollback would have. The answer is the new deployment. Its health check is made if the Worker has one; a rollback that fails it stays
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
    let parameters = Parameters::new(parameters, &["dry_run", "confirm"])?;
    let is_dry_run = parameters.is_dry_run()?;
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
    if is_dry_run {
        let preview = preview(gateway, credential, target, change, &options).await?;
        let request_id = &gateway.client.request_id;
        let urls = gateway.worker_urls;
        return Answer::json(
            200,
            &Previewed {
                dry_run: true,
                current: preview.current.as_ref().map(|current| show(current, None, urls)),
                source: show(&preview.source, None, urls),
                problem: preview
                    .problem
                    .as_ref()
                    .map(|problem| problem.document(request_id)),
            },
        );
    }
    let redeployed = redeploy(gateway, credential, target, change, &options).await?;
    deployed(
        &redeployed.deployment,
        gateway.worker_urls,
        redeployed.difference.as_ref(),
    )
}
