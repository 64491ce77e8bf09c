//! The metadata that is stored with a bundle, and that of a redeploy.

use serde_json::{Map, Value, json};

use super::bindings::{BindingRef, redacted};
use super::{Metadata, Migrations};

impl Metadata {
    /// The metadata without secrets and without values that are valid only once: to be stored, digested and deployed again.
    #[must_use]
    pub fn redacted(&self) -> Map<String, Value> {
        let mut kept = self.0.clone();
        if let Some(Value::Array(bindings)) = kept.get_mut("bindings") {
            for binding in bindings {
                *binding = redacted(binding);
            }
        }
        if let Some(Value::Object(assets)) = kept.get_mut("assets") {
            assets.remove("jwt");
        }
        kept
    }

    /// Metadata that was [`redacted`](Self::redacted) and stored.
    #[must_use]
    pub const fn of_kept(kept: Map<String, Value>) -> Self {
        Self(kept)
    }

    /// Stored metadata for another deploy: existing secrets are kept, and those in `secrets` are set, in place of inherited
    /// bindings of the same name; migrations are those from the current state to the state of the bundle.
    #[must_use]
    pub fn redeployed(mut self, secrets: &[(String, String)], migrations: Option<&Migrations>) -> Self {
        let bindings = self.0.remove("bindings");
        let mut bindings: Vec<Value> = match bindings {
            Some(Value::Array(list)) => list
                .into_iter()
                .filter(|binding| {
                    BindingRef::of(binding).is_some_and(|binding| {
                        let is_given = || secrets.iter().any(|(name, _)| name == binding.name);
                        !(binding.is_secret() || binding.inherited().is_some() && is_given())
                    })
                })
                .collect(),
            _ => Vec::new(),
        };
        bindings.extend(
            secrets
                .iter()
                .map(|(name, text)| json!({ "type": "secret_text", "name": name, "text": text })),
        );
        self.0.insert("bindings".to_owned(), Value::Array(bindings));
        let mut kept: Vec<Value> = match self.0.remove("keep_bindings") {
            Some(Value::Array(list)) => list,
            _ => Vec::new(),
        };
        for kind in ["secret_text", "secret_key"] {
            if !kept.iter().any(|other| other == kind) {
                kept.push(json!(kind));
            }
        }
        self.0.insert("keep_bindings".to_owned(), Value::Array(kept));
        self.0.remove("migrations");
        if let Some(migrations) = migrations {
            self.0.insert("migrations".to_owned(), json!(migrations));
        }
        self
    }

    /// The same with static assets that were uploaded again, by their completion token.
    #[must_use]
    pub fn with_assets_jwt(mut self, jwt: &str) -> Self {
        self.0.remove("keep_assets");
        if let Value::Object(assets) = self.0.entry("assets").or_insert_with(|| json!({})) {
            assets.insert("jwt".to_owned(), json!(jwt));
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn metadata(value: &Value) -> Metadata {
        Metadata::parse(value.to_string().as_bytes()).unwrap()
    }

    #[test]
    fn nothing_secret_is_kept_or_printed() {
        let metadata = metadata(&json!({
            "main_module": "index.js",
            "bindings": [
                { "type": "secret_text", "name": "TOKEN", "text": "marker-1" },
                { "type": "secret_key", "name": "KEY", "format": "jwk", "usages": ["sign"], "key_jwk": {"k": "marker-2"} },
                { "type": "secret_future", "name": "NEW", "value": "marker-3" },
                { "type": "plain_text", "name": "MODE", "text": "fast" }
            ],
            "assets": { "jwt": "marker-4", "config": { "html_handling": "none" } }
        }));
        let kept = Value::Object(metadata.redacted()).to_string();
        assert!(!kept.contains("marker"), "{kept}");
        assert!(!format!("{metadata:?}").contains("marker"));
        assert!(kept.contains("\"TOKEN\"") && kept.contains("fast") && kept.contains("html_handling"));
    }

    #[test]
    fn what_is_kept_is_redeployed_with_secrets_as_they_are_set() {
        let kept = metadata(&json!({
            "main_module": "index.js",
            "bindings": [
                { "type": "secret_text", "name": "TOKEN", "text": "x" },
                { "type": "plain_text", "name": "MODE", "text": "fast" }
            ],
            "keep_bindings": ["secret_text"],
            "migrations": { "new_tag": "v1", "new_sqlite_classes": ["Room"] },
            "unknown_member": [1]
        }))
        .redacted();
        let again = Metadata::of_kept(kept)
            .redeployed(&[], None)
            .with_assets_jwt("jwt");
        let again: Value = serde_json::from_str(&again.to_json()).unwrap();
        assert_eq!(
            again,
            json!({
                "main_module": "index.js",
                "bindings": [{ "type": "plain_text", "name": "MODE", "text": "fast" }],
                "keep_bindings": ["secret_text", "secret_key"],
                "assets": { "jwt": "jwt" },
                "unknown_member": [1]
            })
        );
    }

    #[test]
    fn a_given_secret_replaces_an_inherited_binding() {
        let kept = metadata(&json!({ "bindings": [
            { "type": "inherit", "name": "TOKEN" }, { "type": "inherit", "name": "KV" }
        ] }));
        let again = kept.redeployed(&[("TOKEN".to_owned(), "x".to_owned())], None);
        let again: Value = serde_json::from_str(&again.to_json()).unwrap();
        assert_eq!(
            again["bindings"],
            json!([{ "type": "inherit", "name": "KV" }, { "type": "secret_text", "name": "TOKEN", "text": "x" }])
        );
    }
}
