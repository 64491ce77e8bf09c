use serde_json::{Value, json};

use super::Level;
use super::checker::check;

fn places(configuration: &Value) -> Vec<(Level, String, String)> {
    let now = "2026-11-24T12:00:00Z".parse().unwrap();
    let findings = check(configuration, now);
    for finding in &findings {
        assert!(!finding.what.is_empty(), "{finding:?}");
    }
    findings
        .into_iter()
        .map(|finding| (finding.level, finding.place, finding.code))
        .collect()
}

fn error(place: &str, code: &str) -> (Level, String, String) {
    (Level::Error, place.to_owned(), code.to_owned())
}

fn warning(place: &str, code: &str) -> (Level, String, String) {
    (Level::Warning, place.to_owned(), code.to_owned())
}

#[test]
fn a_configuration_of_a_namespace_has_no_findings() {
    let good = json!({
        "name": "agents", "main": "index.js", "compatibility_date": "2026-11-01", "vars": { "A": "1" },
        "kv_namespaces": [{ "binding": "KV", "id": "0f" }],
        "services": [{ "binding": "AUTH", "service": "auth" }],
        "durable_objects": { "bindings": [{ "name": "ROOM", "class_name": "Room" }] },
        "routes": [], "triggers": { "crons": [] },
    });
    assert_eq!(places(&good), []);
}

#[test]
fn what_wrangler_would_not_send_is_an_error() {
    let configuration = json!({
        "name": "agents", "route": "agents.do/*", "routes": ["agents.do/*"],
        "triggers": { "crons": ["* * * * *"] }, "queues": { "consumers": [{ "queue": "q" }] },
    });
    assert_eq!(
        places(&configuration),
        ["route", "routes", "triggers.crons", "queues.consumers"]
            .map(|place| error(place, "TRIGGER_DROPPED"))
    );
}

#[test]
fn names_dates_and_targets_are_checked() {
    let configuration = json!({
        "name": "api-staging", "compatibility_date": "2027-01-01",
        "containers": [{ "class_name": "Box" }],
        "workflows": [{ "binding": "FLOW", "name": "f", "class_name": "F" }],
        "services": [
            { "binding": "D", "service": "dispatcher" },
            { "binding": "AUTH", "service": "auth", "entrypoint": "Admin" },
        ],
        "durable_objects": { "bindings": [{ "name": "ROOM", "class_name": "Room", "script_name": "rooms" }] },
        "tail_consumers": [{ "service": "log" }],
    });
    assert_eq!(
        places(&configuration),
        [
            error("name", "ENVIRONMENT_SUFFIX"),
            error("containers", "CONTAINERS_UNSUPPORTED"),
            error("compatibility_date", "COMPATIBILITY_DATE_INVALID"),
            error("workflows[0]", "TRIGGER_DROPPED"),
            warning("durable_objects.bindings[0]", "SERVICE_BINDING_UNREACHABLE"),
            error("services[0]", "PLATFORM_WORKER_BOUND"),
            warning("services[1].entrypoint", "SERVICE_BINDING_UNREACHABLE"),
            warning("tail_consumers", "SERVICE_BINDING_UNREACHABLE"),
        ]
    );
}

#[test]
fn bindings_without_an_id_are_warnings() {
    let configuration = json!({
        "name": "agents",
        "kv_namespaces": [{ "binding": "KV" }],
        "d1_databases": [{ "binding": "DB", "database_name": "db" }],
        "r2_buckets": [{ "binding": "FILES", "bucket_name": "files" }],
        "queues": { "producers": [{ "binding": "JOBS" }] },
    });
    assert_eq!(
        places(&configuration),
        ["kv_namespaces[0]", "d1_databases[0]", "queues.producers[0]"]
            .map(|place| warning(place, "RESOURCE_CHANGE_REFUSED"))
    );
}

#[test]
fn environments_of_wrangler_are_checked_with_their_own_names() {
    let configuration = json!({
        "name": "api",
        "env": {
            "staging": { "routes": ["staging.api.do/*"] },
            "production": { "name": "api" },
        },
    });
    let mut found = places(&configuration);
    found.sort_by(|one, other| one.1.cmp(&other.1));
    assert_eq!(
        found,
        [
            error("env.staging.name", "ENVIRONMENT_SUFFIX"),
            error("env.staging.routes", "TRIGGER_DROPPED")
        ]
    );
}
