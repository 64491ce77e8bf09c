//! The bindings that an upload takes from the current version of the Worker: those of the type `inherit`, and those of the types
//! in `keep_bindings`. They are resolved when the upload is deployed, so that a later redeploy restores them.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::Metadata;
use super::bindings::{BindingRef, INHERIT, is_secret_type, redacted};

/// Bindings of a deployment whose values are not known, because they came from the version before it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "UnresolvedBinding")]
pub struct Unresolved {
    /// The name of the inherited binding; `None` for all kept bindings of the type.
    #[serde(default)]
    pub name: Option<String>,
    /// `inherit`, or the type of the kept bindings.
    #[serde(rename = "type")]
    pub kind: String,
}

/// Formats as a noun phrase.
impl fmt::Display for Unresolved {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.name {
            Some(name) => write!(f, "the inherited binding {name}"),
            None => write!(f, "the kept bindings of the type {}", self.kind),
        }
    }
}

impl Metadata {
    /// Whether an upload takes bindings other than kept secrets from the current version of the Worker.
    #[must_use]
    pub fn takes_current_bindings(&self) -> bool {
        self.inherits() || self.kept_kinds().next().is_some()
    }

    /// The types of the bindings that are kept from the current version, without those of secrets.
    fn kept_kinds(&self) -> impl Iterator<Item = &str> {
        let list = self.0.get("keep_bindings").and_then(Value::as_array);
        list.into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .filter(|kind| !is_secret_type(kind))
    }

    /// The metadata to be stored: [`redacted`](Self::redacted), with the bindings of the current version in place of the bindings
    /// that refer to them. `current` has the bindings of the current version as the upstream returns them; it is empty if there is
    /// no current version, and `None` if it is not known. What cannot be resolved stays as it is: see
    /// [`unresolved`](Self::unresolved).
    #[must_use]
    pub fn stored(&self, current: Option<&[Value]>) -> Map<String, Value> {
        let mut stored = self.redacted();
        let Some(current) = current else {
            return stored;
        };
        if let Some(Value::Array(bindings)) = stored.get_mut("bindings") {
            for binding in bindings {
                if let Some(found) = inherited(binding, current) {
                    *binding = found;
                }
            }
        }
        let kept: Vec<&str> = self.kept_kinds().collect();
        if kept.is_empty() {
            return stored;
        }
        let names: Vec<&str> = self.bindings().map(|binding| binding.name).collect();
        let taken: Vec<(&str, &Value)> = current
            .iter()
            .filter_map(|value| Some((BindingRef::of(value)?, value)))
            .filter(|(binding, _)| kept.contains(&binding.kind) && !names.contains(&binding.name))
            .map(|(binding, value)| (binding.kind, value))
            .collect();
        let is_unknown = |kind: &str| taken.iter().any(|(of, value)| *of == kind && !has_value(value));
        if let Some(Value::Array(kinds)) = stored.get_mut("keep_bindings") {
            kinds.retain(|kind| {
                kind.as_str()
                    .is_some_and(|kind| is_secret_type(kind) || is_unknown(kind))
            });
        }
        if let Value::Array(bindings) = stored
            .entry("bindings")
            .or_insert_with(|| Value::Array(Vec::new()))
        {
            let known = taken.iter().filter(|(kind, _)| !is_unknown(kind));
            bindings.extend(known.map(|(_, value)| of_this_worker((*value).clone())));
        }
        stored
    }

    /// The bindings of stored metadata that were taken from the version before and could not be resolved.
    #[must_use]
    pub fn unresolved(&self) -> Vec<Unresolved> {
        let inherited = self
            .bindings()
            .filter(|binding| binding.inherited().is_some())
            .map(|binding| Unresolved {
                name: Some(binding.name.to_owned()),
                kind: INHERIT.to_owned(),
            });
        let kept = self.kept_kinds().map(|kind| Unresolved {
            name: None,
            kind: kind.to_owned(),
        });
        let mut unresolved: Vec<Unresolved> = inherited.chain(kept).collect();
        unresolved.sort();
        unresolved.dedup();
        unresolved
    }
}

/// The binding that replaces a binding of the type `inherit` in the stored bundle: the binding of the current version to which it
/// refers, under its new name. `None` if `binding` has another type, or the current version has no such binding.
fn inherited(binding: &Value, current: &[Value]) -> Option<Value> {
    let inherit = BindingRef::of(binding)?;
    let name = inherit.inherited()?;
    let found = current
        .iter()
        .find(|other| BindingRef::of(other).is_some_and(|other| other.name == name))?;
    if !has_value(found) {
        return None;
    }
    let mut found = of_this_worker(redacted(found));
    if let Value::Object(members) = &mut found {
        members.insert("name".to_owned(), Value::from(inherit.name));
    }
    Some(found)
}

