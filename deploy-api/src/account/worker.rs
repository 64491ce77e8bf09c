use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::objects::{ObjectNamespace, objects};
use super::reading::{Unreadable, account_worker_unknown, items, read, text, texts};
use super::{AccountWorkerName, ListedWorker, scripts};
use crate::problem::Problem;
use crate::services::Services;
use crate::upstream::{Method, UpstreamRequest, call, script};

/// The permission for the calls about scripts.
const PERMISSION: &str = "Workers Scripts: Read";

/// The most bindings of a Worker that are returned.
const MAX_BINDINGS: usize = 1000;

/// An account Worker in detail.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AccountWorker {
    /// The same as in the list.
    #[serde(flatten)]
    pub listed: ListedWorker,
    /// The bindings; null if they are not known.
    pub bindings: Option<Vec<AccountBinding>>,
    /// The compatibility date; null if it has none or is not known.
    pub compatibility_date: Option<String>,
    /// The compatibility flags.
    pub compatibility_flags: Vec<String>,
    /// The placement, limits, observability and Logpush of the settings, as Cloudflare returns them.
    pub settings: Map<String, Value>,
    /// The account Workers that get its traces.
    pub tail_consumers: Vec<String>,
    /// The cron triggers; null if they are not known.
    pub crons: Option<Vec<String>>,
    /// Whether it has an address at workers.dev; null if that is not known.
    pub workers_dev: Option<bool>,
    /// The Durable Object classes that it defines; null if they are not known.
    pub durable_objects: Option<Vec<ObjectNamespace>>,
    /// The versions that serve, each with its part of the requests in percent; null if they are not known.
    pub versions: Option<Vec<ServingVersion>>,
    /// What is not known.
    pub unknown: Vec<Unreadable>,
}

/// A binding of an account Worker, without values of variables and secrets.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AccountBinding {
    /// The name by which the Worker accesses it.
    pub name: String,
    /// Cloudflare's name of its type.
    #[serde(rename = "type")]
    pub kind: String,
    /// The account Worker that a service binding reaches.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service: Option<String>,
    /// The entrypoint of that Worker; omitted for the default one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub entrypoint: Option<String>,
    /// Whether a service binding has props.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub has_props: bool,
    /// The class of a Durable Object or of a workflow.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub class_name: Option<String>,
    /// The account Worker that defines the class; omitted if it is the Worker itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub script_name: Option<String>,
    /// The id or the name of the resource.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource: Option<String>,
}

/// A version of an account Worker that serves requests.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "ServingAccountVersion")]
pub struct ServingVersion {
    /// Its id.
    pub id: String,
    /// Its part of the requests, in percent.
    pub percentage: f64,
}

/// The members that hold the id or the name of a resource.
const RESOURCES: [&str; 12] = [
    "namespace_id",
    "bucket_name",
    "database_id",
    "id",
    "queue_name",
    "dataset",
    "index_name",
    "workflow_name",
    "pipeline",
    "certificate_id",
    "store_id",
    "namespace",
];

impl AccountBinding {
    fn read(binding: &Value, own: &AccountWorkerName) -> Option<Self> {
        let kind = text(binding, "type")?;
        let is_class = matches!(kind.as_str(), "durable_object_namespace" | "workflow");
        let resource = RESOURCES
            .iter()
            .filter(|_| !is_class)
            .find_map(|member| text(binding, member));
        Some(Self {
            name: text(binding, "name")?,
            service: text(binding, "service"),
            entrypoint: text(binding, "entrypoint").filter(|entrypoint| entrypoint != "default"),
            has_props: binding.get("props").is_some_and(|props| !props.is_null()),
            class_name: text(binding, "class_name"),
            script_name: text(binding, "script_name").filter(|script| script != own.as_str()),
            resource,
            kind,
        })
    }
}

/// A call about an account Worker.
fn about(name: &AccountWorkerName, rest: &[&str]) -> UpstreamRequest {
    let path = [&["workers", "scripts", name.as_str()], rest].concat();
    script::account(Method::Get, &path)
}

