//! The published OpenAPI document is generated from the routes and from the schemas in `openapi/parts.json`.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a panic in the setup of a test fails the test"
)]

use std::collections::{BTreeSet, HashSet};

use deploy_api::audit::Action;
use deploy_api::code::Code;
use deploy_api::v1::{OPENAPI, ROUTES, Route};
use serde_json::{Map, Value, json};

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/openapi");

fn read(file: &str) -> Value {
    let text = std::fs::read_to_string(format!("{FOLDER}/{file}")).unwrap();
    serde_json::from_str(&text).unwrap()
}

/// Generates the document from the routes.
fn generate() -> Value {
    let parts = read("parts.json");
    let mut paths = Map::new();
    for route in ROUTES {
        let operations = paths.entry(route.path).or_insert_with(|| json!({}));
        operations[route.method.to_lowercase()] = operation(route, &parts["parameters"]);
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Deploy API of the .do platform",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "Deployments, the policy, tokens and the audit log of the .do platform. Every error is a problem \
                            document (RFC 9457) whose `code` has a section in docs/errors.md.",
            "license": { "name": "MIT", "identifier": "MIT" },
        },
        "servers": [{ "url": "/" }],
        "security": [{ "token": [] }],
        "paths": paths,
        "components": {
            "securitySchemes": { "token": {
                "type": "http",
                "scheme": "bearer",
                "description": "A deploy token (`dotdo_run_…`), an API token (`dotdo_api_…`) or the bootstrap secret.",
            } },
            "schemas": schemas(&parts["schemas"]),
        },
    })
}

fn operation(route: &Route, described: &Value) -> Value {
    let describe = |name: &str, place: &str| {
        let known = &described[name];
        assert!(
            known.is_object(),
            "openapi/parts.json does not have the parameter {name:?}"
        );
        let mut parameter = known.clone();
        parameter["name"] = json!(name);
        parameter["in"] = json!(place);
        if place == "path" {
            parameter["required"] = json!(true);
        }
        if name == "verb" {
            parameter["schema"]["enum"] = json!(Action::ALL.map(Action::name));
        }
        parameter
    };
    let segments = route.path.split('/');
    let captures = segments.filter_map(|segment| segment.strip_prefix('{')?.strip_suffix('}'));
    let mut parameters: Vec<_> = captures.map(|name| describe(name, "path")).collect();
    parameters.extend(route.parameters.iter().map(|name| describe(name, "query")));
    let schema = |name: &str| json!({ "$ref": format!("#/components/schemas/{name}") });
    let mut content = json!({ "application/json": { "schema": schema(route.answer) } });
    if route.answer == "SchemaDocument" {
        content = json!({ "application/schema+json": { "schema": schema(route.answer) } });
    }
    if route.answer == "AuditSegmentObject" {
        content = json!({ "application/x-ndjson": { "schema": schema(route.answer) } });
    }
    if route.parameters.contains(&"format") {
        content["application/x-ndjson"] = json!({ "schema": { "type": "string" } });
    }
    let mut operation = json!({
        "operationId": route.operation.id(),
        "summary": route.operation.summary(),
        "responses": {
            route.status.to_string(): { "description": "The request succeeded.", "content": content },
            "default": {
                "description": "The request failed. The `code` of the problem identifies the error.",
                "content": { "application/problem+json": { "schema": schema("Problem") } },
            },
        },
    });
    if !parameters.is_empty() {
        operation["parameters"] = json!(parameters);
    }
    if route.path == "/v1/policy" {
        operation["responses"]["200"]["headers"] = json!({ "ETag": {
            "description": "The current version, in quotes.", "schema": { "type": "string" },
        } });
    }
    if route.operation.id() == "putPolicy" {
        operation["parameters"].as_array_mut().unwrap().push(json!({
            "name": "If-Match", "in": "header",
            "description": "The ETag of the version on which the change is based. If it is not the current version, the \
                            request fails. `\"0\"` for the first policy.",
            "schema": { "type": "string", "pattern": "^\"[0-9]{1,15}\"$" },
        }));
    }
    if let Some(taken) = route.takes {
        operation["requestBody"] = json!({
            "required": !taken.is_optional,
            "content": { "application/json": { "schema": schema(taken.schema) } },
        });
    }
    if route.is_open {
        operation["security"] = if route.may_authenticate {
            json!([{}, { "token": [] }])
        } else {
            json!([])
        };
    }
    operation
}

/// The schemas of this API, and the schemas of the policy with the prefix `policy.`.
fn schemas(described: &Value) -> Value {
    let mut schemas = described.clone();
    let codes: Vec<_> = Code::ALL.iter().map(|code| code.name()).collect();
    schemas["Problem"]["properties"]["code"]["enum"] = json!(codes);
    let text = std::fs::read_to_string(format!("{FOLDER}/../policy.schema.json")).unwrap();
    let text = text.replace("#/$defs/", "#/components/schemas/policy.");
    let Value::Object(mut policy) = serde_json::from_str(&text).unwrap() else {
        panic!("the schema of the policy is an object")
    };
    for key in ["$id", "$schema"] {
        policy.remove(key);
    }
    if let Some(Value::Object(definitions)) = policy.remove("$defs") {
        for (name, schema) in definitions {
            schemas[format!("policy.{name}")] = schema;
        }
    }
    schemas["policy.Policy"] = Value::Object(policy);
    schemas
}

#[test]
fn the_published_document_matches_the_routes() {
    let generated = serde_json::to_string_pretty(&generate()).unwrap() + "\n";
    if std::env::var_os("UPDATE_OPENAPI").is_some() {
        std::fs::write(format!("{FOLDER}/openapi.json"), &generated).unwrap();
        return;
    }
    assert_eq!(
        OPENAPI, generated,
        "run `UPDATE_OPENAPI=1 cargo test -p deploy-api --test openapi`"
    );
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
