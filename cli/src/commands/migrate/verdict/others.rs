//! What the other Workers of the account mean for a Worker: equal names, service bindings in both directions.

use std::collections::BTreeMap;

use deploy_api::v1::types::AccountWorker;

use super::needs::bindings;
use crate::commands::migrate::inventory::Inventory;
use crate::commands::migrate::need::{Need, NeedKind};
use crate::commands::migrate::plan_file::{Means, PlannedWorker};

/// Two Workers that would become one need other names.
pub(super) fn settle_names(planned: &mut [PlannedWorker]) {
    let mut targets: BTreeMap<(String, String), Vec<usize>> = BTreeMap::new();
    for (index, worker) in planned
        .iter()
        .enumerate()
        .filter(|(_, worker)| worker.stays.is_empty())
    {
        targets
            .entry((worker.environment.clone(), worker.to.clone()))
            .or_default()
            .push(index);
    }
    for ((environment, to), indexes) in targets.into_iter().filter(|(_, indexes)| indexes.len() > 1) {
        let names: Vec<String> = indexes
            .iter()
            .filter_map(|index| planned.get(*index).map(|worker| worker.from.clone()))
            .collect();
        for index in indexes {
            if let Some(worker) = planned.get_mut(index) {
                worker.needs.push(Need {
                    kind: NeedKind::Name,
                    what: format!(
                        "Another name in \"to\": {} would all be {to} in {environment}.",
                        names.join(" and ")
                    ),
                });
            }
        }
    }
}

/// A binding to the Durable Objects of a Worker reaches the account Worker, also after that one moved.
pub(super) fn settle_objects(planned: &mut [PlannedWorker], inventory: &Inventory) {
    let moving: Vec<String> = planned
        .iter()
        .filter(|worker| worker.stays.is_empty())
        .map(|worker| worker.from.clone())
        .collect();
    for (worker, detail) in planned.iter_mut().zip(&inventory.workers) {
        for binding in bindings(detail).filter(|binding| binding.kind == "durable_object_namespace") {
            let Some(script) = &binding.script_name else {
                continue;
            };
            if moving.contains(script) {
                worker.needs.push(Need {
                    kind: NeedKind::Binding,
                    what: format!(
                        "Another binding: {} is for the Durable Objects of {script}, which moves, and would reach those of the account \
                         Worker. Keep {script} in the account (\"by\": \"none\").",
                        binding.name
                    ),
                });
            } else {
                worker.notes.push(format!(
                    "Its binding {} is for the Durable Objects of {script}, which stays in the account.",
                    binding.name
                ));
            }
        }
    }
}

/// A service binding to a Worker that moves cannot name an entrypoint or have props.
pub(super) fn settle_bindings(planned: &mut [PlannedWorker], inventory: &Inventory) {
    let moving: BTreeMap<String, String> = planned
        .iter()
        .filter(|worker| worker.stays.is_empty())
        .map(|worker| (worker.from.clone(), worker.environment.clone()))
        .collect();
    for (worker, detail) in planned.iter_mut().zip(&inventory.workers) {
        for binding in bindings(detail) {
            let Some(service) = binding.service.as_ref().filter(|_| binding.kind == "service") else {
                continue;
            };
            let Some(environment) = moving.get(service) else {
                worker.notes.push(format!(
                    "Its binding {} calls {service}, which stays in the account.",
                    binding.name
                ));
                continue;
            };
            if *environment != worker.environment {
                worker.notes.push(format!(
                    "Its binding {} calls {service}, which moves to {environment}: it keeps calling the account Worker.",
                    binding.name
                ));
            } else if binding.entrypoint.is_some() || binding.has_props {
                let what = if binding.entrypoint.is_some() {
                    "an entrypoint"
                } else {
                    "props"
                };
                worker.needs.push(Need {
                    kind: NeedKind::Binding,
                    what: format!(
                        "Another binding: {} names {what} of {service}, which a namespace does not have. Move its methods to the \
                         default export, or keep {service} in the account (\"by\": \"none\").",
                        binding.name
                    ),
                });
            }
        }
    }
}

/// Adds the callers of each Worker.
pub(super) fn add_callers(planned: &mut [PlannedWorker], inventory: &Inventory) {
    let stays: Vec<String> = planned
        .iter()
        .filter(|worker| worker.by == Means::None)
        .map(|worker| worker.from.clone())
        .collect();
    for worker in planned {
        let calls = |other: &AccountWorker| {
            bindings(other)
                .any(|binding| binding.service.as_deref() == Some(&worker.from) && binding.kind == "service")
        };
        let callers = inventory
            .workers
            .iter()
            .filter(|other| other.listed.name != worker.from && calls(other));
        worker.called_by = callers.map(|other| other.listed.name.clone()).collect();
        let staying: Vec<&str> = worker
            .called_by
            .iter()
            .filter(|name| stays.contains(name))
            .map(String::as_str)
            .collect();
        if worker.by != Means::None && !staying.is_empty() {
            worker.notes.push(format!(
                "{} stay in the account and call it: the account Worker must stay as well.",
                staying.join(", ")
            ));
        }
    }
}
