//! Metadata as fields of a form, such as `metadata[bindings][][name]`. Cloudflare's TypeScript SDK sends it in this form.
//!
//! `[key]` is a member of an object, and `[]` an element of a list. The fields do not show where an element of a list ends, so a
//! member that the last element has already begins the next element. Numbers and booleans are sent as text.

use serde_json::{Map, Value, json};

use super::Metadata;
use super::form_error::malformed;
use super::metadata::{MAX_METADATA, METADATA, metadata_too_long};
use crate::problem::Problem;

/// The deepest nesting of a field.
const MAX_DEPTH: usize = 16;

/// The number of bytes that are counted for a field in addition to its name and its value.
const FIELD: usize = 64;

/// Members of the metadata that are booleans.
const BOOLEANS: [&str; 9] = [
    "cross_version_cache",
    "enabled",
    "invocation_logs",
    "keep_assets",
    "logpush",
    "persist",
    "redact_query_string",
    "run_worker_first",
    "serve_directly",
];

/// Members of the metadata that are numbers.
const NUMBERS: [&str; 6] = [
    "cpu_ms",
    "head_sampling_rate",
    "limit",
    "mitigation_timeout",
    "period",
    "subrequests",
];

/// Members whose content is not defined by Cloudflare, so that the type of its values is unknown.
const OPAQUE: [&str; 4] = ["algorithm", "json", "key_jwk", "props"];

/// The metadata fields of a form that is being read. They may contain secrets.
#[derive(Default)]
pub(super) struct MetadataFields {
    root: Map<String, Value>,
    bytes: usize,
}

/// Two fields of a form that contradict each other.
struct Contradiction;

/// Whether a part of this name is a field of the metadata.
pub(super) fn is_metadata_field(name: &str) -> bool {
    keys(name).is_some()
}

fn keys(name: &str) -> Option<Vec<&str>> {
    let inner = name
        .strip_prefix(METADATA)?
        .strip_prefix('[')?
        .strip_suffix(']')?;
    Some(inner.split("][").collect())
}

impl MetadataFields {
    /// Adds a field.
    ///
    /// # Errors
    /// `UPLOAD_MALFORMED`, without the value, which may be a secret.
    pub(super) fn add(&mut self, name: &str, value: &[u8]) -> Result<(), Problem> {
        self.bytes = self.bytes.saturating_add(name.len() + value.len() + FIELD);
        if self.bytes > MAX_METADATA {
            return Err(metadata_too_long());
        }
        let keys = keys(name)
            .filter(|keys| keys.len() <= MAX_DEPTH)
            .ok_or_else(|| malformed("a field of its metadata has an invalid name"))?;
        let text =
            std::str::from_utf8(value).map_err(|_| malformed("a field of its metadata is not UTF-8 text"))?;
        place(&mut self.root, &keys, typed(&keys, text))
            .map_err(|Contradiction| malformed("two fields of its metadata contradict each other"))
    }

    /// The metadata; `None` if the form has no fields of it.
    ///
    /// # Errors
    /// `UPLOAD_MALFORMED`.
    pub(super) fn finish(self) -> Result<Option<Metadata>, Problem> {
        if self.root.is_empty() {
            return Ok(None);
        }
        let bindings = self.root.get("bindings").and_then(Value::as_array);
        if bindings.into_iter().flatten().any(has_member_of_another) {
            return Err(malformed(
                "the fields of its bindings do not show which value belongs to which binding; send the members of each binding \
                 in the same order, \"type\" first, or send the metadata as one part of JSON",
            ));
        }
        Metadata::parse(Value::Object(self.root).to_string().as_bytes()).map(Some)
    }
}

/// Whether a binding lacks its value or has the value of another binding. Without this check, a secret whose value is sent before
/// its type could become a member of the binding before it, which is stored.
fn has_member_of_another(binding: &Value) -> bool {
    let kind = binding.get("type").and_then(Value::as_str).unwrap_or_default();
    let has = |member: &str| binding.get(member).is_some();
    let has_text = matches!(kind, "plain_text" | "secret_text");
    has("text") != has_text || (has("key_base64") || has("key_jwk")) != (kind == "secret_key")
}

