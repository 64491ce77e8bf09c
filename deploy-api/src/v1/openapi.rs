//! Generates the OpenAPI document from [`ROUTES`] and from the types that the calls take and answer.

use std::collections::BTreeMap;

use schemars::SchemaGenerator;
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};

use super::{Operation, ROUTES, Route, parameters};
use crate::problem::{Document, PROBLEM_JSON};

/// The place of the schemas in the document.
const SCHEMAS: &str = "/components/schemas";

/// The place of the schemas of types that are read, until they are moved to [`SCHEMAS`].
const READ: &str = "/components/read";

/// The schemas of the types that the API reads, and of the types that it writes. They differ, for example, in whether a
/// member that can be null may be omitted.
struct Generators {
    read: SchemaGenerator,
    written: SchemaGenerator,
}

/// The OpenAPI document, which `openapi/openapi.json` has as a file.
#[must_use]
pub fn document() -> Value {
    let settings = |place: &'static str| {
        SchemaSettings::draft2020_12().with(|settings| {
            settings.definitions_path = place.into();
            settings.meta_schema = None;
        })
    };
    let mut generators = Generators {
        read: settings(READ).for_deserialize().into_generator(),
        written: settings(SCHEMAS).for_serialize().into_generator(),
    };
    let mut paths: BTreeMap<&str, BTreeMap<String, Value>> = BTreeMap::new();
    for route in ROUTES {
        let operations = paths.entry(route.path).or_default();
        operations.insert(route.method.to_lowercase(), generators.operation(route));
    }
    let mut paths = json!(paths);
    let schemas = generators.definitions(&mut paths);
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
            "schemas": schemas,
        },
    })
}

impl Generators {
    fn operation(&mut self, route: &Route) -> Value {
        let mut operation = Map::new();
        operation.insert("operationId".to_owned(), json!(route.operation.id()));
        operation.insert("summary".to_owned(), json!(route.operation.summary()));
        let parameters = self.parameters(route);
        if !parameters.is_empty() {
            operation.insert("parameters".to_owned(), Value::Array(parameters));
        }
        if let Some(taken) = route.takes {
            let schema = (taken.schema)(&mut self.read);
            let body = json!({
                "required": !taken.is_optional,
                "content": { "application/json": { "schema": schema } },
            });
            operation.insert("requestBody".to_owned(), body);
        }
        operation.insert("responses".to_owned(), self.responses(route));
        if route.is_open {
            let security = if route.may_authenticate {
                json!([{}, { "token": [] }])
            } else {
                json!([])
            };
            operation.insert("security".to_owned(), security);
        }
        Value::Object(operation)
    }

    fn parameters(&mut self, route: &Route) -> Vec<Value> {
        let segments = route.path.split('/');
        let captures = segments.filter_map(|segment| segment.strip_prefix('{')?.strip_suffix('}'));
        let mut described = Vec::new();
        let all = captures
            .map(|name| (name, "path"))
            .chain(route.parameters.iter().map(|name| (*name, "query")));
        for (name, place) in all {
            let is_redeploy = matches!(
                route.operation,
                Operation::Preview | Operation::Promote | Operation::Rollback | Operation::DriftResolve
            );
            let key = if is_redeploy && name == "confirm" {
                parameters::CONFIRM_REDEPLOY
            } else {
                name
            };
            // A test checks that every parameter is described.
            let Some((description, schema)) = parameters::describe(key, &mut self.written) else {
                continue;
            };
            let mut parameter =
                json!({ "name": name, "in": place, "description": description, "schema": schema });
            if let (Some(parameter), "path") = (parameter.as_object_mut(), place) {
                parameter.insert("required".to_owned(), json!(true));
            }
            described.push(parameter);
        }
        if route.operation == Operation::PolicyPut {
            described.push(parameters::if_match());
        }
        described
    }

