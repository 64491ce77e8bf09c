use serde_json::{Map, Value};

/// A binding of the metadata.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BindingRef<'a> {
    /// The name by which the Worker accesses it.
    pub name: &'a str,
    /// Cloudflare's name of its type.
    pub kind: &'a str,
    object: &'a Map<String, Value>,
}

impl<'a> BindingRef<'a> {
    pub(crate) fn of(value: &'a Value) -> Option<Self> {
        let object = value.as_object()?;
        Some(Self {
            name: object.get("name")?.as_str()?,
            kind: object.get("type")?.as_str()?,
            object,
        })
    }

    /// A string member of the binding, such as `service`.
    #[must_use]
    pub fn text(&self, key: &str) -> Option<&'a str> {
        self.object.get(key)?.as_str()
    }

    /// The name of the current version's binding that it takes; `None` if it has another type than `inherit`.
    #[must_use]
    pub fn inherited(&self) -> Option<&'a str> {
        (self.kind == INHERIT).then(|| self.text("old_name").unwrap_or(self.name))
    }

    /// Whether its value is a secret, which is never stored.
    #[must_use]
    pub fn is_secret(&self) -> bool {
        is_secret_type(self.kind)
    }
}

/// Whether a binding of this type contains a secret. A binding to the Secrets Store contains only the name of a secret.
#[must_use]
pub fn is_secret_type(kind: &str) -> bool {
    kind.starts_with("secret") && kind != "secrets_store_secret"
}

/// The binding without the value of its secret, to be stored.
pub(crate) fn redacted(binding: &Value) -> Value {
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

/// The type of a binding that is taken from the current version of the Worker.
pub(super) const INHERIT: &str = "inherit";
