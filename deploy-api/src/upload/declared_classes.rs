use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// The Durable Object classes that uploads declare in `exports`, instead of migrating to them. The tag of the migrations
/// does not change with them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeclaredClasses {
    /// The classes that the Worker has.
    pub live: BTreeSet<String>,
    /// The classes that the Worker had, and that were deleted, renamed or transferred.
    pub removed: BTreeSet<String>,
}

impl DeclaredClasses {
    /// Reads the member `exports` of a metadata; `None` if it declares no Durable Object class.
    pub(super) fn read(exports: &Map<String, Value>) -> Option<Self> {
        let mut classes = Self::default();
        for (name, export) in exports {
            let text = |key: &str| export.get(key).and_then(Value::as_str);
            if text("type") != Some("durable-object") {
                continue;
            }
            match text("state") {
                Some("deleted" | "transferred") => {
                    classes.removed.insert(name.clone());
                }
                Some("renamed") => {
                    classes.removed.insert(name.clone());
                    classes.live.extend(text("renamed_to").map(str::to_owned));
                }
                _ => {
                    classes.live.insert(name.clone());
                }
            }
        }
        classes.removed.retain(|name| !classes.live.contains(name));
        (!classes.live.is_empty() || !classes.removed.is_empty()).then_some(classes)
    }

    /// The classes of a Worker with the classes `self` after an upload that declares `declared`.
    #[must_use]
    pub fn after(&self, declared: &Self) -> Self {
        let earlier = self.live.iter().chain(&self.removed);
        let removed = earlier.chain(&declared.removed);
        Self {
            live: declared.live.clone(),
            removed: removed
                .filter(|name| !declared.live.contains(*name))
                .cloned()
                .collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(exports: &Value) -> Option<DeclaredClasses> {
        DeclaredClasses::read(exports.as_object().unwrap())
    }

    fn names(set: &BTreeSet<String>) -> Vec<&str> {
        set.iter().map(String::as_str).collect()
    }

    #[test]
    fn reads_the_classes_that_exports_declare() {
        let classes = read(&json!({
            "Room": { "type": "durable-object", "storage": "sqlite" },
            "Made": { "type": "durable-object", "storage": "sqlite", "state": "created" },
            "Old": { "type": "durable-object", "state": "renamed", "renamed_to": "New" },
            "Gone": { "type": "durable-object", "state": "deleted" },
            "Api": { "type": "worker" }
        }))
        .unwrap();
        assert_eq!(names(&classes.live), ["Made", "New", "Room"]);
        assert_eq!(names(&classes.removed), ["Gone", "Old"]);
        assert_eq!(read(&json!({ "Api": { "type": "worker" } })), None);
    }

    #[test]
    fn a_class_stays_removed_until_it_is_declared_again() {
        let room = read(&json!({ "Room": { "type": "durable-object" } })).unwrap();
        let other = read(&json!({ "Other": { "type": "durable-object" } })).unwrap();
        let without = room.after(&other);
        assert_eq!(names(&without.removed), ["Room"]);
        assert_eq!(names(&without.after(&other).removed), ["Room"]);
        assert_eq!(names(&without.after(&room).removed), ["Other"]);
    }
}
