//! `/v1/namespaces/{namespace}/workers`: the Workers that are deployed in a namespace, and their records.

use std::borrow::Cow;
use std::collections::HashMap;

use dotdo_names::{Namespace, PLATFORM_WORKERS, WorkerName};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Answer;
use super::page::{Cursors, Page, Parameters};
use crate::audit;
use crate::deployments::{
    DeploymentHealth, DeploymentId, Drift, DriftKind, HealthCheckRequest, LastDeployment, Preview, ShownDrift,
};
use crate::deploys::{
    Gateway, RemoteState, find_drift, next_page, read_state, remote_script, versions, worker_unknown,
};
use crate::identity::ShownCredential;
use crate::ledger::{Ask, LedgerClient, Observe, Overview, WorkerOverview};
use crate::policy::{Action, Request};
use crate::problem::Problem;
use crate::schema::{NamespaceName, Uri};
use crate::services::Services;
use crate::store::locks::Lock;
use crate::target::Target;
use crate::upstream::{call, script};

/// A Worker in a list.
#[derive(Serialize, Clone, Debug, Deserialize, JsonSchema)]
#[schemars(rename = "ListedWorker")]
pub struct Listed {
    /// Its name.
    pub name: String,
    /// The addresses of the Worker by the built-in rules of the dispatch Worker.
    #[schemars(with = "Vec<Uri>")]
    pub urls: Vec<String>,
    /// The deployment that serves; null if the Worker was changed outside of this API.
    pub deployment: Option<DeploymentId>,
    /// Its tags, without the one that names the deployment.
    pub tags: Vec<String>,
    /// When it was created, according to the upstream.
    pub created_on: Option<String>,
    /// When it was changed, according to the upstream.
    pub modified_on: Option<String>,
    /// The recorded current deployment: who deployed last, and when.
    pub last_deployment: Option<LastDeployment>,
    /// The result of the current deployment's health check.
    pub health: DeploymentHealth,
    /// The lock that is in effect.
    pub lock: Option<Lock>,
    /// The change that was made outside of this API; null if there is none.
    pub drift: Option<ShownDrift>,
    /// What it previews, and when it is deleted; omitted unless it is a preview.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub preview: Option<Preview>,
}

/// One Worker in a response.
#[derive(Serialize, Clone, Debug, Deserialize, JsonSchema)]
#[schemars(rename = "Worker")]
pub struct Shown {
    /// The Worker as a list has it.
    #[serde(flatten)]
    pub listed: Listed,
    /// The namespace.
    #[schemars(with = "NamespaceName")]
    pub namespace: Cow<'static, str>,
    /// The current deployment according to the records of this API.
    pub recorded_deployment: Option<DeploymentId>,
    /// The upstream's digest of the script.
    pub etag: Option<String>,
    /// The tag of the last Durable Object migration.
    pub migration_tag: Option<String>,
    /// The health check.
    pub health_check: Option<HealthCheckRequest>,
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
            preview: None,
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
            preview: recorded.preview,
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
    namespace: Namespace,
    parameters: &[(&str, &str)],
) -> Result<Answer, Problem> {
    let ask = Ask::OneOf {
        requests: vec![Request::namespace(Action::Read, namespace)],
        action: audit::Action::Read,
    };
    let since = gateway.authorize(credential, ask).await?.now;
    let parameters = Parameters::new(parameters, &["limit", "cursor", "tag"])?;
    let Some(environment) = namespace.environment() else {
        return list_account(gateway, credential).await;
    };
    let mut request = script::scripts(environment).parameter("limit", parameters.limit()?.to_string());
    // The cursor of the upstream can contain the name of a Worker that the caller may not read.
    let cursors = Cursors::new(gateway.cursor_key, format!("workers of {}", namespace.name()));
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
        namespace,
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
    let items = recorded(gateway, credential, namespace, listed, drifts).await?;
    let cursor = cursor.map(|cursor| cursors.seal(&cursor));
    Answer::json(200, &Page { items, cursor })
}

/// The Workers of the platform that the caller may read, and that the account has or that are recorded.
async fn list_account<L: LedgerClient, O: Services>(
    gateway: &Gateway<'_, L, O>,
    credential: &ShownCredential,
) -> Result<Answer, Problem> {
    let workers = PLATFORM_WORKERS
        .into_iter()
        .filter_map(|name| WorkerName::parse(name).ok());
    let targets: Vec<Target> = workers
        .map(|worker| Target::new(Namespace::Account, worker))
        .collect();
    let reading = |target: &Target| Request::worker(Action::Read, target.clone());
    let ask = Ask::Which {
        requests: targets.iter().map(reading).collect(),
    };
    let which = gateway.authorize(credential, ask).await?.which;
    let mut items = Vec::new();
    for (target, may_read) in targets.iter().zip(which) {
        if may_read && let Some(found) = find(gateway, credential, target).await? {
            items.push(found.listed);
        }
    }
    items.sort_by(|one, other| one.name.cmp(&other.name));
    Answer::json(200, &Page { items, cursor: None })
}

/// Omits the Workers that the caller may not read, and adds what is recorded of the others.
async fn recorded<L: LedgerClient, O: Services>(
    gateway: &Gateway<'_, L, O>,
    credential: &ShownCredential,
    namespace: Namespace,
    listed: Vec<Listed>,
    mut drifts: HashMap<Target, Drift>,
) -> Result<Vec<Listed>, Problem> {
    let target = |name: &str| {
        let worker = WorkerName::parse(name).ok()?;
        Some(Target::new(namespace, worker))
    };
    let readable = |name: &str| match target(name) {
        Some(target) => Request::worker(Action::Read, target),
        // A name that is not routable was not deployed through this API; only a rule for every Worker covers it.
        None => Request::namespace(Action::Lock, namespace),
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
    let found = find(gateway, credential, target).await?;
    Answer::json(200, &found.ok_or_else(|| worker_unknown(target))?)
}

/// One Worker with its records; `None` if it is not deployed, and nothing else is known of it than earlier deployments.
///
/// # Errors
/// `PERMISSION_DENIED`, `UPSTREAM_…`, `RECORD_UNAVAILABLE`.
pub(super) async fn find<L: LedgerClient, O: Services>(
    gateway: &Gateway<'_, L, O>,
    credential: &ShownCredential,
    target: &Target,
) -> Result<Option<Shown>, Problem> {
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
        return Ok(None);
    }
    let state = state.unwrap_or_default();
    let known = authorized.worker.unwrap_or_default();
    let recorded = WorkerOverview {
        last_deployment: authorized.serving.as_ref().map(LastDeployment::of),
        preview: authorized.serving.as_ref().and_then(Preview::of),
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
    Ok(Some(Shown {
        listed: listed.with(gateway.worker_urls.of(target), recorded, drift),
        namespace: Cow::Borrowed(target.namespace()),
        recorded_deployment: known.deployment,
        etag: state.version.etag,
        migration_tag: state.migration_tag,
        health_check: known.health_check,
    }))
}
