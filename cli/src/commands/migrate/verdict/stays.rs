//! Why a Worker stays in the account.

use deploy_api::v1::types::AccountWorker;
use dotdo_names::{DEPLOY_API_WORKER, DISPATCH_WORKER, LOGS_WORKER};

use super::needs::bindings;
use crate::commands::migrate::inventory::Inventory;

/// Why a Worker stays in the account.
pub(super) fn stays(worker: &AccountWorker, inventory: &Inventory) -> Vec<String> {
    let name = worker.listed.name.as_str();
    let mut reasons = Vec::new();
    if [DISPATCH_WORKER, DEPLOY_API_WORKER, LOGS_WORKER].contains(&name) {
        reasons.push("It is a Worker of the platform.".to_owned());
        return reasons;
    }
    if let Some(handlers) = &worker.listed.handlers
        && !handlers.iter().any(|handler| handler == "fetch")
    {
        let has = if handlers.is_empty() {
            "none".to_owned()
        } else {
            handlers.join(", ")
        };
        reasons.push(format!(
            "It has no `fetch` handler, so no request can reach it in a namespace (handlers: {has})."
        ));
    }
    if worker
        .listed
        .handlers
        .iter()
        .flatten()
        .any(|handler| handler == "email")
    {
        reasons.push("It has an `email` handler, which gets emails only in the account.".to_owned());
    }
    for crons in worker.crons.iter().filter(|crons| !crons.is_empty()) {
        reasons.push(format!(
            "It has cron triggers, which run only in the account: {}.",
            crons.join(", ")
        ));
    }
    let queues: Vec<&str> = inventory
        .consumers
        .iter()
        .filter(|consumer| consumer.worker == name)
        .map(|consumer| consumer.queue.as_str())
        .collect();
    if !queues.is_empty() {
        reasons.push(format!(
            "It consumes queues, which reach only account Workers: {}.",
            queues.join(", ")
        ));
    }
    for objects in worker
        .durable_objects
        .iter()
        .flatten()
        .filter(|objects| objects.has_data != Some(false))
    {
        let class = &objects.class;
        reasons.push(if objects.has_data == Some(true) {
            format!("The Durable Objects of its class {class} have data, which cannot be moved.")
        } else {
            format!("The Durable Objects of its class {class} may have data, which cannot be moved; whether they do is not known.")
        });
    }
    for workflow in
        bindings(worker).filter(|binding| binding.kind == "workflow" && binding.script_name.is_none())
    {
        reasons.push(format!(
            "It defines the workflow of the binding {}, which a namespace does not run.",
            workflow.name
        ));
    }
    let traced: Vec<&str> = inventory
        .workers
        .iter()
        .filter(|other| other.tail_consumers.iter().any(|consumer| consumer == name))
        .map(|other| other.listed.name.as_str())
        .collect();
    if !traced.is_empty() {
        reasons.push(format!(
            "It gets the traces of {}, which reach only account Workers.",
            traced.join(", ")
        ));
    }
    reasons
}
