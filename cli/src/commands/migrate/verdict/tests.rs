use deploy_api::v1::types::{HostKind, QueueConsumer};
use dispatcher::routing::Localhost;
use serde_json::{Value, json};

use super::hosts::witness;
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
            binding(json!({ "name": "A", "type": "workflow", "class_name": "W", "script_name": "other" })),
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
    // At workers.dev, the account Worker answers after a cutover as well.
    let mut reachable = inventory.clone();
    reachable.workers_dev_url = Some("https://{worker}.team.workers.dev".to_owned());
    reachable.workers[0].workers_dev = Some(true);
    reachable
        .hosts
        .push(host(HostKind::Route, "https://shop.example.com/*", "shop"));
    let addresses: Vec<_> = assessed(&reachable)
        .into_iter()
        .map(|planned| planned.address)
        .collect();
    let expected = ["https://api.team.workers.dev", "", "https://shop.example.com"];
    assert_eq!(
        addresses,
        expected.map(|address| (!address.is_empty()).then(|| address.to_owned()))
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
fn a_binding_to_durable_objects_reaches_those_of_the_account() {
    let bound = json!({ "bindings": [
        { "name": "ROOM", "type": "durable_object_namespace", "class_name": "Room", "script_name": "rooms" },
    ] });
    let mut inventory = Inventory {
        workers: vec![worker("front", bound), worker("rooms", object(&json!(true)))],
        ..Inventory::default()
    };
    let planned = assessed(&inventory);
    assert_eq!(
        (planned[0].verdict, planned[1].verdict),
        (Verdict::Ready, Verdict::Stays)
    );
    assert!(
        planned[0].notes[0].contains("rooms, which stays in the account"),
        "{:?}",
        planned[0].notes
    );
    inventory.workers[1] = worker("rooms", object(&json!(false)));
    let planned = assessed(&inventory);
    assert_eq!(
        (planned[0].by, planned[0].needs[0].kind),
        (Means::None, NeedKind::Binding)
    );
    assert_eq!(planned[1].by, Means::Wrangler);
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
