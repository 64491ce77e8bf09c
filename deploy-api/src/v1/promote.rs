//! `…/workers/{worker}/promote`: deploys the bundle of a deployment to another namespace.

use std::borrow::Cow;
use std::collections::BTreeMap;

use dotdo_names::Environment;
use schemars::JsonSchema;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::page::Parameters;
use super::secrets::check_secret_name;
use super::shown_deployment::deployed;
use super::{Answer, body, secret_text};
use crate::code::Code;
use crate::deploys::{Choice, Choices, Gateway, PromotionDifference, RedeployOptions, preview, redeploy};
use crate::identity::ShownCredential;
use crate::ledger::{Change, LedgerClient};
use crate::problem::{Document, Problem};
use crate::schema::NamespaceName;
use crate::services::Services;
use crate::target::Target;

/// The value of the parameter `confirm` that accepts bindings of the current version in place of those that are not known.
const CONFIRMATION: &str = "inexact";

/// A promotion.
#[derive(Deserialize, Debug, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PromoteRequest {
    /// The target namespace.
    #[schemars(with = "NamespaceName")]
    pub to: String,
    /// The deployment to promote. Default: the current one.
    #[serde(default)]
    pub deployment: Option<String>,
    /// Values of secrets that the target namespace does not have yet, by name.
    // Without the condition, the schema would have a default, which generated clients take for a required member.
    #[serde(
        default,
        skip_serializing_if = "BTreeMap::is_empty",
        serialize_with = "secret_text::serialize_all"
    )]
    #[schemars(with = "BTreeMap<String, String>")]
    pub secrets: BTreeMap<String, SecretString>,
    /// Which variables the target gets, unless `values` has them.
    #[serde(default)]
    pub variables: Choice,
    /// Which resource ids the target gets, unless `bindings` has them.
    #[serde(default)]
    pub resources: Choice,
    /// The values of single variables, by name.
    #[serde(default)]
    pub values: BTreeMap<String, Value>,
    /// Members of single bindings to resources, by name, such as `{"KV": {"namespace_id": "…"}}`.
    #[serde(default)]
    pub bindings: BTreeMap<String, Map<String, Value>>,
}

/// The answer to a dry run of a promotion.
#[derive(Serialize, Debug, Deserialize, JsonSchema)]
#[schemars(rename = "PromotionPreview")]
pub struct Previewed<'a> {
    /// True.
    pub dry_run: bool,
    /// The difference to what the target serves.
    pub difference: Option<Cow<'a, PromotionDifference>>,
    /// Why the promotion would be refused; null if it would not.
    pub problem: Option<Document<'a>>,
}

/// `POST …/promote`, `{"to": "dotdo-staging"}`: deploys what serves here, or the body's `deployment`, to the Worker of the
/// same name in another namespace. Needs `promote` there and `read` here; with `secrets` (`{"NAME": "value"}`, for those
/// that the other namespace does not have yet) also `secrets` there. The other Worker keeps its own values of variables and its own
/// resource ids; new ones must be in the body (`values`, `bindings`) or be accepted (`variables`, `resources`). The answer is the new
/// deployment, with the difference to the one before, and its health check is made if the Worker has one. With the parameter
/// `dry_run=true`, the answer is the difference, and the problem that the promotion would have. With `confirm=inexact`, bindings that
/// are not known are taken from the Worker that is replaced.
///
/// # Errors
/// The errors of [`rollback`](super::rollback::rollback), `PROMOTION_INCOMPLETE` and `PARAMETER_INVALID`.
pub async fn promote<L: LedgerClient, O: Services>(
    gateway: &Gateway<'_, L, O>,
    credential: &ShownCredential,
    target: &Target,
    parameters: &[(&str, &str)],
    body: &[u8],
) -> Result<Answer, Problem> {
    let parameters = Parameters::new(parameters, &["dry_run", "confirm"])?;
    let is_dry_run = parameters.is_dry_run()?;
    let accepts_inexact = accepts_inexact(&parameters)?;
    let request: PromoteRequest = body::read_secret(
        body,
        "{\"to\": \"dotdo-staging\"}, and if need be \"deployment\" (an id), \"secrets\" ({\"NAME\": \"value\"}), \"variables\" and \
         \"resources\" (\"keep\", \"copy_new\" or \"copy\"), \"values\" ({\"NAME\": \"value\"}) and \"bindings\" ({\"NAME\": \
         {\"namespace_id\": \"…\"}})",
    )?;
    let invalid =
        |detail: String| Problem::new(Code::BodyInvalid, detail, "Write the target namespace as \"to\".");
    let environment = Environment::from_namespace(&request.to)
        .ok_or_else(|| invalid("\"to\" is not a namespace of the platform.".to_owned()))?;
    if target.namespace == environment.into() {
        return Err(invalid(format!(
            "\"to\" is {}, which is the namespace of the deployment itself.",
            target.namespace()
        )));
    }
    let to = Target::new(environment, target.worker.clone());
    let options = RedeployOptions {
        secrets: read_secrets(&request.secrets)?,
        accepts_inexact,
        choices: Choices {
            variables: request.variables,
            resources: request.resources,
            values: request.values,
            bindings: request.bindings,
        },
    };
    let change = Change::Promote {
        from: target.clone(),
        deployment: request.deployment,
        with_secrets: !options.secrets.is_empty(),
    };
    if is_dry_run {
        let preview = preview(gateway, credential, &to, change, &options).await?;
        let request_id = &gateway.client.request_id;
        return Answer::json(
            200,
            &Previewed {
                dry_run: true,
                difference: preview.difference.as_ref().map(Cow::Borrowed),
                problem: preview
                    .problem
                    .as_ref()
                    .map(|problem| problem.document(request_id)),
            },
        );
    }
    let redeployed = redeploy(gateway, credential, &to, change, &options).await?;
    deployed(
        &redeployed.deployment,
        gateway.worker_urls,
        redeployed.difference.as_ref(),
    )
}

/// Whether the request accepts bindings of the current version in place of those that are not known.
pub(super) fn accepts_inexact(parameters: &Parameters<'_>) -> Result<bool, Problem> {
    let confirmed = parameters.parse("confirm", CONFIRMATION, |value| {
        (value == CONFIRMATION).then_some(())
    })?;
    Ok(confirmed.is_some())
}

/// The names and values of the secrets in a request.
pub(super) fn read_secrets(
    secrets: &BTreeMap<String, SecretString>,
) -> Result<Vec<(String, String)>, Problem> {
    secrets
        .iter()
        .map(|(name, text)| {
            check_secret_name(name)?;
            Ok((name.clone(), text.expose_secret().to_owned()))
        })
        .collect()
}
