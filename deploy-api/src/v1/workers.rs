//! `/v1/namespaces/{namespace}/workers`: the Workers that are deployed in a namespace, and their records.

use dotdo_names::{Environment, WorkerName};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use super::Answer;
use super::page::{Cursors, Page, Parameters};
use crate::audit;
use crate::deployments::{DeploymentHealth, DeploymentId, HealthCheckRequest};
use crate::deploys::{
    Gateway, Lease, LostAnswer, change, remote_script, remote_tags, without_own, worker_unknown,
};
use crate::identity::ShownCredential;
use crate::ledger::{Ask, Change, LedgerClient, ScriptState};
use crate::policy::{Action, Request};
use crate::problem::Problem;
use crate::schema::NamespaceName;
use crate::services::Services;
use crate::store::locks::Lock;
use crate::target::Target;
use crate::upstream::{Method, call, script};

/// A Worker in a list.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "ListedWorker")]
pub(super) struct Listed {
    /// Its name.
    name: String,
    /// The deployment that the upstream has; null if it was not deployed through this API.
    deployment: Option<DeploymentId>,
    /// Its tags, without the one that names the deployment.
    tags: Vec<String>,
    /// When it was created, according to the upstream.
    created_on: Option<String>,
    /// When it was changed, according to the upstream.
    modified_on: Option<String>,
}

/// One Worker in a response.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Worker")]
pub(super) struct Shown {
    #[serde(flatten)]
    listed: Listed,
    /// The namespace.
    #[schemars(with = "NamespaceName")]
    namespace: &'static str,
    /// The current deployment according to the records of this API.
    recorded_deployment: Option<DeploymentId>,
    /// The upstream's digest of the script.
    etag: Option<String>,
    /// The tag of the last Durable Object migration.
    migration_tag: Option<String>,
    /// The lock of the Worker or of its namespace.
    lock: Option<Lock>,
    /// The health check.
    health_check: Option<HealthCheckRequest>,
    /// The result of the current deployment's health check.
    health: DeploymentHealth,
}

impl Listed {
    fn of(name: &str, described: &Value) -> Self {
        let script = described.get("script").unwrap_or(described);
        let text = |member: &str| {
            let found = script.get(member).or_else(|| described.get(member));
            found.and_then(Value::as_str).map(str::to_owned)
        };
        let tags: Vec<String> = script
            .get("tags")
            .and_then(|tags| serde_json::from_value(tags.clone()).ok())
            .unwrap_or_default();
        Self {
            name: name.to_owned(),
            deployment: DeploymentId::of_tags(&tags),
            tags: without_own(tags),
            created_on: text("created_on"),
            modified_on: text("modified_on"),
        }
    }
}

/// `GET …/workers`: the Workers of a namespace that the caller may read, by name. Parameters: `limit`, `cursor`, `tag`.
/// A page with a cursor may have fewer items than `limit`, or none, because Workers that the caller may not read are omitted.
///
/// # Errors
/// `PERMISSION_DENIED` unless the caller may read something in it; `PARAMETER_INVALID`, `UPSTREAM_…`,
/// `RECORD_UNAVAILABLE`.
pub async fn list<L: LedgerClient, O: Services>(
    gateway: &Gateway<'_, L, O>,
    credential: &ShownCredential,
    environment: Environment,
    parameters: &[(&str, &str)],
) -> Result<Answer, Problem> {
    let namespace = Request::namespace(Action::Read, environment);
    let ask = Ask::OneOf {
        requests: vec![namespace],
        action: audit::Action::Read,
    };
    gateway.authorize(credential, ask).await?;
    let parameters = Parameters::new(parameters, &["limit", "cursor", "tag"])?;
    let mut request = script::scripts(environment).parameter("limit", parameters.limit()?.to_string());
    // The cursor of the upstream can contain the name of a Worker that the caller may not read.
    let cursors = Cursors::new(
        gateway.cursor_key,
        format!("workers of {}", environment.namespace()),
    );
    let cursor = parameters.cursor(&cursors, |cursor| Some(cursor.to_owned()))?;
    if let Some(cursor) = cursor {
        request = request.parameter("cursor", cursor);
    }
    let tag = parameters.parse("tag", "a tag", |tag| (!tag.is_empty()).then(|| tag.to_owned()))?;
    if let Some(tag) = tag {
        request = request.parameter("tags", format!("{tag}:yes"));
    }
    let reply = call(gateway.services, request.for_information())
        .await
        .outcome
        .map_err(|failure| failure.problem)?;
    let found: Vec<(&str, &Value)> = reply
        .result
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|described| Some((described.get("id")?.as_str()?, described)))
        .collect();
    let readable = |name: &str| match WorkerName::parse(name) {
        Ok(worker) => Request::worker(Action::Read, Target { environment, worker }),
        // A name that is not routable was not deployed through this API; only a rule for every Worker covers it.
        Err(_) => Request::namespace(Action::Lock, environment),
    };
    let ask = Ask::Which {
        requests: found.iter().map(|(name, _)| readable(name)).collect(),
    };
    let which = gateway.authorize(credential, ask).await?.which;
    let items = found
        .iter()
        .zip(&which)
        .filter(|(_, may_read)| **may_read)
        .map(|((name, described), _)| Listed::of(name, described))
        .collect();
    let cursor = reply
        .info
        .as_ref()
        .and_then(|info| info.get("cursor")?.as_str())
        .filter(|cursor| !cursor.is_empty())
        .map(|cursor| cursors.seal(cursor));
    Answer::json(200, &Page { items, cursor })
}

