//! The metadata of an upload in fields such as `metadata[bindings][][name]`, as Cloudflare's TypeScript SDK sends it.

use serde_json::{Map, Value};

use super::metadata::{MAX_METADATA, metadata_too_long};
use super::reader::{METADATA, malformed};
use crate::problem::Problem;

/// The most keys in the name of a field.
const MAX_DEPTH: usize = 16;

/// The fields of one form. `[key]` is a member, `[]` appends to a list, and a key that occurs again in an element of a list begins
/// the next element. All values are strings, because the form does not contain their types.
#[derive(Debug, Default)]
pub(super) struct BracketedFields {
    fields: Vec<(Vec<String>, String)>,
    size: usize,
}

/// The keys of a field with this name; `None` if it is not a field of the metadata.
pub(super) fn keys(name: &str) -> Option<Vec<String>> {
    let keys = name
        .strip_prefix(METADATA)?
        .strip_prefix('[')?
        .strip_suffix(']')?;
    Some(keys.split("][").map(str::to_owned).collect())
}

impl BracketedFields {
    /// Adds the next field.
    ///
    /// # Errors
    /// `UPLOAD_MALFORMED` if the metadata is too long or too deep.
    pub(super) fn add(&mut self, keys: Vec<String>, value: String) -> Result<(), Problem> {
        self.size += value.len() + keys.iter().map(|key| key.len() + 16).sum::<usize>();
        if self.size > MAX_METADATA {
            return Err(metadata_too_long());
        }
        if keys.len() > MAX_DEPTH {
            return Err(malformed("a field of its metadata has too many keys"));
        }
        self.fields.push((keys, value));
        Ok(())
    }

    /// The metadata as JSON; `None` if there are no fields.
    pub(super) fn into_json(self) -> Option<Vec<u8>> {
        if self.fields.is_empty() {
            return None;
        }
        let mut root = Map::new();
        for (keys, value) in self.fields {
            if let [key, rest @ ..] = keys.as_slice() {
                place(&mut root, key, rest, value);
            }
        }
        Some(Value::Object(root).to_string().into_bytes())
    }
}

/// Sets a member. A member that has another type already stays as it is.
fn place(object: &mut Map<String, Value>, key: &str, rest: &[String], value: String) {
    match rest {
        [] => {
            object.insert(key.to_owned(), Value::String(value));
        }
        [next, rest @ ..] if next.is_empty() => {
            let list = object.entry(key).or_insert_with(|| Value::Array(Vec::new()));
            if let Value::Array(list) = list {
                append(list, rest, value);
            }
        }
        [next, rest @ ..] => {
            let inner = object.entry(key).or_insert_with(|| Value::Object(Map::new()));
            if let Value::Object(inner) = inner {
                place(inner, next, rest, value);
            }
        }
    }
}

fn append(list: &mut Vec<Value>, keys: &[String], value: String) {
    let [key, rest @ ..] = keys else {
        list.push(Value::String(value));
        return;
    };
    if let Some(Value::Object(last)) = list.last_mut()
        && !is_taken(last, key, rest)
    {
        place(last, key, rest, value);
        return;
    }
    let mut element = Map::new();
    place(&mut element, key, rest, value);
    list.push(Value::Object(element));
}

/// Whether the object has a value at these keys. A list always accepts another element.
fn is_taken(object: &Map<String, Value>, key: &str, rest: &[String]) -> bool {
    match (object.get(key), rest) {
        (None, _) => false,
        (Some(_), [next, ..]) if next.is_empty() => false,
        (Some(Value::Object(inner)), [next, rest @ ..]) => is_taken(inner, next, rest),
        (Some(_), _) => true,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(fields: &[(&str, &str)]) -> Value {
        let mut read = BracketedFields::default();
        for (name, value) in fields {
            read.add(keys(name).unwrap(), (*value).to_owned()).unwrap();
        }
        serde_json::from_slice(&read.into_json().unwrap()).unwrap()
    }

    #[test]
    fn fields_become_objects_and_lists() {
        let read = read(&[
            ("metadata[main_module]", "index.js"),
            ("metadata[bindings][][type]", "plain_text"),
            ("metadata[bindings][][name]", "A"),
            ("metadata[bindings][][type]", "json"),
            ("metadata[bindings][][name]", "J"),
            ("metadata[bindings][][json][a]", "1"),
            ("metadata[bindings][][json][b][]", "2"),
            ("metadata[bindings][][json][b][]", "3"),
            ("metadata[tags][]", "x"),
            ("metadata[tags][]", "y"),
        ]);
        assert_eq!(
            read,
            json!({
                "main_module": "index.js",
                "bindings": [
                    { "type": "plain_text", "name": "A" },
                    { "type": "json", "name": "J", "json": { "a": "1", "b": ["2", "3"] } }
                ],
                "tags": ["x", "y"]
            })
        );
    }

    #[test]
    fn other_names_are_not_fields_and_fields_are_limited() {
        for name in ["metadata", "metadata[", "metadata]a[", "files[]", "other[a]"] {
            assert_eq!(keys(name), None, "{name}");
        }
        assert!(BracketedFields::default().into_json().is_none());
        let deep = format!("metadata{}", "[a]".repeat(MAX_DEPTH + 1));
        assert!(
            BracketedFields::default()
                .add(keys(&deep).unwrap(), String::new())
                .is_err()
        );
        let long = "v".repeat(MAX_METADATA);
        assert!(
            BracketedFields::default()
                .add(vec!["a".to_owned()], long)
                .is_err()
        );
        // A value in place of an object does not replace it, nor the reverse.
        assert_eq!(
            read(&[("metadata[a][b]", "1"), ("metadata[a][]", "2")]),
            json!({ "a": { "b": "1" } })
        );
    }
}
