//! The calls of `wrangler deploy` about a Worker of the platform in the account, besides its upload.

use dotdo_names::{Namespace, WorkerName};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::account_deploy::{authorize_deploy, host_change, read, target};
use super::account_hosts::Triggers;
use super::response::Reply;
use super::{Absent, Envelope, account_hosts, account_version, refused, settings, upload};
use crate::audit;
use crate::deploys::{Gateway, remote_script, without_own};
use crate::http::Request;
use crate::identity::ShownCredential;
use crate::ledger::{Ask, LedgerClient};
use crate::policy::{self, Action};
use crate::problem::Problem;
use crate::services::Services;
use crate::upload::Source;
use crate::upstream::{Method, call, script};

/// The members of a script that wrangler reads before a deploy.
const SCRIPT: [&str; 7] = [
    "id",
    "tag",
    "etag",
    "created_on",
    "modified_on",
    "migration_tag",
    "has_assets",
];

/// The members of the address of a Worker.
const ADDRESS: [&str; 3] = ["enabled", "previews_enabled", "url"];

/// A call about a Worker of the platform that `wrangler deploy` makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AccountCall {
    /// `PUT A/workers/scripts/{script}`: the upload of a Worker that is new or has a migration.
    Upload,
    /// `POST A/workers/scripts/{script}/versions`: the upload of a version of a Worker that exists.
    UploadVersion,
    /// `POST A/workers/scripts/{script}/deployments`: the deploy of a version.
    DeployVersion,
    /// `GET A/workers/scripts/{script}/deployments`
    Deployments,
    /// `GET A/workers/workers/{script}`: the address.
    Worker,
    /// `GET A/workers/scripts/{script}/subdomain`: the same.
    Address,
    /// `POST A/workers/scripts/{script}/subdomain`: the address that a deploy wants.
    SetAddress,
    /// The routes, custom domains or crons that a deploy wants.
    Set(Triggers),
}

/// Answers a call about a Worker of the platform.
///
/// # Errors
/// The errors of the call.
pub(super) async fn answer<L: LedgerClient, O: Services, B: Source>(
    gateway: &Gateway<'_, L, O>,
    credential: &ShownCredential,
    call: AccountCall,
    worker: &WorkerName,
    request: Request<'_, B>,
) -> Result<Reply, Problem> {
    match call {
        AccountCall::Upload => upload::put(gateway, credential, &target(worker), request).await,
        AccountCall::UploadVersion => account_version::upload(gateway, credential, worker, request).await,
        AccountCall::DeployVersion => account_version::deploy(gateway, credential, worker, request).await,
        AccountCall::Deployments => deployments(gateway, credential, worker).await,
        AccountCall::Worker => self::worker(gateway, credential, worker).await,
        AccountCall::Address => address(gateway, credential, worker).await,
        AccountCall::SetAddress => set_address(gateway, credential, worker, request).await,
        AccountCall::Set(triggers) => {
            account_hosts::accept(gateway, credential, worker, triggers, request).await
        }
    }
}

/// `GET A/workers/services/{script}`: whether the account has the Worker, and at which migration tag.
///
/// # Errors
/// `PERMISSION_DENIED`, `UPSTREAM_…`.
pub(super) async fn service<L: LedgerClient, O: Services>(
    gateway: &Gateway<'_, L, O>,
    credential: &ShownCredential,
    worker: &WorkerName,
) -> Result<Reply, Problem> {
    let target = target(worker);
    settings::authorize(gateway, credential, &target).await?;
    let found = remote_script(gateway.services, &target)
        .await
        .map_err(|failure| failure.problem)?;
    let Some(found) = found else {
        return Ok(Reply::Absent(Absent::AccountScript));
    };
    let described = found.get("script").unwrap_or(&found);
    let mut shown = members(described, &SCRIPT);
    let tags: Vec<String> = described
        .get("tags")
        .and_then(|tags| serde_json::from_value(tags.clone()).ok())
        .unwrap_or_default();
    shown.insert("tags".to_owned(), json!(without_own(tags)));
    // With `api`, wrangler warns that the deploy overwrites a change. What this API deployed came from wrangler.
    shown.insert("last_deployed_from".to_owned(), json!("wrangler"));
    let environment = json!({ "environment": "production", "script": shown });
    Ok(Reply::Success(Envelope::of(json!({
        "id": worker.as_str(), "default_environment": environment, "environments": [environment],
    }))))
}

/// `GET A/workers/scripts/{script}/deployments`: the current deployment, with one version.
///
/// # Errors
/// `PERMISSION_DENIED`.
async fn deployments<L: LedgerClient, O: Services>(
    gateway: &Gateway<'_, L, O>,
    credential: &ShownCredential,
    worker: &WorkerName,
) -> Result<Reply, Problem> {
    let target = target(worker);
    let requests =
        [Action::Deploy, Action::Read].map(|action| policy::Request::worker(action, target.clone()));
    let authorized = gateway
        .authorize_for(credential, requests.to_vec(), audit::Action::Read, &target)
        .await?;
    let shown: Vec<Value> = authorized
        .serving
        .iter()
        .map(|serving| {
            json!({
                "id": serving.id, "source": "wrangler", "strategy": "percentage", "created_on": serving.created,
                "author_email": serving.identity.to_string(),
                "versions": [{ "version_id": serving.id, "percentage": 100 }],
            })
        })
        .collect();
    Ok(Reply::Success(Envelope::of(json!({ "deployments": shown }))))
}

