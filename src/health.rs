use dotdo_names::Environment;

use crate::json::ObjectWriter;
use crate::request_url;

/// Where the dispatch Worker tells of itself, on a host that nobody else serves.
const HEALTH_PATH: &str = "/.well-known/dispatcher";

/// What the dispatch Worker tells of itself, as JSON: its version, and whether each environment's binding is there.
#[must_use]
pub fn health_document(present: impl Fn(Environment) -> bool) -> String {
    let mut environments = ObjectWriter::new();
    for environment in Environment::ALL {
        let binding = ObjectWriter::new()
            .plain("binding", environment.binding())
            .raw("present", if present(environment) { "true" } else { "false" })
            .finish();
        environments.raw(environment.name(), &binding);
    }
    ObjectWriter::new()
        .plain("version", env!("CARGO_PKG_VERSION"))
        .raw("environments", &environments.finish())
        .finish()
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
