use dotdo_names::Environment;
use serde::Serialize;

use super::request_url;

/// The path of the dispatch Worker's health document, on any host that is not served otherwise.
const HEALTH_PATH: &str = "/.well-known/dispatcher";

#[derive(Serialize)]
struct Health {
    version: &'static str,
    environments: Environments,
}

#[derive(Serialize)]
struct Environments {
    production: Binding,
    staging: Binding,
    development: Binding,
}

#[derive(Serialize)]
struct Binding {
    binding: &'static str,
    present: bool,
}

/// The health document of the dispatch Worker, as JSON: its version, and which bindings are present.
#[must_use]
pub fn health_document(present: impl Fn(Environment) -> bool) -> String {
    let binding = |environment: Environment| Binding {
        binding: environment.binding(),
        present: present(environment),
    };
    let health = Health {
        version: env!("CARGO_PKG_VERSION"),
        environments: Environments {
            production: binding(Environment::Production),
            staging: binding(Environment::Staging),
            development: binding(Environment::Development),
        },
    };
    // A struct of texts and booleans always serializes.
    serde_json::to_string(&health).unwrap_or_default()
}

/// Whether a request asks for the health document.
#[must_use]
pub fn is_health_request(method: &str, url: &str) -> bool {
    matches!(method, "GET" | "HEAD") && request_url::path(url) == HEALTH_PATH
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn the_document_has_the_version_and_the_bindings_and_nothing_else() {
        let health = health_document(|environment| environment == Environment::Staging);
        assert_eq!(
            serde_json::from_str::<Value>(&health).unwrap(),
            json!({
                "version": env!("CARGO_PKG_VERSION"),
                "environments": {
                    "production": { "binding": "DISPATCHER_PRODUCTION", "present": false },
                    "staging": { "binding": "DISPATCHER_STAGING", "present": true },
                    "development": { "binding": "DISPATCHER_DEVELOPMENT", "present": false },
                },
            })
        );
    }

    #[test]
    fn only_get_and_head_of_the_health_path_match() {
        let url = "https://dispatcher.example.workers.dev/.well-known/dispatcher";
        assert!(is_health_request("GET", url) && is_health_request("HEAD", url));
        assert!(is_health_request(
            "GET",
            "http://127.0.0.1:8787/.well-known/dispatcher?x#y"
        ));
        assert!(!is_health_request("POST", url));
        for url in [
            "https://a.example/",
            "https://a.example/.well-known/dispatcher/",
            "https://a.example/x/.well-known/dispatcher",
            "https://a.example/?/.well-known/dispatcher",
        ] {
            assert!(!is_health_request("GET", url), "{url}");
        }
    }
}
