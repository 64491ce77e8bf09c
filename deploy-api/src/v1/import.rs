//! `…/workers/{worker}/import`: deploys an account Worker to a namespace.

use std::collections::BTreeMap;

use dotdo_names::WorkerName;
use schemars::JsonSchema;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};

use super::account::read_name;
use super::promote::read_secrets;
use super::shown_deployment::show;
use super::{Answer, body, secret_text, worker_name};
use crate::deploys::{self, Gateway, Import};
use crate::identity::ShownCredential;
use crate::ledger::LedgerClient;
use crate::problem::Problem;
use crate::services::Services;
use crate::target::Target;

/// An import.
#[derive(Deserialize, Debug, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ImportRequest {
    /// The name of the account Worker.
    pub from: String,
    /// Values of secrets that the Worker in the namespace does not have yet, by name. The values of the account Worker cannot be read.
    // Without the condition, the schema would have a default, which generated clients take for a required member.
    #[serde(
        default,
        skip_serializing_if = "BTreeMap::is_empty",
        serialize_with = "secret_text::serialize_all"
    )]
    #[schemars(with = "BTreeMap<String, String>")]
    pub secrets: BTreeMap<String, SecretString>,
    /// The account Workers that are imported to the same namespace, now or later, each with its name there. Service bindings to them
    /// reach the Workers of the namespace, although the account still has them.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub services: BTreeMap<String, String>,
}

/// `POST …/import`, `{"from": "api-staging", "secrets": {"NAME": "value"}, "services": {"auth-staging": "auth"}}`: reads the modules and
/// settings of an account Worker and deploys them to this Worker, as an upload of a client. Needs `admin`, `deploy` here, and with
/// `secrets` also `secrets` here. Cron triggers, queue consumers, routes and custom domains are not part of it. The account Worker is
/// not changed. The answer is the new deployment, and its health check is made if the Worker has one. The same import again within ten
/// minutes is answered with the deployment that it made.
///
/// # Errors
/// `PERMISSION_DENIED`, `PARAMETER_INVALID`, `BODY_INVALID`, `ACCOUNT_WORKER_UNKNOWN`, `IMPORT_IMPOSSIBLE`, `SECRETS_MISSING`, the
/// errors of an upload, `WORKER_LOCKED`, `HEALTH_CHECK_FAILED`, `DEPLOYMENT_UNSETTLED`, `UPSTREAM_…`, `BUNDLE_STORE_UNAVAILABLE`,
/// `RECORD_UNAVAILABLE`.
pub async fn import<L: LedgerClient, O: Services>(
    gateway: &Gateway<'_, L, O>,
    credential: &ShownCredential,
    target: &Target,
    body: &[u8],
) -> Result<Answer, Problem> {
    let request: ImportRequest = body::read_secret(
        body,
        "{\"from\": \"the name of an account Worker\"}, and if need be \"secrets\" ({\"NAME\": \"value\"}) and \"services\" \
         ({\"account-worker\": \"worker\"})",
    )?;
    let import = Import {
        from: read_name(&request.from)?,
        secrets: read_secrets(&request.secrets)?,
        services: read_services(&request.services)?,
    };
    let deployment = deploys::import(gateway, credential, target, &import).await?;
    Answer::json(201, &show(&deployment, None, gateway.worker_urls))
}

fn read_services(services: &BTreeMap<String, String>) -> Result<BTreeMap<String, WorkerName>, Problem> {
    services
        .iter()
        .map(|(from, to)| Ok((read_name(from)?.as_str().to_owned(), worker_name(to)?)))
        .collect()
}
