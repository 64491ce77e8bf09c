//! The published OpenAPI document is generated from the routes and from the types of the calls.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a panic in the setup of a test fails the test"
)]

use std::collections::{BTreeSet, HashSet};

use deploy_api::v1::openapi::document;
use deploy_api::v1::{OPENAPI, ROUTES};
use serde_json::Value;

#[test]
fn the_published_document_matches_the_routes_and_the_types() {
    let generated = serde_json::to_string_pretty(&document()).unwrap() + "\n";
    if std::env::var_os("UPDATE_OPENAPI").is_some() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/openapi/openapi.json");
        std::fs::write(path, &generated).unwrap();
        return;
    }
    assert!(
        OPENAPI == generated,
        "run `UPDATE_OPENAPI=1 cargo test -p deploy-api --test openapi`"
    );
}

#[test]
fn every_parameter_is_described() {
    let document = document();
    for route in ROUTES {
        let operation = &document["paths"][route.path][route.method.to_lowercase()];
        let described: Vec<&str> = operation["parameters"]
            .as_array()
            .into_iter()
            .flatten()
            .filter(|parameter| parameter["in"] != "header")
            .map(|parameter| parameter["name"].as_str().unwrap())
            .collect();
        let captures = route
            .path
            .split('/')
            .filter_map(|segment| segment.strip_prefix('{'));
        let names: Vec<&str> = captures
            .map(|name| name.trim_end_matches('}'))
            .chain(route.parameters.iter().copied())
            .collect();
        assert_eq!(described, names, "{} {}", route.method, route.path);
    }
}

#[test]
fn every_reference_has_a_schema_and_every_schema_is_used() {
    let document: Value = serde_json::from_str(OPENAPI).unwrap();
    let mut named = BTreeSet::new();
    references(&document, &mut named);
    let defined = document["components"]["schemas"].as_object().unwrap();
    for name in &named {
        assert!(defined.contains_key(name), "{name} is not defined");
    }
    for name in defined.keys() {
        assert!(named.contains(name), "{name} is not used");
    }
}

fn references(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                match member
                    .as_str()
                    .and_then(|text| text.strip_prefix("#/components/schemas/"))
                {
                    Some(schema) if name == "$ref" => drop(found.insert(schema.to_owned())),
                    _ => references(member, found),
                }
            }
        }
        Value::Array(members) => members.iter().for_each(|member| references(member, found)),
        _ => {}
    }
}

#[test]
fn operation_ids_are_unique_and_only_the_documented_calls_are_open() {
    let mut ids = HashSet::new();
    for route in ROUTES {
        assert!(
            ids.insert(route.operation.id()),
            "{} is not unique",
            route.operation.id()
        );
    }
    let open: Vec<_> = ROUTES
        .iter()
        .filter(|route| route.is_open)
        .map(|route| route.path)
        .collect();
    assert_eq!(
        open,
        [
            "/v1/health",
            "/v1/openapi.json",
            "/v1/policy/schema.json",
            "/v1/tokens/exchange"
        ]
    );
}
