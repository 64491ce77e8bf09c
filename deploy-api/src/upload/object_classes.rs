use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::bindings::BindingRef;

/// The most classes that one upload may name.
pub(super) const MAX_CLASSES: usize = 1000;

/// The longest name of a class, in bytes.
pub(super) const MAX_CLASS: usize = 256;

/// The Durable Object classes that an upload names, by name: those that it declares with `exports`, and those of its
/// bindings.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ObjectClasses(BTreeMap<String, ClassState>);

/// The state of a class after an upload.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClassState {
    /// The Worker has the class and its objects.
    Live,
    /// The class and its objects are deleted.
    Deleted,
    /// The objects belong to the class of this name.
    RenamedTo(String),
    /// The objects belong to the Worker of this name.
    TransferredTo(String),
}

impl ObjectClasses {
    /// Reads the member `exports` and the bindings of a metadata. Entries of other types, and states that are not known, are
    /// left out.
    pub(super) fn read<'a>(
        exports: Option<&Map<String, Value>>,
        bindings: impl Iterator<Item = BindingRef<'a>>,
    ) -> Self {
        // A binding with a `script_name` refers to a class of another Worker.
        let mut classes: BTreeMap<_, _> = bindings
            .filter(|binding| {
                binding.kind == "durable_object_namespace" && binding.text("script_name").is_none()
            })
            .filter_map(|binding| Some((binding.text("class_name")?.to_owned(), ClassState::Live)))
            .collect();
        for (class, export) in exports.into_iter().flatten() {
            if let Some(state) = ClassState::of_export(export) {
                if let ClassState::RenamedTo(name) = &state {
                    classes.entry(name.clone()).or_insert(ClassState::Live);
                }
                classes.insert(class.clone(), state);
            }
        }
        Self(classes)
    }

    /// Each class with its state, in the order of the names.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &ClassState)> {
        self.0.iter().map(|(class, state)| (class.as_str(), state))
    }

    /// Whether the upload has more classes than allowed, or one with a name that is too long.
    pub(super) fn exceed_limits(&self) -> bool {
        let length = |class: &str, state: &ClassState| match state {
            ClassState::Live | ClassState::Deleted => class.len(),
            ClassState::RenamedTo(name) | ClassState::TransferredTo(name) => class.len().max(name.len()),
        };
        self.0.len() > MAX_CLASSES || self.iter().any(|(class, state)| length(class, state) > MAX_CLASS)
    }
}

impl ClassState {
    /// The state that an entry of `exports` declares; `None` if the entry is not a Durable Object class.
    fn of_export(export: &Value) -> Option<Self> {
        let text = |key: &str| export.get(key).and_then(Value::as_str);
        if text("type") != Some("durable-object") {
            return None;
        }
        match text("state") {
            None | Some("created" | "expecting-transfer") => Some(Self::Live),
            Some("deleted") => Some(Self::Deleted),
            Some("renamed") => Some(Self::RenamedTo(text("renamed_to")?.to_owned())),
            Some("transferred") => Some(Self::TransferredTo(text("transferred_to")?.to_owned())),
            Some(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn exports_and_bindings_name_the_classes() {
        let exports = json!({
            "Room": { "type": "durable-object", "storage": "sqlite" },
            "Old": { "type": "durable-object", "state": "deleted" },
            "Hall": { "type": "durable-object", "state": "renamed", "renamed_to": "Court" },
            "Gone": { "type": "durable-object", "state": "transferred", "transferred_to": "other" },
            "Next": { "type": "durable-object", "state": "expecting-transfer", "storage": "sqlite", "transfer_from": "x" },
            "Later": { "type": "durable-object", "state": "a-new-state" },
            "Flow": { "type": "workflow", "name": "flow" }
        });
        let bindings = [
            json!({ "type": "durable_object_namespace", "name": "A", "class_name": "Bound" }),
            json!({ "type": "durable_object_namespace", "name": "B", "class_name": "Theirs", "script_name": "other" }),
            json!({ "type": "durable_object_namespace", "name": "C", "class_name": "Old" }),
        ];
        let classes = ObjectClasses::read(exports.as_object(), bindings.iter().filter_map(BindingRef::of));
        let found: Vec<_> = classes.iter().collect();
        assert_eq!(
            found,
            [
                ("Bound", &ClassState::Live),
                ("Court", &ClassState::Live),
                ("Gone", &ClassState::TransferredTo("other".to_owned())),
                ("Hall", &ClassState::RenamedTo("Court".to_owned())),
                ("Next", &ClassState::Live),
                ("Old", &ClassState::Deleted),
                ("Room", &ClassState::Live),
            ]
        );
    }
}