/// The value of a field, with the type that Cloudflare's API defines for it.
fn typed(keys: &[&str], text: &str) -> Value {
    let is_opaque = keys.iter().any(|key| OPAQUE.contains(key));
    let member = keys.last().copied().unwrap_or_default();
    let parsed = match text {
        _ if is_opaque => None,
        "true" | "false" if BOOLEANS.contains(&member) => Some(json!(text == "true")),
        _ if NUMBERS.contains(&member) => {
            let value: Option<Value> = serde_json::from_str(text).ok();
            value.filter(Value::is_number)
        }
        _ => None,
    };
    parsed.unwrap_or_else(|| json!(text))
}

fn place(target: &mut Map<String, Value>, keys: &[&str], value: Value) -> Result<(), Contradiction> {
    match keys {
        [] | ["", ..] => Err(Contradiction),
        [key] if target.contains_key(*key) => Err(Contradiction),
        [key] => {
            target.insert((*key).to_owned(), value);
            Ok(())
        }
        [key, "", rest @ ..] => {
            let list = target.entry(*key).or_insert_with(|| json!([]));
            append(list.as_array_mut().ok_or(Contradiction)?, rest, value)
        }
        [key, rest @ ..] => {
            let inner = target.entry(*key).or_insert_with(|| json!({}));
            place(inner.as_object_mut().ok_or(Contradiction)?, rest, value)
        }
    }
}

fn append(list: &mut Vec<Value>, keys: &[&str], value: Value) -> Result<(), Contradiction> {
    if keys.is_empty() {
        list.push(value);
        return Ok(());
    }
    if let Some(Value::Object(last)) = list.last_mut()
        && !has(last, keys)
    {
        return place(last, keys, value);
    }
    let mut element = Map::new();
    place(&mut element, keys, value)?;
    list.push(Value::Object(element));
    Ok(())
}

