//! `…/workers/{worker}/promote`: deploys the bundle of a deployment to another namespace.

use std::collections::BTreeMap;

use dotdo_names::Environment;
use schemars::JsonSchema;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

use super::deployments::deployed;
use super::secrets::check_secret_name;
use super::{Answer, body};
use crate::code::Code;
use crate::deploys::{Gateway, redeploy};
use crate::identity::ShownCredential;
use crate::ledger::{Change, LedgerClient};
use crate::problem::Problem;
use crate::schema::NamespaceName;
use crate::services::Services;
use crate::target::Target;

/// A promotion.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct PromoteRequest {
    /// The target namespace.
    #[schemars(with = "NamespaceName")]
    to: String,
    /// The deployment to promote. Default: the current one.
    #[serde(default)]
    deployment: Option<String>,
    /// Values of secrets that the target namespace does not have yet, by name.
    #[serde(default)]
    #[schemars(with = "BTreeMap<String, String>")]
    secrets: BTreeMap<String, SecretString>,
}

/// `POST …/promote`, `{"to": "dotdo-staging"}`: deploys what serves here, or the body's `deployment`, to the Worker of the
/// same name in another namespace. Needs `promote` there and `read` here; with `secrets` (`{"NAME": "value"}`, for those
/// that the other namespace does not have yet) also `secrets` there. The answer is the new deployment, whose health
/// check is made if the Worker has one.
///
/// # Errors
/// The errors of [`rollback`](super::rollback::rollback), and `PROBE_FAILED`.
pub async fn promote<L: LedgerClient, O: Services>(
    gateway: &Gateway<'_, L, O>,
    credential: &ShownCredential,
    target: &Target,
    body: &[u8],
) -> Result<Answer, Problem> {
    let request: PromoteRequest = body::read_secret(
        body,
        "{\"to\": \"dotdo-staging\"}, and if need be \"deployment\" (an id) and \"secrets\" ({\"NAME\": \"value\"})",
    )?;
    let invalid =
        |detail: String| Problem::new(Code::BodyInvalid, detail, "Write the target namespace as \"to\".");
    let environment = Environment::from_namespace(&request.to)
        .ok_or_else(|| invalid("\"to\" is not a namespace of the platform.".to_owned()))?;
    if environment == target.environment {
        return Err(invalid(format!(
            "\"to\" is {}, which is the namespace of the deployment itself.",
            target.namespace()
        )));
    }
    for name in request.secrets.keys() {
        check_secret_name(name)?;
    }
    let to = Target {
        environment,
        worker: target.worker.clone(),
    };
    let secrets: Vec<(String, String)> = request
        .secrets
        .iter()
        .map(|(name, text)| (name.clone(), text.expose_secret().to_owned()))
        .collect();
    let change = Change::Promote {
        from: target.clone(),
        deployment: request.deployment,
        with_secrets: !secrets.is_empty(),
    };
    deployed(
        &redeploy(gateway, credential, &to, change, &secrets).await?,
        gateway.worker_urls,
    )
}
