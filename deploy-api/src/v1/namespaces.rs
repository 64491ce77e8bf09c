//! `/v1/namespaces`: the dispatch namespaces and their script counts.

use std::borrow::Cow;

use dotdo_names::Environment;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Answer;
use crate::audit;
use crate::deploys::Gateway;
use crate::identity::ShownCredential;
use crate::ledger::{Ask, LedgerClient};
use crate::policy::{Action, Request};
use crate::problem::Problem;
use crate::schema::NamespaceName;
use crate::services::Services;
use crate::upstream::{call, script};

/// A namespace in a response.
#[derive(Serialize, Clone, Debug, Deserialize, JsonSchema)]
#[schemars(rename = "Namespace")]
pub struct Shown {
    /// Its name.
    #[schemars(with = "NamespaceName")]
    pub name: Cow<'static, str>,
    /// `production`, `staging` or `development`.
    pub environment: Cow<'static, str>,
    /// Cloudflare's id.
    #[schemars(extend("format" = "uuid"))]
    pub id: Cow<'static, str>,
    /// The number of Workers; null if the upstream does not have the namespace.
    pub script_count: Option<u64>,
    /// Whether the Workers are trusted.
    pub trusted_workers: Option<bool>,
    /// When it was created, according to the upstream.
    pub created_on: Option<String>,
    /// When it was changed, according to the upstream.
    pub modified_on: Option<String>,
}

impl Shown {
    fn of(environment: Environment, described: Option<&Value>) -> Self {
        let member = |name: &str| described.and_then(|described| described.get(name));
        let text = |name: &str| member(name).and_then(Value::as_str).map(str::to_owned);
        Self {
            name: Cow::Borrowed(environment.namespace()),
            environment: Cow::Borrowed(environment.name()),
            id: Cow::Borrowed(environment.namespace_id()),
            script_count: member("script_count").and_then(Value::as_u64),
            trusted_workers: member("trusted_workers").and_then(Value::as_bool),
            created_on: text("created_on"),
            modified_on: text("modified_on"),
        }
    }
}

/// The namespaces.
#[derive(Serialize, Clone, Debug, Deserialize, JsonSchema)]
#[schemars(rename = "NamespaceItems")]
pub struct Listed {
    /// The namespaces.
    pub items: Vec<Shown>,
}

/// The namespaces that a caller may read something in, as the upstream describes them.
pub(crate) async fn visible<L: LedgerClient, O: Services>(
    gateway: &Gateway<'_, L, O>,
    credential: &ShownCredential,
) -> Result<Vec<(Environment, Option<Value>)>, Problem> {
    let requests = Environment::ALL
        .map(|environment| Request::namespace(Action::Read, environment))
        .to_vec();
    let authorized = gateway.authorize(credential, Ask::Which { requests }).await?;
    let visible: Vec<Environment> = Environment::ALL
        .into_iter()
        .zip(&authorized.which)
        .filter_map(|(environment, may)| may.then_some(environment))
        .collect();
    if visible.is_empty() {
        return Ok(Vec::new());
    }
    let reply = call(gateway.services, script::namespace(None).for_information())
        .await
        .outcome
        .map_err(|failure| failure.problem)?;
    let described = reply.result.as_array().cloned().unwrap_or_default();
    Ok(visible
        .into_iter()
        .map(|environment| {
            let found = described.iter().find(|namespace| {
                namespace.get("namespace_name").and_then(Value::as_str) == Some(environment.namespace())
            });
            (environment, found.cloned())
        })
        .collect())
}

/// A namespace as the upstream describes it.
pub(crate) async fn described<L: LedgerClient, O: Services>(
    gateway: &Gateway<'_, L, O>,
    credential: &ShownCredential,
    environment: Environment,
) -> Result<Value, Problem> {
    let ask = Ask::OneOf {
        requests: vec![Request::namespace(Action::Read, environment)],
        action: audit::Action::Read,
    };
    gateway.authorize(credential, ask).await?;
    let request = script::namespace(Some(environment)).for_information();
    call(gateway.services, request)
        .await
        .outcome
        .map(|reply| reply.result)
        .map_err(|failure| failure.problem)
}

/// `GET /v1/namespaces`: the namespaces that the caller may read something in, with their ids and script counts.
///
/// # Errors
/// `UPSTREAM_…` if the upstream does not answer; `RECORD_UNAVAILABLE`.
pub async fn list<L: LedgerClient, O: Services>(
    gateway: &Gateway<'_, L, O>,
    credential: &ShownCredential,
) -> Result<Answer, Problem> {
    let visible = visible(gateway, credential).await?;
    let items = visible
        .iter()
        .map(|(environment, described)| Shown::of(*environment, described.as_ref()))
        .collect();
    Answer::json(200, &Listed { items })
}

/// `GET /v1/namespaces/{namespace}`: one of them.
///
/// # Errors
/// `PERMISSION_DENIED` unless the caller may read something in it; `UPSTREAM_…`, `RECORD_UNAVAILABLE`.
pub async fn get<L: LedgerClient, O: Services>(
    gateway: &Gateway<'_, L, O>,
    credential: &ShownCredential,
    environment: Environment,
) -> Result<Answer, Problem> {
    let described = described(gateway, credential, environment).await?;
    Answer::json(200, &Shown::of(environment, Some(&described)))
}
