//! The metadata of an import, from the settings of an account Worker.

use std::collections::BTreeMap;

use dotdo_names::WorkerName;
use serde_json::{Map, Value, json};

use super::binding_change::shown_names;
use super::redeploy_secrets::{check_given, missing};
use crate::account::{AccountWorkerName, ListedWorker};
use crate::code::Code;
use crate::problem::Problem;
use crate::target::Target;
use crate::upload::{BindingRef, Metadata};

/// An import of an account Worker.
pub(crate) struct Import {
    /// The account Worker.
    pub from: AccountWorkerName,
    /// The names and the values of secrets that are set with it.
    pub secrets: Vec<(String, String)>,
    /// The account Workers that are imported to the same namespace, by their names in the account.
    pub services: BTreeMap<String, WorkerName>,
}

/// Settings that are copied as they are.
const COPIED: [&str; 6] = [
    "compatibility_date",
    "compatibility_flags",
    "limits",
    "logpush",
    "observability",
    "tail_consumers",
];

/// The members of `placement` that are settings. The others report its state.
const PLACEMENT: [&str; 4] = ["mode", "region", "host", "hostname"];

/// Tags by which wrangler describes the environment of an account Worker. Here an environment is a namespace.
const ENVIRONMENT_TAGS: [&str; 2] = ["cf:service=", "cf:environment="];

/// Refuses a Worker whose code or data is not part of what Cloudflare returns.
///
/// # Errors
/// `IMPORT_IMPOSSIBLE`.
pub(super) fn check_kind(listed: &ListedWorker, settings: &Map<String, Value>) -> Result<(), Problem> {
    let name = &listed.name;
    if listed.has_assets {
        return Err(impossible(
            format!("The account Worker {name} has static assets, which the Cloudflare API does not return."),
            "Deploy it from its repository: `wrangler deploy --dispatch-namespace NAMESPACE`.",
        ));
    }
    let list = settings.get("bindings").and_then(Value::as_array);
    for binding in list.into_iter().flatten().filter_map(BindingRef::of) {
        let is_own = binding.text("script_name").is_none_or(|script| script == name);
        let (what, fix) = match binding.kind {
            "durable_object_namespace" if is_own => (
                "is for its own Durable Objects, whose data stays with the account Worker",
                "Keep the Worker in the account. If the objects have no data, deploy it from its repository with wrangler.",
            ),
            "workflow" if is_own => (
                "is for a workflow of its own, which a Worker in a namespace cannot have",
                "Keep the Worker in the account.",
            ),
            "wasm_module" | "text_blob" | "data_blob" | "assets" => (
                "has a content that the Cloudflare API does not return",
                "Deploy the Worker from its repository with wrangler.",
            ),
            _ => continue,
        };
        return Err(impossible(
            format!(
                "The binding {} of the account Worker {name} {what}.",
                binding.name
            ),
            fix,
        ));
    }
    Ok(())
}

fn impossible(detail: String, fix: &str) -> Problem {
    Problem::new(Code::ImportImpossible, detail, fix)
}

/// The metadata of the upload, without the names of the modules. `current` are the settings of the Worker in the namespace, which keeps
/// its secrets.
///
/// # Errors
/// `IMPORT_IMPOSSIBLE` if Cloudflare returned no bindings; `SECRETS_MISSING`, `BODY_INVALID`.
pub(super) fn imported_metadata(
    settings: &Map<String, Value>,
    current: &Map<String, Value>,
    import: &Import,
    target: &Target,
) -> Result<Map<String, Value>, Problem> {
    let bindings = settings
        .get("bindings")
        .and_then(Value::as_array)
        .ok_or_else(|| {
            impossible(
                format!(
                    "The Cloudflare API did not return the bindings of the account Worker {}.",
                    import.from
                ),
                "Try again.",
            )
        })?;
    let mut metadata = Map::new();
    for (member, value) in settings {
        if COPIED.contains(&member.as_str()) && !value.is_null() {
            metadata.insert(member.clone(), value.clone());
        }
    }
    if let Some(Value::Object(placement)) = settings.get("placement") {
        let set: Map<String, Value> = placement
            .iter()
            .filter(|(member, _)| PLACEMENT.contains(&member.as_str()))
            .map(|(member, value)| (member.clone(), value.clone()))
            .collect();
        if !set.is_empty() {
            metadata.insert("placement".to_owned(), Value::Object(set));
        }
    }
    if let Some(Value::Array(tags)) = settings.get("tags") {
        let is_of_environment = |tag: &&Value| {
            let tag = tag.as_str().unwrap_or_default();
            ENVIRONMENT_TAGS.iter().any(|prefix| tag.starts_with(prefix))
        };
        let kept: Vec<&Value> = tags.iter().filter(|tag| !is_of_environment(tag)).collect();
        metadata.insert("tags".to_owned(), json!(kept));
    }
    let message = format!("Imported from the account Worker {}", import.from);
    metadata.insert("annotations".to_owned(), json!({ "workers/message": message }));
    let moved: Vec<Value> = bindings.iter().map(|binding| renamed(binding, import)).collect();
    metadata.insert("bindings".to_owned(), Value::Array(moved));
    let metadata = Metadata::of_kept(metadata);
    check_given(&metadata, &import.secrets)?;
    let present = current.get("bindings").and_then(Value::as_array);
    let present = present.map(Vec::as_slice).unwrap_or_default();
    let missing = missing(&metadata, present, &import.secrets);
    if !missing.is_empty() {
        return Err(secrets_missing(target, &missing));
    }
    Ok(metadata.redeployed(&import.secrets, None).members().clone())
}

