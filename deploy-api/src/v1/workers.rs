//! `/v1/namespaces/{namespace}/workers`: the Workers that are deployed in a namespace, and their records.

use std::collections::HashMap;

use dotdo_names::{Environment, WorkerName};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use super::Answer;
use super::drift::ShownDrift;
use super::page::{Cursors, Page, Parameters};
use crate::audit;
use crate::deployments::{
    DeploymentHealth, DeploymentId, Drift, DriftKind, HealthCheckRequest, LastDeployment,
};
use crate::deploys::{
    Gateway, Lease, RemoteState, SmallChange, change, find_drift, next_page, read_state, remote_script,
    versions, worker_unknown,
};
use crate::identity::ShownCredential;
use crate::ledger::{Ask, Change, LedgerClient, Observe, Overview, WorkerOverview};
use crate::policy::{Action, Request};
use crate::problem::Problem;
use crate::schema::{NamespaceName, Uri};
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
    /// The addresses of the Worker by the built-in rules of the dispatch Worker.
    #[schemars(with = "Vec<Uri>")]
    urls: Vec<String>,
    /// The deployment that serves; null if the Worker was changed outside of this API.
    deployment: Option<DeploymentId>,
    /// Its tags, without the one that names the deployment.
    tags: Vec<String>,
    /// When it was created, according to the upstream.
    created_on: Option<String>,
    /// When it was changed, according to the upstream.
    modified_on: Option<String>,
    /// The recorded current deployment: who deployed last, and when.
    last_deployment: Option<LastDeployment>,
    /// The result of the current deployment's health check.
    health: DeploymentHealth,
    /// The lock that is in effect.
    lock: Option<Lock>,
    /// The change that was made outside of this API; null if there is none.
    drift: Option<ShownDrift>,
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
    /// The health check.
    health_check: Option<HealthCheckRequest>,
}

impl Listed {
    fn of(name: &str, described: &Value) -> Self {
        let script = described.get("script").unwrap_or(described);
        let text = |member: &str| {
            let found = script.get(member).or_else(|| described.get(member));
            found.and_then(Value::as_str).map(str::to_owned)
        };
        let state = RemoteState::read(described);
        Self {
            name: name.to_owned(),
            urls: Vec::new(),
            deployment: state.version.deployment,
            tags: state.tags.unwrap_or_default(),
            created_on: text("created_on"),
            modified_on: text("modified_on"),
            last_deployment: None,
            health: DeploymentHealth::default(),
            lock: None,
            drift: None,
        }
    }

    /// Adds what is recorded of the Worker.
    fn with(self, urls: Vec<String>, recorded: WorkerOverview, drift: Option<Drift>) -> Self {
        Self {
            urls,
            deployment: self.deployment.filter(|_| drift.is_none()),
            last_deployment: recorded.last_deployment,
            health: recorded.health.shown(drift.is_none()),
            lock: recorded.lock,
            drift: drift.map(ShownDrift::of),
            ..self
        }
    }
}

/// `GET …/workers`: the Workers of a namespace that the caller may read, by name, with their addresses, who deployed them last, lock and
/// drift. Workers that were deleted outside of this API are at the end of the last page. Parameters: `limit`, `cursor`, `tag`.
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
    let since = gateway.authorize(credential, ask).await?.now;
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
    let is_whole = tag.is_none() && parameters.get("cursor").is_none();
    if let Some(tag) = &tag {
        request = request.parameter("tags", format!("{tag}:yes"));
    }
    let reply = call(gateway.services, request.for_information())
        .await
        .outcome
        .map_err(|failure| failure.problem)?;
    let cursor = next_page(reply.info.as_ref());
    let observe = Observe {
        client: gateway.client.clone(),
        environment,
        since,
        scripts: versions(&reply.result),
        is_complete: is_whole && cursor.is_none(),
    };
    let drifts: HashMap<Target, Drift> = gateway.send(&observe).await?.into_iter().collect();
    let found: Vec<(&str, &Value)> = reply
        .result
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|described| Some((described.get("id")?.as_str()?, described)))
        .collect();
    let mut listed: Vec<Listed> = found
        .iter()
        .map(|(name, described)| Listed::of(name, described))
        .collect();
    if cursor.is_none() && tag.is_none() {
        let deleted = drifts
            .iter()
            .filter(|(_, drift)| drift.kind == DriftKind::Deleted);
        let mut deleted: Vec<Listed> = deleted
            .map(|(target, _)| Listed::of(target.worker.as_str(), &Value::Null))
            .collect();
        deleted.sort_by(|one, other| one.name.cmp(&other.name));
        listed.extend(deleted);
    }
    let items = recorded(gateway, credential, environment, listed, drifts).await?;
    let cursor = cursor.map(|cursor| cursors.seal(&cursor));
    Answer::json(200, &Page { items, cursor })
}

