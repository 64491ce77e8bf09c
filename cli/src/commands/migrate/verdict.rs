//! Whether an account Worker can move into a namespace: pure rules on the inventory.

use std::collections::BTreeMap;

use deploy_api::v1::types::{AccountBinding, AccountHost, AccountWorker, HostKind};
use dispatcher::routing::{Outcome, Router};
use dotdo_names::{DEPLOY_API_WORKER, DISPATCH_WORKER, Environment, LOGS_WORKER, WorkerName};
use serde::{Deserialize, Serialize};

use super::inventory::Inventory;
use super::plan_file::{Means, PlannedWorker};
use super::target::{MoveTarget, target_of};

/// The verdict about a Worker.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// It can be imported as it is.
    Ready,
    /// It can move if something is done.
    Needs,
    /// It stays in the account.
    Stays,
}

/// What a Worker needs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Need {
    /// Its kind.
    pub kind: NeedKind,
    /// What exactly, in a sentence.
    pub what: String,
}

/// The kind of a need.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NeedKind {
    /// The values of secrets.
    Secrets,
    /// A rule of the dispatch Worker for a host.
    Route,
    /// A deploy from its repository.
    Wrangler,
    /// Another name.
    Name,
    /// Another binding.
    Binding,
    /// A permission of the deploy API's Cloudflare token.
    Permission,
}

impl NeedKind {
    /// Whether `run` can import a Worker with this need.
    const fn permits_import(self) -> bool {
        matches!(self, Self::Secrets | Self::Route)
    }
}

/// Judges every Worker of an inventory. Workers without an environment in their name move to `default`.
pub fn assess(inventory: &Inventory, default: Environment, router: &Router) -> Vec<PlannedWorker> {
    let mut planned: Vec<PlannedWorker> = inventory
        .workers
        .iter()
        .map(|worker| one(worker, inventory, default, router))
        .collect();
    settle_names(&mut planned);
    settle_bindings(&mut planned, inventory);
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
    add_callers(&mut planned, inventory);
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
        .filter(|host| host.worker.as_deref() == Some(name) && !is_covered(host, inventory))
        .cloned()
        .collect();
    let mut planned = PlannedWorker {
        from: name.clone(),
        to: target.name.clone(),
        environment: target.environment.name().to_owned(),
        by: Means::None,
        verdict: Verdict::Ready,
        needs: Vec::new(),
        stays: stays(worker, inventory),
        notes: notes(worker),
        secrets: secrets(worker),
        etag: worker.listed.etag.clone(),
        address: address(worker, &hosts, inventory.subdomain.as_deref()),
        hosts,
        called_by: Vec::new(),
    };
    if target.is_renamed {
        planned.notes.push(format!(
            "No host can reach {name:?}, so it becomes {}.",
            target.name
        ));
    }
    needs(&mut planned, worker, inventory);
    let unrouted: Vec<Need> = planned
        .hosts
        .iter()
        .filter_map(|host| unrouted(host, &target, router))
        .collect();
    planned.needs.extend(unrouted);
    planned
}

/// Whether a route in front of a custom domain leads to the dispatch Worker already, so that the domain is not part of the migration.
fn is_covered(host: &AccountHost, inventory: &Inventory) -> bool {
    let pattern = format!("{}/*", host.pattern);
    host.kind == HostKind::CustomDomain
        && inventory.hosts.iter().any(|route| {
            route.kind == HostKind::Route
                && route.pattern == pattern
                && route.worker.as_deref() == Some(DISPATCH_WORKER)
        })
}

