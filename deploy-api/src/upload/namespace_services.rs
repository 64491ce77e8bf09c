//! Service bindings to Workers of the same namespace. Cloudflare resolves a service binding only to Workers of the account, so such a
//! binding is sent as one to the entrypoint `NamespaceService` of the dispatch Worker, with props that name the environment and the
//! Worker. Stored bundles have the author's binding, so a redeploy to another environment binds to the Worker of that environment.

use std::collections::BTreeMap;

use dotdo_names::{DISPATCH_WORKER, Namespace, PLATFORM_WORKERS, WorkerName};
use serde_json::{Value, json};

use super::Metadata;
use super::bindings::BindingRef;

/// The entrypoint of the dispatch Worker (`src/dispatch/namespace_service.js`).
const ENTRYPOINT: &str = "NamespaceService";

/// The name of `OpenNext`'s service binding to the Worker itself. The binding has the name of the Worker in the wrangler configuration,
/// which can differ from the name under which it is deployed.
pub(crate) const SELF_REFERENCE: &str = "WORKER_SELF_REFERENCE";

/// The service bindings of an upload that reach a Worker of the same namespace, by the name of the binding.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NamespaceServices(BTreeMap<String, WorkerName>);

impl NamespaceServices {
    /// Adds a binding.
    pub(crate) fn add(&mut self, binding: &str, worker: WorkerName) {
        self.0.insert(binding.to_owned(), worker);
    }

    /// Whether the binding reaches a Worker of the namespace.
    #[must_use]
    pub(crate) fn contains(&self, binding: &str) -> bool {
        self.0.contains_key(binding)
    }

    /// The metadata to be sent for a deployment in a namespace. The account has no such bindings.
    #[must_use]
    pub(crate) fn rewritten(&self, metadata: Metadata, namespace: Namespace) -> Metadata {
        let Some(environment) = namespace.environment().filter(|_| !self.0.is_empty()) else {
            return metadata;
        };
        let rewritten = |binding: &Value| {
            let reference = BindingRef::of(binding).filter(|reference| reference.kind == "service");
            match reference.and_then(|reference| Some((reference.name, self.0.get(reference.name)?))) {
                None => binding.clone(),
                Some((name, worker)) => json!({
                    "type": "service",
                    "name": name,
                    "service": DISPATCH_WORKER,
                    "entrypoint": ENTRYPOINT,
                    "props": { "environment": environment.name(), "worker": worker.as_str() },
                }),
            }
        };
        let bindings = metadata.binding_values().iter().map(rewritten).collect();
        metadata.with_bindings(bindings)
    }
}

/// The author's form of a binding that the upstream returns: the reverse of [`NamespaceServices::rewritten`]. Other bindings stay as
/// they are.
pub(crate) fn as_authored(binding: Value) -> Value {
    let authored = BindingRef::of(&binding).and_then(|reference| {
        let is_rewritten = reference.kind == "service"
            && reference.text("service") == Some(DISPATCH_WORKER)
            && reference.text("entrypoint") == Some(ENTRYPOINT);
        let worker = binding.get("props")?.get("worker")?.as_str()?;
        is_rewritten.then(|| json!({ "type": "service", "name": reference.name, "service": worker }))
    });
    authored.unwrap_or(binding)
}

/// The Worker of the platform to which a binding refers, in whichever member; `None` if it refers to none. Variables and secrets refer
/// to nothing.
pub(crate) fn platform_worker(binding: &Value) -> Option<&'static str> {
    let reference = BindingRef::of(binding)?;
    let is_value = matches!(reference.kind, "plain_text" | "json") || reference.is_secret();
    // With `dispatch_namespace`, the script is in that namespace and not in the account.
    if is_value || reference.text("dispatch_namespace").is_some() {
        return None;
    }
    named_in(binding)
}

fn named_in(value: &Value) -> Option<&'static str> {
    let members = value.as_object()?;
    members.iter().find_map(|(key, value)| match value {
        Value::String(text) if matches!(key.as_str(), "service" | "script_name") => is_of_platform(text),
        other => named_in(other),
    })
}

/// The name of the platform's Worker that a text names. A binding to one of them would give a user Worker access to every environment.
pub(crate) fn is_of_platform(text: &str) -> Option<&'static str> {
    let text = text.trim();
    PLATFORM_WORKERS
        .into_iter()
        .find(|worker| text.eq_ignore_ascii_case(worker))
}

#[cfg(test)]
mod tests {
    use dotdo_names::Environment;

    use super::*;

    fn metadata() -> Metadata {
        let metadata = json!({ "bindings": [
            { "type": "service", "name": "AUTH", "service": "auth" },
            { "type": "service", "name": "BILLING", "service": "billing", "entrypoint": "Admin" },
            { "type": "plain_text", "name": "MODE", "text": "auth" },
        ] });
        Metadata::parse(metadata.to_string().as_bytes()).unwrap()
    }

    #[test]
    fn a_binding_inside_the_namespace_is_rewritten_for_the_environment_and_read_back() {
        let mut services = NamespaceServices::default();
        services.add("AUTH", WorkerName::parse("auth").unwrap());
        for environment in Environment::ALL {
            let rewritten = services.rewritten(metadata(), environment.into());
            let sent = rewritten.binding_values();
            let expected = json!({
                "type": "service", "name": "AUTH", "service": "dispatcher", "entrypoint": "NamespaceService",
                "props": { "environment": environment.name(), "worker": "auth" },
            });
            assert_eq!(sent[0], expected);
            assert_eq!(sent[1..], metadata().binding_values()[1..]);
            let read: Vec<Value> = sent.iter().cloned().map(as_authored).collect();
            assert_eq!(read, metadata().binding_values());
        }
        assert_eq!(
            NamespaceServices::default().rewritten(metadata(), Environment::Staging.into()),
            metadata()
        );
    }

    #[test]
    fn a_binding_of_any_type_to_a_worker_of_the_platform_is_found() {
        for (binding, worker) in [
            (
                json!({ "type": "service", "name": "A", "service": "dispatcher" }),
                Some("dispatcher"),
            ),
            (
                json!({ "type": "service", "name": "A", "service": " Dispatcher" }),
                Some("dispatcher"),
            ),
            (
                json!({ "type": "service", "name": "A", "service": "logs", "entrypoint": "X" }),
                Some("logs"),
            ),
            (
                json!({ "type": "durable_object_namespace", "name": "A", "class_name": "Ledger", "script_name": "deploy-api" }),
                Some("deploy-api"),
            ),
            (
                json!({ "type": "dispatch_namespace", "name": "A", "outbound": { "worker": { "service": "deploy-api" } } }),
                Some("deploy-api"),
            ),
            (
                json!({ "type": "service", "name": "A", "service": "dispatcher-2" }),
                None,
            ),
            (
                json!({ "type": "plain_text", "name": "service", "text": "dispatcher" }),
                None,
            ),
            (
                json!({ "type": "json", "name": "A", "json": { "service": "dispatcher" } }),
                None,
            ),
        ] {
            assert_eq!(platform_worker(&binding), worker, "{binding}");
        }
    }
}
