//! What a Worker needs before it can move, and what a person should know of it.

use deploy_api::v1::types::{AccountBinding, AccountWorker};
use dotdo_names::WorkerName;

use crate::commands::migrate::inventory::Inventory;
use crate::commands::migrate::need::{Need, NeedKind};
use crate::commands::migrate::plan_file::PlannedWorker;

pub(super) fn needs(planned: &mut PlannedWorker, worker: &AccountWorker, inventory: &Inventory) {
    let mut need = |kind, what: String| planned.needs.push(Need { kind, what });
    if let Err(error) = WorkerName::parse(&planned.to) {
        need(
            NeedKind::Name,
            format!(
                "Another name in \"to\": no host can reach {:?} ({error}).",
                planned.to
            ),
        );
    }
    for unknown in &worker.unknown {
        let what = match &unknown.permission {
            Some(permission) => format!(
                "The permission \"{permission}\" for the deploy API's Cloudflare token: {} is not known.",
                unknown.what
            ),
            None => format!("A look at it: {} is not known. {}", unknown.what, unknown.reason),
        };
        need(NeedKind::Permission, what);
    }
    let handlers = worker.listed.handlers.as_deref();
    let may_consume = handlers.is_none_or(|handlers| handlers.iter().any(|handler| handler == "queue"));
    if inventory.misses_queues() && may_consume {
        need(
            NeedKind::Permission,
            "The permission \"Queues: Read\" for the deploy API's Cloudflare token: whether it consumes a queue is not known.".to_owned(),
        );
    }
    if worker.listed.has_assets {
        need(
            NeedKind::Wrangler,
            "A deploy from its repository: it has static assets, which cannot be read back.".to_owned(),
        );
    }
    for objects in worker
        .durable_objects
        .iter()
        .flatten()
        .filter(|objects| objects.has_data == Some(false))
    {
        let class = &objects.class;
        need(
            NeedKind::Wrangler,
            format!(
                "A deploy from its repository with its migrations: its Durable Object class {class} has no data yet."
            ),
        );
    }
    for binding in bindings(worker) {
        match binding.kind.as_str() {
            "wasm_module" | "text_blob" | "data_blob" => need(
                NeedKind::Wrangler,
                format!(
                    "A deploy from its repository: the content of the binding {} cannot be read back.",
                    binding.name
                ),
            ),
            "secret_key" => need(
                NeedKind::Wrangler,
                format!(
                    "A deploy from its repository: the key of the binding {} cannot be read back or given as a text.",
                    binding.name
                ),
            ),
            _ => {}
        }
    }
    if !planned.secrets.is_empty() {
        need(
            NeedKind::Secrets,
            format!("The values of its secrets: {}.", planned.secrets.join(", ")),
        );
    }
}

pub(super) fn bindings(worker: &AccountWorker) -> impl Iterator<Item = &AccountBinding> {
    worker.bindings.iter().flatten()
}

pub(super) fn secrets(worker: &AccountWorker) -> Vec<String> {
    let secrets = bindings(worker).filter(|binding| binding.kind == "secret_text");
    secrets.map(|binding| binding.name.clone()).collect()
}

pub(super) fn notes(worker: &AccountWorker) -> Vec<String> {
    let mut notes = Vec::new();
    let handlers = worker.listed.handlers.iter().flatten();
    let idle: Vec<&str> = handlers
        .map(String::as_str)
        .filter(|handler| matches!(*handler, "scheduled" | "queue" | "tail"))
        .collect();
    if !idle.is_empty() {
        notes.push(format!(
            "A namespace never calls its handlers {}.",
            idle.join(", ")
        ));
    }
    if worker.workers_dev == Some(true) {
        notes.push("Its address at workers.dev ends when the account Worker is deleted.".to_owned());
    }
    if !worker.listed.has_modules && !worker.listed.has_assets {
        notes.push("It is a service worker, and not in the format of ES modules.".to_owned());
    }
    if worker
        .versions
        .as_ref()
        .is_some_and(|versions| versions.len() > 1)
    {
        notes.push(
            "A gradual deployment is in progress: the version that was uploaded last is imported.".to_owned(),
        );
    }
    notes
}
