//! The search for drift: what the upstream has is compared with the records.

use dotdo_names::{Environment, Namespace, PLATFORM_WORKERS, WorkerName};
use jiff::Timestamp;
use serde_json::Value;

use super::Gateway;
use super::remote::{RemoteState, remote_state};
use crate::deployments::{Drift, RemoteVersion};
use crate::ledger::{LedgerClient, Observe};
use crate::problem::Problem;
use crate::services::Services;
use crate::target::Target;
use crate::upstream::{call, script};

/// The number of scripts of a page.
const PAGE: u32 = 1000;

/// The most pages that are read of one namespace. If it has more, deleted Workers are found only when they are requested.
const MAX_PAGES: usize = 10;

/// Compares every namespace with the records, with one call for each 1,000 scripts and one for each Worker of the platform. `since` is
/// the ledger's time before the calls. A namespace that cannot be listed is compared the next time.
///
/// # Errors
/// `RECORD_UNAVAILABLE`.
pub(super) async fn inspect<L: LedgerClient, O: Services>(
    gateway: &Gateway<'_, L, O>,
    since: Timestamp,
) -> Result<(), Problem> {
    for namespace in Namespace::ALL {
        let found = match namespace.environment() {
            Some(environment) => list(gateway.services, environment).await,
            None => platform_workers(gateway.services).await,
        };
        if let Ok((scripts, is_complete)) = found {
            let observe = Observe {
                client: gateway.client.clone(),
                namespace,
                since,
                scripts,
                is_complete,
            };
            gateway.send(&observe).await?;
        }
    }
    Ok(())
}

/// The scripts of a namespace, and whether these are all.
async fn list(
    services: &impl Services,
    environment: Environment,
) -> Result<(Vec<(String, Option<RemoteVersion>)>, bool), Problem> {
    let mut scripts = Vec::new();
    let mut cursor: Option<String> = None;
    for _ in 0..MAX_PAGES {
        let mut request = script::scripts(environment)
            .parameter("limit", PAGE.to_string())
            .for_information();
        if let Some(cursor) = cursor {
            request = request.parameter("cursor", cursor);
        }
        let reply = call(services, request)
            .await
            .outcome
            .map_err(|failure| failure.problem)?;
        scripts.extend(versions(&reply.result));
        cursor = next_page(reply.info.as_ref());
        if cursor.is_none() {
            return Ok((scripts, true));
        }
    }
    Ok((scripts, false))
}

/// The Workers of the platform in the account, and that these are not all Workers of the account.
async fn platform_workers(
    services: &impl Services,
) -> Result<(Vec<(String, Option<RemoteVersion>)>, bool), Problem> {
    let mut scripts = Vec::new();
    for name in PLATFORM_WORKERS {
        let Ok(worker) = WorkerName::parse(name) else {
            continue;
        };
        let found = remote_state(services, &Target::new(Namespace::Account, worker))
            .await
            .map_err(|failure| failure.problem)?;
        scripts.push((name.to_owned(), found.map(|found| found.version)));
    }
    Ok((scripts, false))
}

/// The scripts of a page of the list, by name.
pub(crate) fn versions(page: &Value) -> Vec<(String, Option<RemoteVersion>)> {
    let scripts = page.as_array().into_iter().flatten();
    scripts
        .filter_map(|described| {
            let name = described.get("id")?.as_str()?.to_owned();
            Some((name, Some(RemoteState::read(described).version)))
        })
        .collect()
}

/// The upstream's cursor of the next page of a list.
pub(crate) fn next_page(info: Option<&Value>) -> Option<String> {
    info?
        .get("cursor")?
        .as_str()
        .filter(|cursor| !cursor.is_empty())
        .map(str::to_owned)
}

/// Compares one Worker with its record, and returns the difference. `since` is the ledger's time before the upstream was asked.
///
/// # Errors
/// `RECORD_UNAVAILABLE`.
pub(crate) async fn find_drift<L: LedgerClient, O: Services>(
    gateway: &Gateway<'_, L, O>,
    target: &Target,
    found: Option<&RemoteVersion>,
    since: Timestamp,
) -> Result<Option<Drift>, Problem> {
    let observe = Observe {
        client: gateway.client.clone(),
        namespace: target.namespace,
        since,
        scripts: vec![(target.worker.as_str().to_owned(), found.cloned())],
        is_complete: false,
    };
    let drifts = gateway.send(&observe).await?;
    let own = drifts.into_iter().find(|(observed, _)| observed == target);
    Ok(own.map(|(_, drift)| drift))
}
