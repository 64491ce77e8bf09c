//! Whether an account Worker can move into a namespace: pure rules on the inventory.

mod hosts;
mod needs;
mod others;
mod stays;
#[cfg(test)]
mod tests;

use deploy_api::v1::types::{AccountHost, AccountWorker};
use dispatcher::routing::Router;
use dotdo_names::Environment;

pub use self::hosts::is_routed;
use super::inventory::Inventory;
use super::need::{Need, NeedKind, Verdict};
use super::plan_file::{Means, PlannedWorker};
use super::target::target_of;

/// Judges every Worker of an inventory. Workers without an environment in their name move to `default`.
pub fn assess(inventory: &Inventory, default: Environment, router: &Router) -> Vec<PlannedWorker> {
    let mut planned: Vec<PlannedWorker> = inventory
        .workers
        .iter()
        .map(|worker| one(worker, inventory, default, router))
        .collect();
    others::settle_names(&mut planned);
    others::settle_bindings(&mut planned, inventory);
    others::settle_objects(&mut planned, inventory);
    for worker in &mut planned {
        worker.verdict = match (worker.stays.is_empty(), worker.needs.is_empty()) {
            (false, _) => Verdict::Stays,
            (true, false) => Verdict::Needs,
            (true, true) => Verdict::Ready,
        };
        worker.by = means(worker);
        if worker.verdict == Verdict::Stays {
            worker.needs.clear();
        }
    }
    others::add_callers(&mut planned, inventory);
    planned
}

fn means(worker: &PlannedWorker) -> Means {
    if worker.verdict == Verdict::Stays {
        return Means::None;
    }
    let blocking: Vec<NeedKind> = worker
        .needs
        .iter()
        .map(|need| need.kind)
        .filter(|kind| !kind.permits_import())
        .collect();
    match blocking.as_slice() {
        [] => Means::Import,
        [NeedKind::Wrangler, ..] if blocking.iter().all(|kind| *kind == NeedKind::Wrangler) => {
            Means::Wrangler
        }
        _ => Means::None,
    }
}

fn one(
    worker: &AccountWorker,
    inventory: &Inventory,
    default: Environment,
    router: &Router,
) -> PlannedWorker {
    let name = &worker.listed.name;
    let target = target_of(name, default);
    let hosts: Vec<AccountHost> = inventory
        .hosts
        .iter()
        .filter(|host| host.worker.as_deref() == Some(name) && !hosts::is_covered(host, inventory))
        .cloned()
        .collect();
    let mut planned = PlannedWorker {
        from: name.clone(),
        to: target.name.clone(),
        environment: target.environment.name().to_owned(),
        by: Means::None,
        verdict: Verdict::Ready,
        needs: Vec::new(),
        stays: stays::stays(worker, inventory),
        notes: needs::notes(worker),
        secrets: needs::secrets(worker),
        etag: worker.listed.etag.clone(),
        address: hosts::address(worker, &hosts, inventory.workers_dev_url.as_deref()),
        hosts,
        called_by: Vec::new(),
    };
    if target.is_renamed {
        planned.notes.push(format!(
            "No host can reach {name:?}, so it becomes {}.",
            target.name
        ));
    }
    needs::needs(&mut planned, worker, inventory);
    let unrouted: Vec<Need> = planned
        .hosts
        .iter()
        .filter_map(|host| hosts::unrouted(host, &target, router))
        .collect();
    planned.needs.extend(unrouted);
    planned
}
