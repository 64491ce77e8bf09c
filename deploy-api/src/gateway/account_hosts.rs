//! The routes, custom domains and crons that `wrangler deploy` sends after the upload of a Worker of the platform. Those that the Worker has
//! are accepted without a change. Others need the approval of an operator of the account, who has a Cloudflare login.

use std::collections::BTreeSet;

use dotdo_names::WorkerName;
use serde::Deserialize;
use serde_json::{Value, json};

use super::Envelope;
use super::account_deploy::{authorize_deploy, host_change, read, target};
use super::response::Reply;
use crate::account::{self, HostKind};
use crate::code::Code;
use crate::deploys::Gateway;
use crate::http::Request;
use crate::identity::ShownCredential;
use crate::ledger::LedgerClient;
use crate::problem::Problem;
use crate::services::Services;
use crate::upload::Source;
use crate::upstream::{Method, call, script};

/// The most pages of zones that are read.
const MAX_PAGES: u32 = 50;

/// What a call sets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Triggers {
    /// `PUT …/routes`
    Routes,
    /// `PUT …/domains/records`
    Domains,
    /// `PUT …/schedules`
    Crons,
}

impl Triggers {
    /// The member of the wrangler configuration.
    const fn member(self) -> &'static str {
        match self {
            Self::Routes | Self::Domains => "routes",
            Self::Crons => "triggers",
        }
    }

    /// The member of an item that identifies it.
    const fn key(self) -> &'static str {
        match self {
            Self::Routes => "pattern",
            Self::Domains => "hostname",
            Self::Crons => "cron",
        }
    }
}

/// The body: a list, or for custom domains an object with a list.
#[derive(Deserialize)]
#[serde(untagged)]
enum Wanted {
    List(Vec<Value>),
    Domains { origins: Vec<Value> },
}

/// Accepts what the Worker has already.
///
/// # Errors
/// `ACCOUNT_WORKER_REFUSED` for anything else, also if the token of the deploy API may not read what the Worker has; `PERMISSION_DENIED`,
/// `BODY_INVALID`, `UPSTREAM_…`.
pub(super) async fn accept<L: LedgerClient, O: Services, B: Source>(
    gateway: &Gateway<'_, L, O>,
    credential: &ShownCredential,
    worker: &WorkerName,
    triggers: Triggers,
    request: Request<'_, B>,
) -> Result<Reply, Problem> {
    authorize_deploy(gateway, credential, &target(worker)).await?;
    let key = triggers.key();
    let items = match read(request, &format!("[{{\"{key}\": \"…\"}}]")).await? {
        Wanted::List(items) | Wanted::Domains { origins: items } => items,
    };
    let wanted: BTreeSet<String> = items
        .iter()
        .filter_map(|item| item.as_str().or_else(|| item.get(key)?.as_str()))
        .map(str::to_owned)
        .collect();
    let current = match triggers {
        Triggers::Routes => hosts(gateway, worker, HostKind::Route).await?,
        Triggers::Domains => hosts(gateway, worker, HostKind::CustomDomain).await?,
        Triggers::Crons => crons(gateway.services, worker).await?,
    };
    if wanted == current && wanted.len() == items.len() {
        let result: Vec<Value> = current.iter().map(|item| json!({ key: item })).collect();
        return Ok(Reply::Success(Envelope::of(Value::Array(result))));
    }
    let member = triggers.member();
    Err(host_change(
        worker,
        &format!("`{member}` of the configuration differs from what the Worker has"),
    )
    .note(format!("In the configuration: {}.", shown(&wanted)))
    .note(format!("At Cloudflare: {}.", shown(&current))))
}

fn shown(items: &BTreeSet<String>) -> String {
    if items.is_empty() {
        return "none".to_owned();
    }
    items.iter().map(String::as_str).collect::<Vec<_>>().join(", ")
}

/// The routes or the custom domains of a Worker.
async fn hosts<L: LedgerClient, O: Services>(
    gateway: &Gateway<'_, L, O>,
    worker: &WorkerName,
    kind: HostKind,
) -> Result<BTreeSet<String>, Problem> {
    let mut found = BTreeSet::new();
    let mut page = 1;
    loop {
        let hosts = account::hosts(gateway.services, gateway.worker_urls, page).await?;
        if let Some(unreadable) = hosts.unknown.first() {
            return Err(Problem::new(
                Code::AccountWorkerRefused,
                format!(
                    "The code of {worker} is deployed, but whether its routes change is not known: the Cloudflare token of the deploy API \
                     cannot read them."
                ),
                "Ask an operator of the account to add \"Zone: Read\" and \"Workers Routes: Read\" to the token.",
            )
            .note(format!("Not known are the {}: {}", unreadable.what, unreadable.reason)));
        }
        let own = hosts
            .items
            .into_iter()
            .filter(|host| host.kind == kind && host.worker.as_deref() == Some(worker.as_str()));
        found.extend(own.map(|host| host.pattern));
        if hosts.cursor.is_none() || page == MAX_PAGES {
            return Ok(found);
        }
        page += 1;
    }
}

/// The crons of a Worker.
async fn crons(services: &impl Services, worker: &WorkerName) -> Result<BTreeSet<String>, Problem> {
    let request = script::script(Method::Get, &target(worker), &["schedules"]);
    let reply = call(services, request)
        .await
        .outcome
        .map_err(|failure| failure.problem)?;
    let schedules = reply.result.get("schedules").and_then(Value::as_array);
    Ok(schedules
        .into_iter()
        .flatten()
        .filter_map(|schedule| schedule.get("cron")?.as_str())
        .map(str::to_owned)
        .collect())
}
