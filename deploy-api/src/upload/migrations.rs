use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// Durable Object migrations from one tag to another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Migrations {
    /// The tag before the migrations; `None` if there was none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub old_tag: Option<String>,
    /// The tag after the migrations.
    pub new_tag: String,
    /// The steps, in Cloudflare's own form.
    #[serde(default)]
    pub steps: Vec<Value>,
}

impl Migrations {
    /// Reads the member `migrations` of a metadata, in the form with steps or the older one that is a step itself.
    /// `None` without a `new_tag`.
    pub(super) fn read(object: &Map<String, Value>) -> Option<Self> {
        let tag = |key: &str| object.get(key).and_then(Value::as_str).map(str::to_owned);
        let steps = if let Some(steps) = object.get("steps").and_then(Value::as_array) {
            steps.clone()
        } else {
            let step: Map<_, _> = object
                .iter()
                .filter(|(key, _)| !matches!(key.as_str(), "old_tag" | "new_tag"))
                .map(|(key, value)| (key.clone(), value.clone()))
                .collect();
            vec![Value::Object(step)]
        };
        Some(Self {
            old_tag: tag("old_tag"),
            new_tag: tag("new_tag")?,
            steps,
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn migrations_have_steps_in_either_form() {
        let read = |value: Value| Migrations::read(value.as_object().unwrap());
        let flat = read(json!({ "new_tag": "v1", "new_sqlite_classes": ["Room"] }));
        let stepped = read(json!({ "new_tag": "v1", "steps": [{ "new_sqlite_classes": ["Room"] }] }));
        assert_eq!(flat, stepped);
        assert_eq!(flat.unwrap().steps.len(), 1);
        assert_eq!(read(json!({ "steps": [] })), None);
    }
}
