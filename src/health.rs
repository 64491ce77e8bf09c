use std::collections::BTreeMap;

use dotdo_names::Environment;
use serde::Serialize;

use crate::request_url;

/// Where the dispatch Worker tells of itself, on a host that nobody else serves.
pub const HEALTH_PATH: &str = "/.well-known/dispatcher";

/// What the dispatch Worker tells of itself: its version, and whether each environment's binding is there.
#[derive(Debug, Serialize)]
pub struct Health {
    version: &'static str,
    environments: BTreeMap<&'static str, Binding>,
}

#[derive(Debug, Serialize)]
struct Binding {
    binding: &'static str,
    present: bool,
}

impl Health {
    /// The document, given whether an environment's binding is there.
    #[must_use]
    pub fn new(present: impl Fn(Environment) -> bool) -> Self {
        let binding = |environment: Environment| Binding {
            binding: environment.binding(),
            present: present(environment),
        };
        Self {
            version: env!("CARGO_PKG_VERSION"),
            environments: Environment::ALL
                .into_iter()
                .map(|environment| (environment.name(), binding(environment)))
                .collect(),
        }
    }

    /// The document's text.
    #[must_use]
    pub fn to_json(&self) -> String {
        // Strings and booleans: nothing in it can fail to be written.
        serde_json::to_string(self).unwrap_or_default()
    }
}

/// Whether a request asks for the health document.
#[must_use]
pub fn asks_for_health(method: &str, url: &str) -> bool {
    matches!(method, "GET" | "HEAD") && request_url::path(url) == HEALTH_PATH
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn it_tells_version_environments_and_bindings_and_nothing_else() {
        let health = Health::new(|environment| environment == Environment::Staging);
        assert_eq!(
            serde_json::from_str::<Value>(&health.to_json()).unwrap(),
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
    fn only_reading_its_own_path_asks_for_it() {
        let url = "https://dispatcher.example.workers.dev/.well-known/dispatcher";
        assert!(asks_for_health("GET", url) && asks_for_health("HEAD", url));
        assert!(asks_for_health(
            "GET",
            "http://127.0.0.1:8787/.well-known/dispatcher?x#y"
        ));
        assert!(!asks_for_health("POST", url));
        for url in [
            "https://a.example/",
            "https://a.example/.well-known/dispatcher/",
            "https://a.example/x/.well-known/dispatcher",
            "https://a.example/?/.well-known/dispatcher",
        ] {
            assert!(!asks_for_health("GET", url), "{url}");
        }
    }
}