    fn responses(&mut self, route: &Route) -> Value {
        let answer = (route.answer)(&mut self.written);
        let problem = self.written.subschema_for::<Document<'static>>();
        let mut content = Map::new();
        content.insert(route.media_type.to_owned(), json!({ "schema": answer }));
        if route.parameters.contains(&"format") {
            content.insert(
                "application/x-ndjson".to_owned(),
                json!({ "schema": { "type": "string" } }),
            );
        }
        if route.parameters.contains(&"follow") {
            content.insert(
                "text/event-stream".to_owned(),
                json!({ "schema": { "type": "string" } }),
            );
        }
        let mut success = Map::new();
        success.insert("description".to_owned(), json!("The request succeeded."));
        success.insert("content".to_owned(), Value::Object(content));
        if matches!(route.operation, Operation::PolicyGet | Operation::PolicyPut) {
            let etag = json!({ "ETag": {
                "description": "The current version, in quotes.", "schema": { "type": "string" },
            } });
            success.insert("headers".to_owned(), etag);
        }
        let mut responses = json!({
            route.status.to_string(): success,
            "default": {
                "description": "The request failed. The `code` of the problem identifies the error.",
                "content": { PROBLEM_JSON: { "schema": problem } },
            },
        });
        if let (Some(preview), Some(responses)) = (route.preview, responses.as_object_mut()) {
            let preview = preview(&mut self.written);
            // Some changes are answered with the same status as their dry run.
            let (description, schema) = if route.status == 200 {
                let answer = (route.answer)(&mut self.written);
                (
                    "The request succeeded; with `dry_run=true`, the effect of the change, which was not made.",
                    json!({ "anyOf": [answer, preview] }),
                )
            } else {
                ("The effect of the change, which was not made.", json!(preview))
            };
            let preview = json!({
                "description": description,
                "content": { "application/json": { "schema": schema } },
            });
            responses.insert("200".to_owned(), preview);
        }
        responses
    }

    /// All schemas. A type that is read and written with different schemas has two: the one that is read is named `…Input`.
    fn definitions(&mut self, paths: &mut Value) -> Map<String, Value> {
        let mut all = self.written.take_definitions(true);
        all.values_mut().for_each(close);
        let read = self.read.take_definitions(true);
        let names: BTreeMap<String, String> = read
            .iter()
            .map(|(name, schema)| {
                let differs = all
                    .get(name)
                    .is_some_and(|written| *written != renamed(schema.clone()));
                let suffix = if differs { "Input" } else { "" };
                (name.clone(), format!("{name}{suffix}"))
            })
            .collect();
        rename(paths, &names);
        for (name, mut schema) in read {
            rename(&mut schema, &names);
            let name = names.get(&name).cloned().unwrap_or(name);
            all.insert(name, schema);
        }
        all.values_mut().for_each(join_lines);
        all
    }
}

/// A schema that is read, with references to the schemas that are written.
fn renamed(mut schema: Value) -> Value {
    rename(&mut schema, &BTreeMap::new());
    schema
}

/// Replaces references to schemas that are read by references to their names in the document.
fn rename(value: &mut Value, names: &BTreeMap<String, String>) {
    let read = format!("#{READ}/");
    each_object(value, &mut |object| {
        if let Some(Value::String(reference)) = object.get_mut("$ref")
            && let Some(name) = reference.strip_prefix(&read)
        {
            let name = names.get(name).map_or(name, String::as_str);
            *reference = format!("#{SCHEMAS}/{name}");
        }
    });
}

/// Allows only the described members in the objects of a schema that is written.
fn close(schema: &mut Value) {
    each_object(schema, &mut |object| {
        let is_whole = ["oneOf", "anyOf", "allOf", "additionalProperties", "$ref"]
            .iter()
            .all(|keyword| !object.contains_key(*keyword));
        if is_whole && object.get("type") == Some(&json!("object")) && object.contains_key("properties") {
            object.insert("additionalProperties".to_owned(), json!(false));
        }
    });
}

/// Writes each description as one line.
fn join_lines(value: &mut Value) {
    each_object(value, &mut |object| {
        if let Some(Value::String(description)) = object.get_mut("description") {
            let words: Vec<&str> = description.split_whitespace().collect();
            *description = words.join(" ");
        }
    });
}

/// Visits every JSON object in a value.
fn each_object(value: &mut Value, visit: &mut impl FnMut(&mut Map<String, Value>)) {
    match value {
        Value::Object(object) => {
            visit(object);
            object.values_mut().for_each(|member| each_object(member, visit));
        }
        Value::Array(items) => items.iter_mut().for_each(|item| each_object(item, visit)),
        _ => {}
    }
}