/// Whether an element of a list has a value for these keys. A list in it can have one more.
fn has(element: &Map<String, Value>, keys: &[&str]) -> bool {
    let Some((key, rest)) = keys.split_first() else {
        return true;
    };
    match (element.get(*key), rest) {
        (None, _) | (Some(_), ["", ..]) => false,
        (Some(Value::Object(inner)), [_, ..]) => has(inner, rest),
        (Some(_), _) => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::code::Code;

    fn read(fields: &[(&str, &str)]) -> Result<Option<Metadata>, Problem> {
        let mut read = MetadataFields::default();
        for (name, value) in fields {
            read.add(name, value.as_bytes())?;
        }
        read.finish()
    }

    fn json_of(fields: &[(&str, &str)]) -> Value {
        serde_json::from_str(&read(fields).unwrap().unwrap().to_json()).unwrap()
    }

    #[test]
    fn fields_are_members_and_elements_of_lists() {
        assert_eq!(
            json_of(&[
                ("metadata[main_module]", "index.js"),
                ("metadata[compatibility_flags][]", "nodejs_compat"),
                ("metadata[compatibility_flags][]", "global_navigator"),
                ("metadata[bindings][][type]", "plain_text"),
                ("metadata[bindings][][name]", "MODE"),
                ("metadata[bindings][][text]", "true"),
                ("metadata[bindings][][type]", "send_email"),
                ("metadata[bindings][][name]", "MAIL"),
                (
                    "metadata[bindings][][allowed_destination_addresses][]",
                    "a@example.com"
                ),
                (
                    "metadata[bindings][][allowed_destination_addresses][]",
                    "b@example.com"
                ),
                ("metadata[bindings][][type]", "ratelimit"),
                ("metadata[bindings][][name]", "RATE"),
                ("metadata[bindings][][simple][limit]", "100"),
                ("metadata[bindings][][simple][period]", "60"),
                ("metadata[migrations][new_tag]", "v1"),
                ("metadata[migrations][new_sqlite_classes][]", "Room"),
            ]),
            json!({
                "main_module": "index.js",
                "compatibility_flags": ["nodejs_compat", "global_navigator"],
                "bindings": [
                    { "type": "plain_text", "name": "MODE", "text": "true" },
                    { "type": "send_email", "name": "MAIL",
                      "allowed_destination_addresses": ["a@example.com", "b@example.com"] },
                    { "type": "ratelimit", "name": "RATE", "simple": { "limit": 100, "period": 60 } },
                ],
                "migrations": { "new_tag": "v1", "new_sqlite_classes": ["Room"] },
            })
        );
    }

    #[test]
    fn booleans_and_numbers_get_their_types() {
        assert_eq!(
            json_of(&[
                ("metadata[keep_assets]", "true"),
                ("metadata[observability][enabled]", "false"),
                ("metadata[observability][head_sampling_rate]", "0.5"),
                ("metadata[limits][cpu_ms]", "50"),
                ("metadata[limits][subrequests]", "many"),
                ("metadata[assets][config][run_worker_first][]", "/api/*"),
                ("metadata[bindings][][type]", "json"),
                ("metadata[bindings][][name]", "OPTIONS"),
                ("metadata[bindings][][json][limit]", "7"),
            ]),
            json!({
                "keep_assets": true,
                "observability": { "enabled": false, "head_sampling_rate": 0.5 },
                "limits": { "cpu_ms": 50, "subrequests": "many" },
                "assets": { "config": { "run_worker_first": ["/api/*"] } },
                "bindings": [{ "type": "json", "name": "OPTIONS", "json": { "limit": "7" } }],
            })
        );
    }

    #[test]
    fn a_secret_does_not_become_a_member_of_another_binding() {
        let problem = read(&[
            ("metadata[bindings][][type]", "kv_namespace"),
            ("metadata[bindings][][name]", "KV"),
            ("metadata[bindings][][text]", "marker"),
            ("metadata[bindings][][type]", "secret_text"),
            ("metadata[bindings][][name]", "TOKEN"),
        ])
        .unwrap_err();
        assert_eq!(problem.code, Code::UploadMalformed);
        assert!(problem.detail.contains("which binding"), "{}", problem.detail);
        assert!(!problem.detail.contains("marker"));
    }

    #[test]
    fn fields_that_contradict_each_other_are_rejected() {
        for fields in [
            [("metadata[a]", "marker"), ("metadata[a]", "2")],
            [("metadata[a]", "marker"), ("metadata[a][b]", "2")],
            [("metadata[a]", "marker"), ("metadata[a][]", "2")],
            [("metadata[a][]", "marker"), ("metadata[a][b]", "2")],
            [("metadata[a][]", "marker"), ("metadata[a][][][b]", "2")],
            [("metadata[a]", "marker"), ("metadata[]", "2")],
        ] {
            let problem = read(&fields).unwrap_err();
            assert_eq!(problem.code, Code::UploadMalformed, "{fields:?}");
            assert!(!problem.detail.contains("marker"));
        }
        let deep = format!("metadata{}", "[a]".repeat(MAX_DEPTH + 1));
        assert!(read(&[(&deep, "1")]).is_err());
    }

    #[test]
    fn the_fields_have_the_limit_of_the_metadata() {
        let mut fields = MetadataFields::default();
        let added = (0..MAX_METADATA)
            .take_while(|index| fields.add(&format!("metadata[tags][{index}]"), b"").is_ok())
            .count();
        assert!((1..MAX_METADATA / FIELD).contains(&added), "{added}");
    }

    #[test]
    fn only_bracketed_names_are_fields() {
        for name in ["metadata[a]", "metadata[a][]", "metadata[]"] {
            assert!(is_metadata_field(name), "{name}");
        }
        for name in [
            "metadata",
            "metadata[",
            "metadata[a",
            "metadata]",
            "meta[a]",
            "files[]",
            "x/metadata[a]",
        ] {
            assert!(!is_metadata_field(name), "{name}");
        }
        assert_eq!(read(&[]), Ok(None));
    }
}