/// Omits the Workers that the caller may not read, and adds what is recorded of the others.
async fn recorded<L: LedgerClient, O: Services>(
    gateway: &Gateway<'_, L, O>,
    credential: &ShownCredential,
    environment: Environment,
    listed: Vec<Listed>,
    mut drifts: HashMap<Target, Drift>,
) -> Result<Vec<Listed>, Problem> {
    let target = |name: &str| {
        let worker = WorkerName::parse(name).ok()?;
        Some(Target { environment, worker })
    };
    let readable = |name: &str| match target(name) {
        Some(target) => Request::worker(Action::Read, target),
        // A name that is not routable was not deployed through this API; only a rule for every Worker covers it.
        None => Request::namespace(Action::Lock, environment),
    };
    let ask = Ask::Which {
        requests: listed.iter().map(|listed| readable(&listed.name)).collect(),
    };
    let which = gateway.authorize(credential, ask).await?.which;
    let readable: Vec<(Listed, Option<Target>)> = listed
        .into_iter()
        .zip(which)
        .filter(|(_, may_read)| *may_read)
        .map(|(listed, _)| {
            let target = target(&listed.name);
            (listed, target)
        })
        .collect();
    let workers: Vec<Target> = readable.iter().filter_map(|(_, target)| target.clone()).collect();
    let mut overviews = gateway.send(&Overview { workers }).await?.into_iter();
    let complete = |(listed, target): (Listed, Option<Target>)| match target {
        Some(target) => {
            let overview = overviews.next().unwrap_or_default();
            let urls = gateway.worker_urls.of(&target);
            listed.with(urls, overview, drifts.remove(&target))
        }
        None => listed,
    };
    Ok(readable.into_iter().map(complete).collect())
}

/// `GET …/workers/{worker}`: one Worker, its recorded deployment, its drift, its lock and its health check. A Worker that was deleted
/// outside of this API is returned with its drift.
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
        .map_err(|failure| failure.problem)?;
    let state = match &found {
        Some(found) => Some(
            read_state(gateway.services, target, found)
                .await
                .map_err(|failure| failure.problem)?,
        ),
        None => None,
    };
    let version = state.as_ref().map(|state| &state.version);
    let drift = find_drift(gateway, target, version, authorized.now).await?;
    if state.is_none() && drift.is_none() {
        return Err(worker_unknown(target));
    }
    let state = state.unwrap_or_default();
    let known = authorized.worker.unwrap_or_default();
    let recorded = WorkerOverview {
        last_deployment: authorized.serving.as_ref().map(LastDeployment::of),
        health: authorized
            .serving
            .map(|serving| serving.health)
            .unwrap_or_default(),
        lock: authorized.lock,
    };
    let listed = Listed {
        deployment: state.version.deployment,
        tags: state.tags.unwrap_or_default(),
        ..Listed::of(target.worker.as_str(), &found.unwrap_or_default())
    };
    let shown = Shown {
        listed: listed.with(gateway.worker_urls.of(target), recorded, drift),
        namespace: target.namespace(),
        recorded_deployment: known.deployment,
        etag: state.version.etag,
        migration_tag: state.migration_tag,
        health_check: known.health_check,
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
    let deletion = SmallChange {
        action: audit::Action::Delete,
        request,
        expected: None,
        secret: None,
    };
    change(&lease, deletion).await
}
