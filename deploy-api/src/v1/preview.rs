//! `POST …/workers/{worker}/preview`: deploys the bundle of an earlier deployment to a preview in development.

use std::collections::BTreeMap;

use dotdo_names::{Environment, PreviewName};
use schemars::JsonSchema;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::page::Parameters;
use super::promote::{accepts_inexact, read_secrets};
use super::shown_deployment::deployed;
use super::{Answer, body, secret_text};
use crate::code::Code;
use crate::deployments::DeploymentId;
use crate::deploys::{Choice, Choices, Gateway, RedeployOptions, redeploy};
use crate::identity::ShownCredential;
use crate::ledger::{Change, LedgerClient};
use crate::problem::Problem;
use crate::services::Services;
use crate::target::Target;

/// A preview of an earlier deployment.
#[derive(Deserialize, Debug, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PreviewRequest {
    /// The id of the deployment.
    #[schemars(with = "DeploymentId")]
    pub deployment: String,
    /// Values of secrets, by name. A preview has no secrets of other Workers.
    #[serde(
        default,
        skip_serializing_if = "BTreeMap::is_empty",
        serialize_with = "secret_text::serialize_all"
    )]
    #[schemars(with = "BTreeMap<String, String>")]
    pub secrets: BTreeMap<String, SecretString>,
    /// Which variables the preview gets, unless `values` has them: `keep` takes those of the Worker in development. Default: `copy`
    /// for a deployment of development, else `keep`.
    #[serde(default)]
    pub variables: Option<Choice>,
    /// Which resource ids the preview gets, unless `bindings` has them. Default: as for `variables`.
    #[serde(default)]
    pub resources: Option<Choice>,
    /// The values of single variables, by name.
    #[serde(default)]
    pub values: BTreeMap<String, Value>,
    /// Members of single bindings to resources, by name, such as `{"KV": {"namespace_id": "…"}}`.
    #[serde(default)]
    pub bindings: BTreeMap<String, Map<String, Value>>,
}

/// `POST …/workers/{worker}/preview`: deploys the bundle of an earlier deployment of the Worker, in any namespace, to a preview in
/// development, whose name has the last digits of the deployment's id. It has the variables and the resource ids of the Worker in
/// development, and expires. The caller needs `read` of the Worker in the namespace of the deployment and in development, and `deploy`
/// for the preview; with secrets also `secrets`. A repeated call deploys the same preview again and renews it. With the parameter
/// `confirm=inexact`, bindings that are not known are taken from the Worker in development.
///
/// # Errors
/// The errors of [`promote`](super::promote::promote).
pub async fn preview<L: LedgerClient, O: Services>(
    gateway: &Gateway<'_, L, O>,
    credential: &ShownCredential,
    from: &Target,
    parameters: &[(&str, &str)],
    body: &[u8],
) -> Result<Answer, Problem> {
    let accepts_inexact = accepts_inexact(&Parameters::new(parameters, &["confirm"])?)?;
    let request: PreviewRequest = body::read_secret(
        body,
        "{\"deployment\": \"the id of a deployment\"}, and if need be \"secrets\" ({\"NAME\": \"value\"}), \"variables\" and \
         \"resources\" (\"keep\", \"copy_new\" or \"copy\"), \"values\" ({\"NAME\": \"value\"}) and \"bindings\" ({\"NAME\": \
         {\"namespace_id\": \"…\"}})",
    )?;
    let invalid = |detail: String, fix: &'static str| Problem::new(Code::BodyInvalid, detail, fix);
    let id = DeploymentId::parse(&request.deployment).map_err(|error| {
        invalid(
            format!("\"deployment\" is not valid: {error}."),
            "GET …/deployments lists the deployments.",
        )
    })?;
    let name = PreviewName::of_deployment(&from.worker, id.as_str()).map_err(|error| {
        invalid(
            format!("{error}."),
            "Deploy the version to development under a shorter name.",
        )
    })?;
    // What was deployed to development has its bindings already.
    let default = match from.namespace.environment() {
        Some(Environment::Development) => Choice::Copy,
        Some(Environment::Production | Environment::Staging) | None => Choice::Keep,
    };
    let options = RedeployOptions {
        secrets: read_secrets(&request.secrets)?,
        accepts_inexact,
        choices: Choices {
            variables: request.variables.unwrap_or(default),
            resources: request.resources.unwrap_or(default),
            values: request.values,
            bindings: request.bindings,
        },
    };
    let change = Change::Preview {
        from: from.clone(),
        deployment: id,
        with_secrets: !options.secrets.is_empty(),
    };
    let redeployed = redeploy(gateway, credential, &Target::from(name), change, &options).await?;
    deployed(
        &redeployed.deployment,
        gateway.worker_urls,
        redeployed.difference.as_ref(),
    )
}
