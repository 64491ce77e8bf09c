//! The configuration of the logs Worker: `logs/wrangler.jsonc`.

use serde_json::Value;
use wrangler_config::PlatformWorker;

use super::{
    bindings::Interface,
    check_settings, must_be,
    objects::{self, Class},
    problems::Problems,
    schema::shown,
};

/// What the Worker reads from its `env`.
const INTERFACE: Interface = Interface {
    worker: "the logs Worker",
    bindings: &[("durable_objects", "LOGS")],
    variables: &[],
    secrets: &[],
};

/// The Durable Objects that store the logs.
const LOGS: Class = Class {
    binding: "LOGS",
    name: "WorkerLog",
};

/// Adds everything that is wrong with the configuration, and returns what it contains in a few words.
pub fn check(configuration: &Value, problems: &mut Problems) -> String {
    check_settings(PlatformWorker::Logs, configuration, problems);
    must_be(configuration, "main", "src/index.ts", problems);
    let meant = INTERFACE.check(configuration, problems);
    objects::check(configuration, LOGS, &meant, problems);
    check_address(configuration, problems);
    "1 binding".to_owned()
}

/// Everybody could read every log at an address of the Worker: it does not know who may.
fn check_address(configuration: &Value, problems: &mut Problems) {
    for member in ["workers_dev", "preview_urls"] {
        let found = &configuration[member];
        if found != false {
            problems.add(
                format!("/{member}"),
                format!(
                    "write false, not {}: the Worker does not check who reads the logs",
                    shown(found)
                ),
            );
        }
    }
    for member in ["route", "routes"] {
        if !configuration[member].is_null() {
            problems.add_unusable(
                format!("/{member}"),
                "remove it: the Worker does not check who reads the logs",
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use dotdo_names::{ACCOUNT_ID, LOGS_WORKER};
    use serde_json::json;

    use super::*;

    fn problems(pointer: &str, replacement: Value) -> Vec<String> {
        let mut configuration = json!({
            "name": LOGS_WORKER,
            "account_id": ACCOUNT_ID,
            "main": "src/index.ts",
            "workers_dev": false,
            "preview_urls": false,
            "durable_objects": { "bindings": [{ "name": "LOGS", "class_name": "WorkerLog" }] },
            "migrations": [{ "tag": "v1", "new_sqlite_classes": ["WorkerLog"] }],
            "routes": null,
        });
        *configuration.pointer_mut(pointer).unwrap() = replacement;
        let mut problems = Problems::default();
        check(&configuration, &mut problems);
        problems.into_vec().iter().map(ToString::to_string).collect()
    }

    #[test]
    fn accepts_a_valid_configuration() {
        assert_eq!(problems("/routes", Value::Null), [""; 0]);
    }

    #[test]
    fn reports_each_invalid_value() {
        for (pointer, replacement, expected) in [
            ("/name", json!("log"), "name: write \"logs\""),
            ("/account_id", json!("0"), "account_id: write"),
            ("/main", json!("index.ts"), "main: write"),
            ("/workers_dev", json!(true), "workers_dev: write false, not true"),
            ("/preview_urls", Value::Null, "preview_urls: write false"),
            ("/routes", json!(["logs.do/*"]), "routes: remove it"),
            (
                "/durable_objects",
                json!({}),
                "durable_objects: the binding LOGS is missing: add { \"name\": \"LOGS\", \"class_name\": \"WorkerLog\" }",
            ),
            (
                "/durable_objects/bindings/0/name",
                json!("LOG"),
                "durable_objects.bindings[0].name: the logs Worker does not read \"LOG\": write \"LOGS\"",
            ),
            (
                "/durable_objects/bindings/0/class_name",
                json!("Log"),
                "durable_objects.bindings[0].class_name: write \"WorkerLog\", not \"Log\"",
            ),
            (
                "/migrations/0/new_sqlite_classes",
                json!([]),
                "migrations: no migration has the class WorkerLog",
            ),
        ] {
            let found = problems(pointer, replacement);
            assert_eq!(found.len(), 1, "{pointer}: {found:#?}");
            assert!(found[0].starts_with(expected), "{expected}: {found:#?}");
        }
    }
}
