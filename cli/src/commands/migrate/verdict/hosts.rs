//! The routes and custom domains of a Worker, and the rules of the dispatch Worker that would serve them.

use deploy_api::v1::types::{AccountHost, AccountWorker, HostKind};
use dispatcher::routing::{Outcome, Router};
use dotdo_names::{DISPATCH_WORKER, Environment};

use crate::commands::migrate::inventory::Inventory;
use crate::commands::migrate::need::{Need, NeedKind};
use crate::commands::migrate::target::MoveTarget;

/// Whether a route in front of a custom domain leads to the dispatch Worker already, so that the domain is not part of the migration.
pub(super) fn is_covered(host: &AccountHost, inventory: &Inventory) -> bool {
    let pattern = format!("{}/*", host.pattern);
    host.kind == HostKind::CustomDomain
        && inventory.hosts.iter().any(|route| {
            route.kind == HostKind::Route
                && route.pattern == pattern
                && route.worker.as_deref() == Some(DISPATCH_WORKER)
        })
}

/// The address at which the Worker answers without a change: at workers.dev, which leads to the account Worker after a cutover as well, or
/// else a custom domain or a route with a plain host.
pub(super) fn address(
    worker: &AccountWorker,
    hosts: &[AccountHost],
    workers_dev_url: Option<&str>,
) -> Option<String> {
    if let Some(url) = workers_dev_url.filter(|_| worker.workers_dev == Some(true)) {
        return Some(url.replace("{worker}", &worker.listed.name));
    }
    if let Some(domain) = hosts.iter().find(|host| host.kind == HostKind::CustomDomain) {
        return Some(format!("https://{}", domain.pattern));
    }
    hosts.iter().find_map(|host| {
        let host = without_scheme(host).split('/').next()?;
        let is_whole = !host.contains('*');
        is_whole.then(|| format!("https://{host}"))
    })
}

fn without_scheme(host: &AccountHost) -> &str {
    host.pattern
        .trim_start_matches("https://")
        .trim_start_matches("http://")
}

/// A request that a route or a custom domain matches.
pub(super) fn witness(host: &AccountHost) -> String {
    let pattern = without_scheme(host);
    let (name, path) = pattern.split_once('/').unwrap_or((pattern, ""));
    let name = name
        .strip_prefix("*.")
        .map_or_else(|| name.replace('*', ""), |rest| format!("host.{rest}"));
    format!("https://{name}/{}", path.replace('*', ""))
}

/// Whether the rules of the dispatch Worker lead the requests of a route or custom domain to a Worker.
pub fn is_routed(host: &AccountHost, environment: Environment, worker: &str, router: &Router) -> bool {
    match router.explain(&witness(host)).outcome {
        Outcome::Route(route) => route.worker == worker && route.environment == environment.name(),
        Outcome::Refusal(_) => false,
    }
}

pub(super) fn unrouted(host: &AccountHost, target: &MoveTarget, router: &Router) -> Option<Need> {
    if is_routed(host, target.environment, &target.name, router) {
        return None;
    }
    let plain = without_scheme(host);
    let rule = serde_json::json!({
        "pattern": plain.strip_suffix("/*").unwrap_or(plain),
        "worker": target.name,
        "environment": target.environment.name(),
    });
    Some(Need {
        kind: NeedKind::Route,
        what: format!(
            "A rule in ROUTES of the dispatch Worker before the cutover of {}, such as {rule}.",
            host.pattern
        ),
    })
}