/// `GET …/workers/{worker}`: one Worker, its recorded deployment, its lock and its health check.
///
/// # Errors
/// `PERMISSION_DENIED`, `WORKER_UNKNOWN`, `UPSTREAM_…`, `RECORD_UNAVAILABLE`.
pub async fn get<L: LedgerClient, O: Services>(
    gateway: &Gateway<'_, L, O>,
    credential: &ShownCredential,
    target: &Target,
) -> Result<Answer, Problem> {
    let request = Request::worker(Action::Read, target.clone());
    let authorized = gateway
        .authorize_for(credential, vec![request], audit::Action::Read, target)
        .await?;
    let found = remote_script(gateway.services, target)
        .await
        .map_err(|failure| failure.problem)?
        .ok_or_else(|| worker_unknown(target))?;
    let remote = remote_tags(gateway.services, target)
        .await
        .map_err(|failure| failure.problem)?
        .unwrap_or_default();
    let known = authorized.worker.unwrap_or_default();
    let script = found.get("script").unwrap_or(&found);
    let text = |name: &str| script.get(name).and_then(Value::as_str).map(str::to_owned);
    let shown = Shown {
        listed: Listed {
            deployment: remote.deployment,
            tags: remote.tags,
            ..Listed::of(target.worker.as_str(), &found)
        },
        namespace: target.namespace(),
        recorded_deployment: known.deployment,
        etag: text("etag"),
        migration_tag: text("migration_tag"),
        lock: authorized.lock,
        health_check: known.health_check,
        health: authorized
            .serving
            .map(|serving| serving.health.shown(true))
            .unwrap_or_default(),
    };
    Answer::json(200, &shown)
}

/// `DELETE …/workers/{worker}`: removes the Worker from its namespace. Its deployments and bundles stay.
///
/// # Errors
/// `PERMISSION_DENIED`, `WORKER_LOCKED`, `WORKER_UNKNOWN`, `DEPLOYMENT_UNSETTLED`, `UPSTREAM_…`, `RECORD_UNAVAILABLE`.
pub async fn delete<L: LedgerClient, O: Services>(
    gateway: &Gateway<'_, L, O>,
    credential: &ShownCredential,
    target: &Target,
) -> Result<Answer, Problem> {
    // A caller with the permission to delete has confirmed it.
    remove(gateway, credential, target, true).await?;
    Answer::json(200, &Value::Null)
}

/// Removes a Worker, for a call of either API. Unless it `is_forced`, the upstream does not delete a script that has Durable Objects
/// or to which other scripts bind.
pub(crate) async fn remove<L: LedgerClient, O: Services>(
    gateway: &Gateway<'_, L, O>,
    credential: &ShownCredential,
    target: &Target,
    is_forced: bool,
) -> Result<(), Problem> {
    let lease = Lease::begin(gateway, credential, target, Change::Delete).await?;
    let mut request = script::script(Method::Delete, target, &[]);
    if is_forced {
        request = request.parameter("force", "true");
    }
    let state = ScriptState::default();
    change(&lease, request, state, LostAnswer::StaysOpen, None)
        .await
        .map(drop)
}
