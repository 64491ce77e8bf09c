//! A binding that differs between a promoted deployment and its target, as it is shown to the caller.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::upload::BindingRef;

/// A binding that differs between the source and the target.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct BindingChange {
    /// The name of the binding.
    pub name: String,
    /// The type of the binding.
    #[serde(rename = "type")]
    pub kind: String,
    /// How the target's bindings differ from the source's.
    pub change: ChangeKind,
    /// Whose value the promoted deployment has; `None` if the binding is removed, or if the request must give a value.
    pub from: Option<ValueOf>,
    /// The value in the source: that of a variable, or the members of another binding.
    pub source: Option<Value>,
    /// The value in the target.
    pub target: Option<Value>,
}

/// How a binding of the source and one of the target differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "BindingChangeKind")]
pub enum ChangeKind {
    /// Only the source has it.
    Added,
    /// Both have it, with different values.
    Changed,
    /// Only the target has it.
    Removed,
}

/// Whose value a binding of a promoted deployment has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "BindingValueOf")]
pub enum ValueOf {
    /// The source's.
    Source,
    /// The target's.
    Target,
    /// The one in the request.
    Given,
}

impl BindingChange {
    /// Whether the request must give a value.
    #[must_use]
    pub fn is_missing(&self) -> bool {
        self.change == ChangeKind::Added && self.from.is_none()
    }
}

/// The members of a binding except for its name and its type.
pub(super) fn members(binding: &Value) -> impl Iterator<Item = (&String, &Value)> {
    let object = binding.as_object().into_iter().flatten();
    object.filter(|(key, _)| !matches!(key.as_str(), "name" | "type"))
}

/// The most bytes of a value that is shown as a whole.
const MAX_SHOWN: usize = 1024;

/// The most names in an error.
const MAX_NAMES: usize = 30;

/// Names, separated by commas, with a limit.
pub(super) fn shown_names(names: &[&str]) -> String {
    if names.is_empty() {
        return "none".to_owned();
    }
    let more = names.len().saturating_sub(MAX_NAMES);
    let shown: Vec<&str> = names.iter().take(MAX_NAMES).copied().collect();
    let shown = shown.join(", ");
    if more == 0 {
        shown
    } else {
        format!("{shown} and {more} more")
    }
}

/// The value of a variable, or the members of another binding. A long value is cut.
pub(super) fn shown_value(binding: &Value) -> Value {
    let reference = BindingRef::of(binding);
    let value = match reference.map(|reference| reference.kind) {
        Some("plain_text") => binding.get("text").cloned().unwrap_or_default(),
        Some("json") => binding.get("json").cloned().unwrap_or_default(),
        _ => Value::Object(
            members(binding)
                .map(|(key, value)| (key.clone(), value.clone()))
                .collect(),
        ),
    };
    shown(value)
}

/// A value, cut if it is long.
pub(super) fn shown(value: Value) -> Value {
    let text = match &value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    if text.len() <= MAX_SHOWN {
        return value;
    }
    let start: String = text.chars().take(200).collect();
    Value::from(format!("{start}… ({} bytes)", text.len()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn long_values_are_cut() {
        let long = "x".repeat(MAX_SHOWN + 1);
        let binding = json!({ "type": "plain_text", "name": "LONG", "text": long });
        let cut = shown_value(&binding).as_str().unwrap().to_owned();
        assert!(cut.ends_with("… (1025 bytes)") && cut.len() < 300, "{cut}");
        let binding = json!({ "type": "plain_text", "name": "SHORT", "text": "x" });
        assert_eq!(shown_value(&binding), json!("x"));
    }
}