/// `GET A/workers/workers/{script}`: the address of the Worker at workers.dev.
///
/// # Errors
/// `PERMISSION_DENIED`, `UPSTREAM_…`.
async fn worker<L: LedgerClient, O: Services>(
    gateway: &Gateway<'_, L, O>,
    credential: &ShownCredential,
    worker: &WorkerName,
) -> Result<Reply, Problem> {
    settings::authorize(gateway, credential, &target(worker)).await?;
    let Some(found) = described(gateway.services, worker).await? else {
        return Ok(Reply::Absent(Absent::AccountScript));
    };
    let address = found.get("subdomain").unwrap_or(&Value::Null);
    Ok(Reply::Success(Envelope::of(json!({
        "id": found.get("id"), "name": worker.as_str(), "subdomain": members(address, &ADDRESS),
    }))))
}

/// `GET A/workers/scripts/{script}/subdomain`: the same, for earlier versions of wrangler.
///
/// # Errors
/// `PERMISSION_DENIED`, `UPSTREAM_…`.
async fn address<L: LedgerClient, O: Services>(
    gateway: &Gateway<'_, L, O>,
    credential: &ShownCredential,
    worker: &WorkerName,
) -> Result<Reply, Problem> {
    settings::authorize(gateway, credential, &target(worker)).await?;
    Ok(match current_address(gateway.services, worker).await? {
        Some(address) => Reply::Success(Envelope::of(Value::Object(address))),
        None => Reply::Absent(Absent::AccountScript),
    })
}

/// `POST A/workers/scripts/{script}/subdomain`: accepts the address that the Worker has.
///
/// # Errors
/// `ACCOUNT_WORKER_REFUSED` for another address; `PERMISSION_DENIED`, `BODY_INVALID`, `UPSTREAM_…`.
async fn set_address<L: LedgerClient, O: Services, B: Source>(
    gateway: &Gateway<'_, L, O>,
    credential: &ShownCredential,
    worker: &WorkerName,
    request: Request<'_, B>,
) -> Result<Reply, Problem> {
    #[derive(Deserialize)]
    struct Address {
        enabled: Option<bool>,
        previews_enabled: Option<bool>,
    }
    let target = target(worker);
    authorize_deploy(gateway, credential, &target).await?;
    let wanted: Address = read(request, "{\"enabled\": true, \"previews_enabled\": false}").await?;
    let Some(current) = current_address(gateway.services, worker).await? else {
        return Ok(Reply::Absent(Absent::AccountScript));
    };
    let is_same = |name: &str, wanted: Option<bool>| {
        wanted.is_none_or(|wanted| current.get(name).and_then(Value::as_bool).unwrap_or(false) == wanted)
    };
    if is_same("enabled", wanted.enabled) && is_same("previews_enabled", wanted.previews_enabled) {
        return Ok(Reply::Success(Envelope::of(Value::Object(current))));
    }
    Err(host_change(
        worker,
        "`workers_dev` and `preview_urls` of the configuration differ from the address that the Worker has at workers.dev",
    ))
}

/// `GET A/workers/subdomain`: the subdomain of the account, for a caller who may deploy a Worker of the platform.
///
/// # Errors
/// `ACCOUNT_WORKER_REFUSED` for other callers; `UPSTREAM_…`.
pub(super) async fn subdomain<L: LedgerClient, O: Services>(
    gateway: &Gateway<'_, L, O>,
    credential: &ShownCredential,
) -> Result<Reply, Problem> {
    let requests = vec![policy::Request::any_worker(Action::Deploy, Namespace::Account)];
    let authorized = gateway.authorize(credential, Ask::Which { requests }).await?;
    let path = ["workers", "subdomain"];
    if authorized.which != [true] {
        return Err(refused::refused("GET", &path));
    }
    let reply = call(gateway.services, script::account(Method::Get, &path))
        .await
        .outcome
        .map_err(|failure| failure.problem)?;
    Ok(Reply::Success(Envelope::of(Value::Object(members(
        &reply.result,
        &["subdomain"],
    )))))
}

async fn current_address(
    services: &impl Services,
    worker: &WorkerName,
) -> Result<Option<Map<String, Value>>, Problem> {
    let found = described(services, worker).await?;
    Ok(found.map(|found| members(found.get("subdomain").unwrap_or(&Value::Null), &ADDRESS)))
}

/// A Worker with its address; `None` if the account does not have it.
async fn described(services: &impl Services, worker: &WorkerName) -> Result<Option<Value>, Problem> {
    let request = script::account(Method::Get, &["workers", "workers", worker.as_str()]);
    match call(services, request).await.outcome {
        Ok(reply) => Ok(Some(reply.result)),
        Err(failure) if failure.absent => Ok(None),
        Err(failure) => Err(failure.problem),
    }
}

/// The members of an object that are returned. A new member of Cloudflare's response may contain a secret.
fn members(value: &Value, names: &[&str]) -> Map<String, Value> {
    let found = names
        .iter()
        .filter_map(|name| Some(((*name).to_owned(), value.get(name)?.clone())));
    found.collect()
}
