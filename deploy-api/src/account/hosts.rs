//! The hosts that lead to account Workers: routes of zones, custom domains, and the subdomain of workers.dev.

use dotdo_names::{ACCOUNT_ID, ZONES};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::reading::{Unreadable, has_next_page, items, read, text};
use crate::code::Code;
use crate::deployments::WorkerUrls;
use crate::problem::Problem;
use crate::services::Services;
use crate::upstream::{Method, UpstreamRequest, script};

/// The number of zones of a page, each of which needs a call for its routes.
const ZONES_PER_PAGE: u32 = 20;

/// How a host leads to a Worker.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "AccountHostKind")]
pub enum HostKind {
    /// A route of a zone.
    Route,
    /// A custom domain.
    CustomDomain,
}

/// A route or a custom domain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AccountHost {
    /// How it leads to a Worker.
    pub kind: HostKind,
    /// Cloudflare's id of it.
    pub id: String,
    /// The pattern of a route, or the host of a custom domain.
    pub pattern: String,
    /// The account Worker; null for a route that excludes requests from every Worker.
    pub worker: Option<String>,
    /// The id of the zone.
    pub zone_id: String,
    /// The name of the zone; null if it is not known.
    pub zone: Option<String>,
}

/// A page of the hosts of the account.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct AccountHosts {
    /// The routes and the custom domains.
    pub items: Vec<AccountHost>,
    /// The addresses of account Workers at workers.dev, with `{worker}` in place of the name, only on the first page; null if the account
    /// has no subdomain or it is not known.
    pub workers_dev_url: Option<String>,
    /// What is not known.
    pub unknown: Vec<Unreadable>,
    /// The cursor of the next page; null on the last page.
    pub cursor: Option<String>,
}

/// The hosts of a page of zones, and on the first page the custom domains and the subdomain: at most 23 calls. The cursor of the next
/// page is its number, not sealed.
///
/// # Errors
/// `UPSTREAM_…`.
pub async fn hosts(services: &impl Services, urls: &WorkerUrls, page: u32) -> Result<AccountHosts, Problem> {
    let mut found = AccountHosts {
        items: Vec::new(),
        workers_dev_url: None,
        unknown: Vec::new(),
        cursor: None,
    };
    if page == 1 {
        first_page(services, urls, &mut found).await?;
    }
    let request = UpstreamRequest::new(Method::Get, ["zones"])
        .parameter("account.id", ACCOUNT_ID)
        .parameter("per_page", ZONES_PER_PAGE.to_string())
        .parameter("page", page.to_string());
    let unknown = &mut found.unknown;
    let Some(reply) = read(services, request, "Zone: Read", "zones and their routes", unknown).await? else {
        return Ok(found);
    };
    let zones: Vec<(String, String)> = items(&reply.result).iter().filter_map(zone).collect();
    for (id, name) in &zones {
        let request = UpstreamRequest::new(Method::Get, ["zones", id, "workers", "routes"]);
        let what = format!("routes of the zone {name}");
        let routes = read(services, request, "Workers Routes: Read", what, unknown).await?;
        let routes = routes
            .as_ref()
            .map(|reply| items(&reply.result))
            .unwrap_or_default();
        found
            .items
            .extend(routes.iter().filter_map(|described| route(described, id, name)));
    }
    let has_more = has_next_page(&reply, page);
    found.cursor = has_more.then(|| (page + 1).to_string());
    if page == 1 && !has_more {
        missing_zones(&mut found, &zones);
    }
    Ok(found)
}

async fn first_page(
    services: &impl Services,
    urls: &WorkerUrls,
    found: &mut AccountHosts,
) -> Result<(), Problem> {
    const PERMISSION: &str = "Workers Scripts: Read";
    let request = script::account(Method::Get, &["workers", "subdomain"]);
    let subdomain = read(
        services,
        request,
        PERMISSION,
        "the subdomain of workers.dev",
        &mut found.unknown,
    )
    .await;
    found.workers_dev_url = match subdomain {
        Ok(reply) => reply
            .and_then(|reply| text(&reply.result, "subdomain"))
            .map(|subdomain| urls.of_account_workers(&subdomain)),
        // The account has no subdomain, for which Cloudflare has the code of a script that does not exist.
        Err(problem) if problem.code == Code::AccountWorkerUnknown => None,
        Err(problem) => return Err(problem),
    };
    let request = script::account(Method::Get, &["workers", "domains"]);
    let domains = read(
        services,
        request,
        PERMISSION,
        "custom domains",
        &mut found.unknown,
    )
    .await?;
    let domains = domains
        .as_ref()
        .map(|reply| items(&reply.result))
        .unwrap_or_default();
    found.items.extend(domains.iter().filter_map(|domain| {
        Some(AccountHost {
            kind: HostKind::CustomDomain,
            id: text(domain, "id")?,
            pattern: text(domain, "hostname")?,
            worker: text(domain, "service"),
            zone_id: text(domain, "zone_id")?,
            zone: text(domain, "zone_name"),
        })
    }));
    Ok(())
}

fn zone(described: &Value) -> Option<(String, String)> {
    let is_id = |id: &String| id.len() == 32 && id.bytes().all(|byte| byte.is_ascii_hexdigit());
    Some((text(described, "id").filter(is_id)?, text(described, "name")?))
}

fn route(described: &Value, zone_id: &str, zone: &str) -> Option<AccountHost> {
    Some(AccountHost {
        kind: HostKind::Route,
        id: text(described, "id")?,
        pattern: text(described, "pattern")?,
        worker: text(described, "script").filter(|script| !script.is_empty()),
        zone_id: zone_id.to_owned(),
        zone: Some(zone.to_owned()),
    })
}

/// Reports the zones that must exist and are not listed: a token that is limited to some zones gets a list without the others, and no
/// error.
fn missing_zones(found: &mut AccountHosts, listed: &[(String, String)]) {
    let of_domains = found.items.iter().filter_map(|host| host.zone.as_deref());
    let mut names: Vec<&str> = of_domains.chain(ZONES.iter().copied()).collect();
    names.sort_unstable();
    names.dedup();
    names.retain(|name| !listed.iter().any(|(_, listed)| listed == name));
    let missing: Vec<String> = names.into_iter().map(str::to_owned).collect();
    for name in missing {
        let what = format!("routes of the zone {name}");
        found.unknown.push(Unreadable::without("Zone: Read", what));
    }
    if listed.is_empty() && found.unknown.is_empty() {
        let reason = "The list of zones is empty. A token without the permission \"Zone: Read\" for a zone gets the same answer.";
        found
            .unknown
            .push(Unreadable::because(reason, "zones and their routes"));
    }
}
