use serde_json::{Map, Value};

/// A binding of the metadata, by what the engine looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BindingRef<'a> {
    /// The name under which the Worker finds it.
    pub name: &'a str,
    /// Cloudflare's word for its type.
    pub kind: &'a str,
    object: &'a Map<String, Value>,
}

impl<'a> BindingRef<'a> {
    pub(super) fn of(value: &'a Value) -> Option<Self> {
        let object = value.as_object()?;
        Some(Self {
            name: object.get("name")?.as_str()?,
            kind: object.get("type")?.as_str()?,
            object,
        })
    }

    /// A text of the binding, such as the `service` that it leads to.
    #[must_use]
    pub fn text(&self, key: &str) -> Option<&'a str> {
        self.object.get(key)?.as_str()
    }

    /// Whether its value is a secret, which is never kept here.
    #[must_use]
    pub fn is_secret(&self) -> bool {
        is_secret_type(self.kind)
    }
}

/// Whether a binding of that type carries a secret. What is in the Secrets Store is only referred to by its name.
#[must_use]
pub fn is_secret_type(kind: &str) -> bool {
    kind.starts_with("secret") && kind != "secrets_store_secret"
}

/// What may be kept of a binding: of one that carries a secret, all but the secret.
pub(super) fn redacted(binding: &Value) -> Value {
    let kind = binding.get("type").and_then(Value::as_str).unwrap_or_default();
    if !is_secret_type(kind) {
        return binding.clone();
    }
    let kept = ["name", "type", "algorithm", "format", "usages"];
    let object = binding.as_object().into_iter().flatten();
    Value::Object(
        object
            .filter(|(key, _)| kept.contains(&key.as_str()))
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect(),
    )
}