/// The settings of an account Worker as Cloudflare returns them, secrets without values.
///
/// # Errors
/// `ACCOUNT_WORKER_UNKNOWN`, `UPSTREAM_…`.
pub async fn settings(
    services: &impl Services,
    name: &AccountWorkerName,
) -> Result<Map<String, Value>, Problem> {
    match call(services, about(name, &["settings"])).await.outcome {
        Ok(reply) => Ok(match reply.result {
            Value::Object(settings) => settings,
            _ => Map::new(),
        }),
        Err(failure) if failure.absent => Err(account_worker_unknown()),
        Err(failure) => Err(failure.problem),
    }
}

/// The item of an account Worker in the list.
///
/// # Errors
/// `ACCOUNT_WORKER_UNKNOWN`, `UPSTREAM_…`.
async fn listed(services: &impl Services, name: &AccountWorkerName) -> Result<ListedWorker, Problem> {
    let all = scripts(services).await?;
    let found = all.into_iter().find(|listed| listed.name == name.as_str());
    found.ok_or_else(account_worker_unknown)
}

/// One account Worker in detail: at most 35 calls.
///
/// # Errors
/// `ACCOUNT_WORKER_UNKNOWN`, `UPSTREAM_…`.
pub async fn inspect(services: &impl Services, name: &AccountWorkerName) -> Result<AccountWorker, Problem> {
    let listed = listed(services, name).await?;
    let mut unknown = Vec::new();
    let found = &mut unknown;
    let settings = read(
        services,
        about(name, &["settings"]),
        PERMISSION,
        "settings",
        found,
    )
    .await?;
    let settings = settings.map(|reply| reply.result);
    let crons = read(services, about(name, &["schedules"]), PERMISSION, "crons", found).await?;
    let crons = crons.map(|reply| {
        let schedules = reply.result.get("schedules").map(items).unwrap_or_default();
        schedules
            .iter()
            .filter_map(|schedule| text(schedule, "cron"))
            .collect()
    });
    let address = read(
        services,
        about(name, &["subdomain"]),
        PERMISSION,
        "workers_dev",
        found,
    )
    .await?;
    let address = address.and_then(|reply| reply.result.get("enabled")?.as_bool());
    let versions = read(
        services,
        about(name, &["deployments"]),
        PERMISSION,
        "versions",
        found,
    )
    .await?;
    let versions = versions.map(|reply| serving(&reply.result));
    let bindings: Option<Vec<AccountBinding>> = settings.as_ref().map(|settings| {
        let list = settings.get("bindings").map(items).unwrap_or_default();
        let known = list
            .iter()
            .filter_map(|binding| AccountBinding::read(binding, name));
        known.take(MAX_BINDINGS).collect()
    });
    let may_have_objects = listed.migration_tag.is_some()
        || bindings.as_ref().is_none_or(|bindings| {
            bindings
                .iter()
                .any(|binding| binding.kind == "durable_object_namespace" && binding.script_name.is_none())
        });
    let durable_objects = if may_have_objects {
        objects(services, name, found).await?
    } else {
        Some(Vec::new())
    };
    let settings = settings.unwrap_or_default();
    let consumers = settings.get("tail_consumers").map(items).unwrap_or_default();
    Ok(AccountWorker {
        listed,
        bindings,
        compatibility_date: text(&settings, "compatibility_date"),
        compatibility_flags: texts(settings.get("compatibility_flags")),
        tail_consumers: consumers
            .iter()
            .filter_map(|consumer| text(consumer, "service"))
            .collect(),
        settings: shown(&settings),
        crons,
        workers_dev: address,
        durable_objects,
        versions,
        unknown,
    })
}

/// The settings that are returned unchanged.
fn shown(settings: &Value) -> Map<String, Value> {
    ["placement", "limits", "observability", "logpush"]
        .into_iter()
        .filter_map(|member| Some((member.to_owned(), settings.get(member)?.clone())))
        .filter(|(_, value)| !value.is_null())
        .collect()
}

/// The versions of the newest deployment.
fn serving(result: &Value) -> Vec<ServingVersion> {
    let newest = result.get("deployments").map(items).unwrap_or_default().first();
    let versions = newest
        .and_then(|newest| newest.get("versions"))
        .map(items)
        .unwrap_or_default();
    versions
        .iter()
        .filter_map(|version| {
            Some(ServingVersion {
                id: text(version, "version_id")?,
                percentage: version.get("percentage")?.as_f64()?,
            })
        })
        .collect()
}