/// Why a Worker stays in the account.
fn stays(worker: &AccountWorker, inventory: &Inventory) -> Vec<String> {
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

fn needs(planned: &mut PlannedWorker, worker: &AccountWorker, inventory: &Inventory) {
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

fn bindings(worker: &AccountWorker) -> impl Iterator<Item = &AccountBinding> {
    worker.bindings.iter().flatten()
}

fn secrets(worker: &AccountWorker) -> Vec<String> {
    let secrets = bindings(worker).filter(|binding| binding.kind == "secret_text");
    secrets.map(|binding| binding.name.clone()).collect()
}

fn notes(worker: &AccountWorker) -> Vec<String> {
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

/// The address at which the Worker answers without a change: a custom domain, a route with a plain host, or workers.dev.
fn address(worker: &AccountWorker, hosts: &[AccountHost], subdomain: Option<&str>) -> Option<String> {
    if let Some(domain) = hosts.iter().find(|host| host.kind == HostKind::CustomDomain) {
        return Some(format!("https://{}", domain.pattern));
    }
    if let Some(subdomain) = subdomain.filter(|_| worker.workers_dev == Some(true)) {
        return Some(format!("https://{}.{subdomain}.workers.dev", worker.listed.name));
    }
    hosts.iter().find_map(|host| {
        let host = host.pattern.split('/').next()?;
        let is_whole = !host.contains('*');
        is_whole.then(|| format!("https://{host}"))
    })
}

/// A request that a route or a custom domain matches.
pub fn witness(host: &AccountHost) -> String {
    let pattern = host
        .pattern
        .trim_start_matches("https://")
        .trim_start_matches("http://");
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

fn unrouted(host: &AccountHost, target: &MoveTarget, router: &Router) -> Option<Need> {
    if is_routed(host, target.environment, &target.name, router) {
        return None;
    }
    let plain = host
        .pattern
        .trim_start_matches("https://")
        .trim_start_matches("http://");
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

/// Two Workers that would become one need other names.
fn settle_names(planned: &mut [PlannedWorker]) {
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

/// A service binding to a Worker that moves cannot name an entrypoint or have props.
fn settle_bindings(planned: &mut [PlannedWorker], inventory: &Inventory) {
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
fn add_callers(planned: &mut [PlannedWorker], inventory: &Inventory) {
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

#[cfg(test)]
mod tests {
    use deploy_api::v1::types::QueueConsumer;
    use dispatcher::routing::Localhost;
    use serde_json::{Value, json};

    use super::*;

    /// A Worker with a `fetch` handler, in which members are replaced.
    fn worker(name: &str, members: Value) -> AccountWorker {
        let mut document = json!({
            "name": name, "etag": "e", "handlers": ["fetch"], "has_assets": false, "has_modules": true, "migration_tag": null,
            "tags": [], "created_on": null, "modified_on": null, "last_deployed_from": null, "bindings": [],
            "compatibility_date": null, "compatibility_flags": [], "settings": {}, "tail_consumers": [], "crons": [],
            "workers_dev": false, "durable_objects": [], "versions": [], "unknown": [],
        });
        if let (Value::Object(document), Value::Object(members)) = (&mut document, members) {
            document.extend(members);
        }
        serde_json::from_value(document).unwrap()
    }

    fn assessed(inventory: &Inventory) -> Vec<PlannedWorker> {
        let rules = r#"[{ "pattern": "api.example.com", "worker": "api" }]"#;
        let router = Router::with_routes(rules, Localhost::Unserved).unwrap();
        assess(inventory, Environment::Production, &router)
    }

    fn alone(members: Value) -> PlannedWorker {
        let inventory = Inventory {
            workers: vec![worker("api", members)],
            ..Inventory::default()
        };
        assessed(&inventory).remove(0)
    }

    fn object(has_data: &Value) -> Value {
        json!({ "durable_objects": [{ "id": "n", "class": "Room", "use_sqlite": true, "has_data": has_data }] })
    }

    fn host(kind: HostKind, pattern: &str, worker: &str) -> AccountHost {
        AccountHost {
            kind,
            id: "h".to_owned(),
            pattern: pattern.to_owned(),
            worker: Some(worker.to_owned()),
            zone_id: "z".to_owned(),
            zone: None,
        }
    }

    #[test]
    fn every_kind_of_worker_has_a_verdict_and_a_reason() {
        use Means::{Import, None as Stay, Wrangler};
        let binding = |binding: Value| json!({ "bindings": [binding] });
        for (members, verdict, by, why) in [
            (json!({}), Verdict::Ready, Import, ""),
            (
                json!({ "handlers": ["scheduled"] }),
                Verdict::Stays,
                Stay,
                "no `fetch` handler",
            ),
            (
                json!({ "handlers": ["fetch", "email"] }),
                Verdict::Stays,
                Stay,
                "gets emails",
            ),
            (json!({ "handlers": [] }), Verdict::Stays, Stay, "handlers: none"),
            (
                json!({ "crons": ["* * * * *"] }),
                Verdict::Stays,
                Stay,
                "* * * * *",
            ),
            (object(&json!(true)), Verdict::Stays, Stay, "have data"),
            (object(&Value::Null), Verdict::Stays, Stay, "may have data"),
            (object(&json!(false)), Verdict::Needs, Wrangler, "no data yet"),
            (
                json!({ "has_assets": true }),
                Verdict::Needs,
                Wrangler,
                "static assets",
            ),
            (
                binding(json!({ "name": "A", "type": "workflow", "class_name": "W" })),
                Verdict::Stays,
                Stay,
                "workflow of the binding A",
            ),
            (
                binding(
                    json!({ "name": "A", "type": "workflow", "class_name": "W", "script_name": "other" }),
                ),
                Verdict::Ready,
                Import,
                "",
            ),
            (
                binding(json!({ "name": "A", "type": "secret_text" })),
                Verdict::Needs,
                Import,
                "its secrets: A",
            ),
            (
                binding(json!({ "name": "A", "type": "secret_key" })),
                Verdict::Needs,
                Wrangler,
                "binding A",
            ),
            (
                binding(json!({ "name": "A", "type": "wasm_module" })),
                Verdict::Needs,
                Wrangler,
                "binding A",
            ),
            (
                json!({ "crons": null, "unknown": [{ "what": "crons", "permission": "Workers Scripts: Read", "reason": "r" }] }),
                Verdict::Needs,
                Stay,
                "Workers Scripts: Read",
            ),
        ] {
            let planned = alone(members.clone());
            assert_eq!((planned.verdict, planned.by), (verdict, by), "{members}");
            let reasons = format!("{:?}{:?}", planned.stays, planned.needs);
            assert!(reasons.contains(why), "{members}: {reasons}");
        }
        let platform = Inventory {
            workers: vec![worker("dispatcher", json!({}))],
            ..Inventory::default()
        };
        assert_eq!(assessed(&platform)[0].verdict, Verdict::Stays);
    }

    #[test]
    fn queues_that_are_not_known_matter_for_workers_that_could_consume_one() {
        let mut inventory = Inventory {
            workers: vec![
                worker("api", json!({})),
                worker("jobs", json!({ "handlers": ["fetch", "queue"] })),
                worker("odd", json!({ "handlers": null })),
            ],
            consumers: vec![QueueConsumer {
                queue: "mails".to_owned(),
                worker: "jobs".to_owned(),
            }],
            ..Inventory::default()
        };
        let verdicts = |inventory: &Inventory| {
            assessed(inventory)
                .iter()
                .map(|worker| worker.verdict)
                .collect::<Vec<_>>()
        };
        assert_eq!(
            verdicts(&inventory),
            [Verdict::Ready, Verdict::Stays, Verdict::Ready]
        );
        inventory.consumers.clear();
        inventory.unknown.push(
            serde_json::from_value(
                json!({ "what": "queue consumers", "permission": "Queues: Read", "reason": "r" }),
            )
            .unwrap(),
        );
        assert_eq!(
            verdicts(&inventory),
            [Verdict::Ready, Verdict::Needs, Verdict::Needs]
        );
    }

    #[test]
    fn hosts_need_rules_and_names_must_differ() {
        let inventory = Inventory {
            workers: vec![
                worker("api", json!({})),
                worker("api-prod", json!({})),
                worker("shop", json!({})),
            ],
            hosts: vec![
                host(HostKind::CustomDomain, "api.example.com", "api"),
                host(HostKind::Route, "*.example.com/shop/*", "shop"),
            ],
            ..Inventory::default()
        };
        let planned = assessed(&inventory);
        assert_eq!(planned[0].address.as_deref(), Some("https://api.example.com"));
        assert!(
            planned[0].needs[0]
                .what
                .contains("api and api-prod would all be api in production")
        );
        assert_eq!((planned[0].by, planned[1].by), (Means::None, Means::None));
        assert_eq!(planned[2].needs[0].kind, NeedKind::Route);
        assert!(
            planned[2].needs[0].what.contains(r#""worker":"shop""#),
            "{:?}",
            planned[2].needs
        );
        assert_eq!(
            (planned[2].by, planned[2].address.as_deref()),
            (Means::Import, None)
        );
        let mut covered = inventory.clone();
        covered
            .hosts
            .push(host(HostKind::Route, "api.example.com/*", "dispatcher"));
        assert_eq!(assessed(&covered)[0].hosts, []);
        assert_eq!(witness(&inventory.hosts[1]), "https://host.example.com/shop/");
        assert_eq!(
            witness(&host(HostKind::CustomDomain, "a.example", "a")),
            "https://a.example/"
        );
    }

    #[test]
    fn service_bindings_are_judged_in_both_directions() {
        let calls = |more: Value| {
            let mut binding = json!({ "name": "NEXT", "type": "service", "service": "next" });
            binding
                .as_object_mut()
                .unwrap()
                .extend(more.as_object().unwrap().clone());
            json!({ "bindings": [binding] })
        };
        let mut cron = calls(json!({}));
        cron["crons"] = json!(["* * * * *"]);
        let mut inventory = Inventory {
            workers: vec![
                worker("next", json!({})),
                worker("plain", calls(json!({}))),
                worker("named", calls(json!({ "entrypoint": "Admin" }))),
                worker("other-staging", calls(json!({}))),
                worker("cron", cron),
            ],
            ..Inventory::default()
        };
        let planned = assessed(&inventory);
        assert_eq!(planned[0].called_by, ["plain", "named", "other-staging", "cron"]);
        assert!(
            planned[0].notes[0].starts_with("named, cron stay"),
            "{:?}",
            planned[0].notes
        );
        assert_eq!(planned[1].verdict, Verdict::Ready);
        assert_eq!(planned[2].needs[0].kind, NeedKind::Binding);
        assert!(
            planned[3].notes[0].contains("keeps calling the account Worker"),
            "{:?}",
            planned[3].notes
        );
        // If the called Worker stays, the binding is no problem.
        inventory.workers[0] = worker("next", json!({ "crons": ["* * * * *"] }));
        let planned = assessed(&inventory);
        assert_eq!(planned[2].verdict, Verdict::Ready);
        assert!(
            planned[2].notes[0].contains("stays in the account"),
            "{:?}",
            planned[2].notes
        );
    }

    #[test]
    fn who_gets_traces_stays() {
        let inventory = Inventory {
            workers: vec![
                worker("api", json!({ "tail_consumers": ["trace"] })),
                worker("trace", json!({ "handlers": ["fetch", "tail"] })),
            ],
            ..Inventory::default()
        };
        let planned = assessed(&inventory);
        assert_eq!(
            (planned[0].verdict, planned[1].verdict),
            (Verdict::Ready, Verdict::Stays)
        );
        assert!(planned[1].notes[0].contains("never calls its handlers tail"));
    }
}