/// Whether the upstream returned the value of a variable. A secret never has one.
fn has_value(binding: &Value) -> bool {
    match binding.get("type").and_then(Value::as_str) {
        Some("plain_text") => binding.get("text").is_some_and(Value::is_string),
        Some("json") => binding.get("json").is_some(),
        _ => true,
    }
}

/// A binding without the id of a Durable Object namespace that belongs to the Worker itself: the upstream adds it, and another
/// Worker has another one.
pub(crate) fn of_this_worker(mut binding: Value) -> Value {
    let is_own_class = binding.get("type").and_then(Value::as_str) == Some("durable_object_namespace")
        && binding.get("class_name").is_some()
        && binding.get("script_name").is_none_or(Value::is_null);
    if is_own_class && let Value::Object(members) = &mut binding {
        members.remove("namespace_id");
    }
    binding
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn metadata(value: &Value) -> Metadata {
        Metadata::parse(value.to_string().as_bytes()).unwrap()
    }

    fn names(unresolved: &[Unresolved]) -> Vec<String> {
        unresolved.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn the_bindings_that_are_inherited_are_stored() {
        let metadata = metadata(&json!({ "bindings": [
            { "type": "inherit", "name": "KV" },
            { "type": "inherit", "name": "NEW", "old_name": "OLD" },
            { "type": "inherit", "name": "KEY" },
            { "type": "inherit", "name": "MISSING" },
            { "type": "inherit", "name": "ROOM" },
            { "type": "plain_text", "name": "MODE", "text": "fast" }
        ] }));
        assert!(metadata.takes_current_bindings());
        let current = [
            json!({ "type": "kv_namespace", "name": "KV", "namespace_id": "k1" }),
            json!({ "type": "d1", "name": "OLD", "id": "d1" }),
            json!({ "type": "secret_text", "name": "KEY", "text": "marker" }),
            json!({ "type": "plain_text", "name": "MODE", "text": "slow" }),
            json!({ "type": "durable_object_namespace", "name": "ROOM", "class_name": "Room", "namespace_id": "n1" }),
        ];
        let stored = metadata.stored(Some(&current));
        assert_eq!(
            stored["bindings"],
            json!([
                { "type": "kv_namespace", "name": "KV", "namespace_id": "k1" },
                { "type": "d1", "name": "NEW", "id": "d1" },
                { "type": "secret_text", "name": "KEY" },
                { "type": "inherit", "name": "MISSING" },
                { "type": "durable_object_namespace", "name": "ROOM", "class_name": "Room" },
                { "type": "plain_text", "name": "MODE", "text": "fast" }
            ])
        );
        assert_eq!(
            names(&Metadata::of_kept(stored).unresolved()),
            ["the inherited binding MISSING"]
        );
    }

    #[test]
    fn the_bindings_that_are_kept_are_stored() {
        let metadata = metadata(&json!({
            "bindings": [{ "type": "plain_text", "name": "MODE", "text": "fast" }],
            "keep_bindings": ["plain_text", "json", "secret_text"]
        }));
        let current = [
            json!({ "type": "plain_text", "name": "API_URL", "text": "v1" }),
            json!({ "type": "plain_text", "name": "MODE", "text": "slow" }),
            json!({ "type": "json", "name": "LIMITS", "json": { "a": 1 } }),
            json!({ "type": "secret_text", "name": "KEY" }),
            json!({ "type": "kv_namespace", "name": "KV", "namespace_id": "k1" }),
        ];
        let stored = metadata.stored(Some(&current));
        assert_eq!(
            stored["bindings"],
            json!([
                { "type": "plain_text", "name": "MODE", "text": "fast" },
                { "type": "plain_text", "name": "API_URL", "text": "v1" },
                { "type": "json", "name": "LIMITS", "json": { "a": 1 } }
            ])
        );
        assert_eq!(stored["keep_bindings"], json!(["secret_text"]));
        assert!(Metadata::of_kept(stored).unresolved().is_empty());
        let of_nothing = metadata.stored(Some(&[]));
        assert_eq!(of_nothing["keep_bindings"], json!(["secret_text"]));
    }

    #[test]
    fn what_the_upstream_does_not_return_is_unresolved() {
        let metadata = metadata(&json!({
            "bindings": [{ "type": "inherit", "name": "KV" }],
            "keep_bindings": ["plain_text", "json", "secret_text"]
        }));
        let unknown = Metadata::of_kept(metadata.stored(None));
        assert_eq!(
            names(&unknown.unresolved()),
            [
                "the kept bindings of the type json",
                "the kept bindings of the type plain_text",
                "the inherited binding KV"
            ]
        );
        let current = [
            json!({ "type": "plain_text", "name": "API_URL" }),
            json!({ "type": "kv_namespace", "name": "KV", "namespace_id": "k1" }),
        ];
        let stored = Metadata::of_kept(metadata.stored(Some(&current)));
        assert_eq!(
            names(&stored.unresolved()),
            ["the kept bindings of the type plain_text"]
        );
    }
}
