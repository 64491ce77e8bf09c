//! Compares responses of `/v1` with the published OpenAPI document.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use deploy_api::v1::{OPENAPI, ROUTES, Route};
use jsonschema::Validator;
use serde_json::{Value, json};

/// The schemas of the answers and the schema of a problem, for each operation, status (or `default`) and media type.
static VALIDATORS: LazyLock<BTreeMap<(&'static str, String, String), Validator>> = LazyLock::new(|| {
    let document: Value = serde_json::from_str(OPENAPI).unwrap();
    let mut validators = BTreeMap::new();
    for route in ROUTES {
        let operation = &document["paths"][route.path][route.method.to_lowercase()];
        for (status, response) in operation["responses"].as_object().unwrap() {
            for (media_type, content) in response["content"].as_object().unwrap() {
                let mut schema = content["schema"].clone();
                schema["components"] = json!({ "schemas": document["components"]["schemas"] });
                let validator = jsonschema::validator_for(&schema).unwrap();
                validators.insert(
                    (route.operation.id(), status.clone(), media_type.clone()),
                    validator,
                );
            }
        }
    }
    validators
});

/// Asserts that the document describes a response: its status, its media type and its body.
pub fn assert_described(method: &str, path: &str, status: u16, media_type: &str, body: &str) {
    let Ok(found) = Route::find(method, path) else {
        return;
    };
    let route = found.value;
    let call = format!("{method} {path}: {status}");
    if body.is_empty() && method == "HEAD" {
        return;
    }
    let status = if status < 400 {
        status.to_string()
    } else {
        "default".to_owned()
    };
    let key = (route.operation.id(), status, media_type.to_owned());
    let validator = VALIDATORS
        .get(&key)
        .unwrap_or_else(|| panic!("{call}: no {media_type}"));
    let value = if matches!(media_type, "application/x-ndjson" | "text/event-stream") {
        json!(body)
    } else {
        serde_json::from_str(body).unwrap()
    };
    let errors: Vec<String> = validator
        .iter_errors(&value)
        .map(|error| format!("{} at {}", error, error.instance_path()))
        .collect();
    assert!(errors.is_empty(), "{call}: {errors:#?} in {body}");
}