/// A binding in which a service that is imported as well has its name in the namespace.
fn renamed(binding: &Value, import: &Import) -> Value {
    let mut binding = binding.clone();
    let service = BindingRef::of(&binding)
        .filter(|reference| reference.kind == "service")
        .and_then(|reference| reference.text("service"));
    let name = match service {
        Some(service) => import.services.get(service).cloned(),
        None => None,
    };
    if let (Some(name), Value::Object(members)) = (name, &mut binding) {
        members.insert("service".to_owned(), json!(name.as_str()));
        // Cloudflare returns the one environment that every account Worker has.
        members.remove("environment");
    }
    binding
}

fn secrets_missing(target: &Target, missing: &[String]) -> Problem {
    let names: Vec<&str> = missing.iter().map(String::as_str).collect();
    Problem::new(
        Code::SecretsMissing,
        format!(
            "{target} lacks secrets of the account Worker, whose values cannot be read: {}.",
            shown_names(&names)
        ),
        "Add them to the import: \"secrets\": {\"NAME\": \"value\"}.",
    )
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use dotdo_names::{Environment, WorkerName};

    use super::*;
    use crate::account::AccountWorkerName;

    fn target() -> Target {
        Target {
            namespace: Environment::Staging.into(),
            worker: WorkerName::parse("api").unwrap(),
        }
    }

    fn import(secrets: &[(&str, &str)]) -> Import {
        Import {
            from: AccountWorkerName::parse("api-staging").unwrap(),
            secrets: secrets
                .iter()
                .map(|(name, text)| ((*name).to_owned(), (*text).to_owned()))
                .collect(),
            services: BTreeMap::from([("auth-staging".to_owned(), WorkerName::parse("auth").unwrap())]),
        }
    }

    fn object(value: Value) -> Map<String, Value> {
        let Value::Object(members) = value else {
            panic!("not an object");
        };
        members
    }

    fn settings() -> Map<String, Value> {
        object(json!({
            "bindings": [
                { "type": "secret_text", "name": "TOKEN" },
                { "type": "service", "name": "AUTH", "service": "auth-staging", "environment": "production" },
                { "type": "service", "name": "OTHER", "service": "other", "environment": "production" },
                { "type": "kv_namespace", "name": "KV", "namespace_id": "c1" },
            ],
            "compatibility_date": "2026-01-01", "compatibility_flags": ["nodejs_compat"], "usage_model": "standard",
            "limits": null, "placement": { "mode": "smart", "last_analyzed_at": "2026-01-01", "status": "SUCCESS" },
            "tags": ["team:a", "cf:service=api", "cf:environment=staging"],
        }))
    }

    #[test]
    fn settings_become_metadata() {
        let metadata =
            imported_metadata(&settings(), &Map::new(), &import(&[("TOKEN", "t")]), &target()).unwrap();
        assert_eq!(
            Value::Object(metadata),
            json!({
                "bindings": [
                    { "type": "service", "name": "AUTH", "service": "auth" },
                    { "type": "service", "name": "OTHER", "service": "other", "environment": "production" },
                    { "type": "kv_namespace", "name": "KV", "namespace_id": "c1" },
                    { "type": "secret_text", "name": "TOKEN", "text": "t" },
                ],
                "keep_bindings": ["secret_text", "secret_key"],
                "compatibility_date": "2026-01-01", "compatibility_flags": ["nodejs_compat"],
                "placement": { "mode": "smart" }, "tags": ["team:a"],
                "annotations": { "workers/message": "Imported from the account Worker api-staging" },
            })
        );
    }

    #[test]
    fn a_secret_comes_from_the_request_or_is_set_already() {
        let problem = imported_metadata(&settings(), &Map::new(), &import(&[]), &target()).unwrap_err();
        assert_eq!(problem.code, Code::SecretsMissing);
        assert!(problem.detail.contains("TOKEN"), "{}", problem.detail);
        let current = object(json!({ "bindings": [{ "type": "secret_text", "name": "TOKEN" }] }));
        let metadata = imported_metadata(&settings(), &current, &import(&[]), &target()).unwrap();
        assert!(!Value::Object(metadata).to_string().contains("TOKEN"));
        let taken = imported_metadata(&settings(), &current, &import(&[("KV", "x")]), &target()).unwrap_err();
        assert_eq!(taken.code, Code::BodyInvalid);
        let hidden = imported_metadata(&Map::new(), &current, &import(&[]), &target()).unwrap_err();
        assert_eq!(hidden.code, Code::ImportImpossible);
    }

    #[test]
    fn what_cannot_be_read_back_is_refused() {
        let listed = |has_assets| ListedWorker {
            name: "api-staging".to_owned(),
            etag: None,
            handlers: None,
            has_assets,
            has_modules: true,
            migration_tag: None,
            tags: Vec::new(),
            created_on: None,
            modified_on: None,
            last_deployed_from: None,
        };
        assert!(check_kind(&listed(false), &settings()).is_ok());
        assert_eq!(
            check_kind(&listed(true), &settings()).unwrap_err().code,
            Code::ImportImpossible
        );
        for (binding, is_possible) in [
            (
                json!({ "type": "durable_object_namespace", "name": "A", "class_name": "Room" }),
                false,
            ),
            (
                json!({ "type": "durable_object_namespace", "name": "A", "class_name": "Room", "script_name": "api-staging" }),
                false,
            ),
            (
                json!({ "type": "durable_object_namespace", "name": "A", "class_name": "Room", "script_name": "rooms" }),
                true,
            ),
            (
                json!({ "type": "workflow", "name": "A", "workflow_name": "w", "class_name": "W" }),
                false,
            ),
            (json!({ "type": "wasm_module", "name": "A" }), false),
        ] {
            let settings = object(json!({ "bindings": [binding] }));
            assert_eq!(
                check_kind(&listed(false), &settings).is_ok(),
                is_possible,
                "{settings:?}"
            );
        }
    }
}
