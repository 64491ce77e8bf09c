use std::fmt;

use serde_json::{Map, Value, json};

use super::Migrations;
use super::bindings::BindingRef;
use super::form_error::malformed;
use super::object_classes::{MAX_CLASS, MAX_CLASSES, ObjectClasses};
use crate::audit::{Annotations, MAX_ANNOTATION};
use crate::problem::Problem;

/// The name of the part that contains the metadata.
pub(super) const METADATA: &str = "metadata";

/// The longest metadata, in bytes.
pub(super) const MAX_METADATA: usize = 1024 * 1024;

/// The most bindings.
const MAX_BINDINGS: usize = 1000;

/// The longest name, or type, of a binding, in bytes.
const MAX_BINDING: usize = 256;

/// The metadata of an upload: main module, bindings, compatibility date and so on. It may contain secrets, so
/// it is never printed; [`Metadata::redacted`] may be stored.
///
/// Members that are not known here are kept and passed on: a new wrangler may send new ones.
#[derive(Clone, PartialEq)]
pub struct Metadata(pub(super) Map<String, Value>);

impl Metadata {
    /// Reads the metadata part of an upload.
    ///
    /// # Errors
    /// `UPLOAD_MALFORMED`. The error does not contain the metadata, which may have secrets.
    pub fn parse(bytes: &[u8]) -> Result<Self, Problem> {
        if bytes.len() > MAX_METADATA {
            return Err(metadata_too_long());
        }
        let metadata: Map<String, Value> =
            serde_json::from_slice(bytes).map_err(|_| malformed("its metadata is not a JSON object"))?;
        let metadata = Self(metadata);
        if let Some(bindings) = metadata.0.get("bindings") {
            let list = bindings.as_array().ok_or_else(|| {
                malformed("\"bindings\" in its metadata is not a list (`[{\"name\", \"type\", …}]`)")
            })?;
            if list.iter().any(|binding| BindingRef::of(binding).is_none()) {
                return Err(malformed("a binding in its metadata has no name or no type"));
            }
            // Names and types are recorded, and the rows have a size limit.
            let is_long = |binding: BindingRef<'_>| binding.name.len().max(binding.kind.len()) > MAX_BINDING;
            if list.len() > MAX_BINDINGS || list.iter().filter_map(BindingRef::of).any(is_long) {
                return Err(malformed(
                    "its metadata has more than 1,000 bindings, or one with a name of more than 256 bytes",
                ));
            }
        }
        for key in ["main_module", "body_part", "compatibility_date"] {
            if metadata.0.get(key).is_some_and(|value| !value.is_string()) {
                return Err(malformed(&format!("\"{key}\" in its metadata is not a string")));
            }
        }
        if let Some(migrations) = metadata.0.get("migrations").filter(|value| !value.is_null())
            && migrations.get("new_tag").is_some_and(|tag| !tag.is_string())
        {
            return Err(malformed(
                "\"migrations\" in its metadata has a tag that is not a string",
            ));
        }
        if metadata.object_classes().exceed_limits() {
            return Err(malformed(&format!(
                "its metadata has more than {MAX_CLASSES} Durable Object classes, or one with a name of more than {MAX_CLASS} bytes"
            )));
        }
        if metadata
            .annotation_texts()
            .any(|text| text.len() > MAX_ANNOTATION)
        {
            return Err(malformed(&format!(
                "its message or its tag has more than {MAX_ANNOTATION} bytes: shorten `--message` and `--tag`"
            )));
        }
        Ok(metadata)
    }

    /// A string member of the metadata.
    #[must_use]
    pub fn text(&self, key: &str) -> Option<&str> {
        self.0.get(key)?.as_str()
    }

    /// Whether the metadata has a member that is not empty.
    #[must_use]
    pub fn has(&self, key: &str) -> bool {
        match self.0.get(key) {
            None | Some(Value::Null) => false,
            Some(Value::Array(items)) => !items.is_empty(),
            Some(Value::Object(members)) => !members.is_empty(),
            Some(_) => true,
        }
    }

    /// The module that runs first, in either format.
    #[must_use]
    pub fn entry_point(&self) -> Option<&str> {
        self.text("main_module").or_else(|| self.text("body_part"))
    }

    /// The bindings.
    pub fn bindings(&self) -> impl Iterator<Item = BindingRef<'_>> {
        let list = self.0.get("bindings").and_then(Value::as_array);
        list.into_iter().flatten().filter_map(BindingRef::of)
    }

    /// The bindings as JSON objects.
    #[must_use]
    pub fn binding_values(&self) -> &[Value] {
        let list = self.0.get("bindings").and_then(Value::as_array);
        list.map(Vec::as_slice).unwrap_or_default()
    }

    /// The same with other bindings.
    #[must_use]
    pub fn with_bindings(mut self, bindings: Vec<Value>) -> Self {
        self.0.insert("bindings".to_owned(), Value::Array(bindings));
        self
    }

    /// The members, without secrets if the metadata is stored metadata.
    #[must_use]
    pub fn members(&self) -> &Map<String, Value> {
        &self.0
    }

    /// The Workers that receive the log of this one, in either form, each with the name of the metadata's member.
    pub fn tail_consumers(&self) -> impl Iterator<Item = (&'static str, &str)> {
        ["tail_consumers", "streaming_tail_consumers"]
            .into_iter()
            .flat_map(|member| {
                let list = self.0.get(member).and_then(Value::as_array);
                list.into_iter()
                    .flatten()
                    .filter_map(move |consumer| Some((member, consumer.get("service")?.as_str()?)))
            })
    }

    /// The tags that the upload sets; `None` if it sets none.
    #[must_use]
    pub fn tags(&self) -> Option<Vec<String>> {
        let list = self.0.get("tags")?.as_array()?;
        Some(
            list.iter()
                .filter_map(|tag| tag.as_str().map(str::to_owned))
                .collect(),
        )
    }

    /// What the developer wrote about the upload.
    #[must_use]
    pub fn annotations(&self) -> Annotations {
        Annotations {
            message: self.annotation("workers/message").map(str::to_owned),
            tag: self.annotation("workers/tag").map(str::to_owned),
        }
    }

    fn annotation(&self, key: &str) -> Option<&str> {
        let text = self.0.get("annotations")?.get(key)?.as_str()?;
        (!text.is_empty()).then_some(text)
    }

    fn annotation_texts(&self) -> impl Iterator<Item = &str> {
        ["workers/message", "workers/tag"]
            .into_iter()
            .filter_map(|key| self.annotation(key))
    }

    /// The completion token of the upload's static assets.
    #[must_use]
    pub fn assets_jwt(&self) -> Option<&str> {
        self.0.get("assets")?.get("jwt")?.as_str()
    }

    /// Whether the static assets of the deployment before are kept.
    #[must_use]
    pub fn keeps_assets(&self) -> bool {
        self.0
            .get("keep_assets")
            .and_then(Value::as_bool)
            .unwrap_or(false)
    }

    /// The Durable Object migrations, converted to the form with steps.
    #[must_use]
    pub fn migrations(&self) -> Option<Migrations> {
        Migrations::read(self.0.get("migrations")?.as_object()?)
    }

    /// The Durable Object classes that `exports` and the bindings name.
    #[must_use]
    pub fn object_classes(&self) -> ObjectClasses {
        ObjectClasses::read(self.0.get("exports").and_then(Value::as_object), self.bindings())
    }

    /// Whether `exports` declares Durable Object classes, which replaces migrations.
    #[must_use]
    pub fn declares_classes(&self) -> bool {
        let exports = self.0.get("exports").and_then(Value::as_object);
        let mut kinds = exports
            .into_iter()
            .flatten()
            .map(|(_, export)| export.get("type"));
        kinds.any(|kind| kind.and_then(Value::as_str) == Some("durable-object"))
    }

    /// Whether a binding is taken from the current version of the Worker.
    #[must_use]
    pub fn inherits(&self) -> bool {
        self.bindings().any(|binding| binding.inherited().is_some())
    }

    /// The same with these tags.
    #[must_use]
    pub fn with_tags(mut self, tags: &[String]) -> Self {
        self.0.insert("tags".to_owned(), json!(tags));
        self
    }

    /// The JSON for the upstream. It may contain secrets.
    #[must_use]
    pub fn to_json(&self) -> String {
        Value::Object(self.0.clone()).to_string()
    }
}

pub(super) fn metadata_too_long() -> Problem {
    malformed("its metadata has more than 1 MiB")
}

/// Redacted.
impl fmt::Debug for Metadata {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Metadata")
            .field(&Value::Object(self.redacted()).to_string())
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::code::Code;

    fn metadata(value: &Value) -> Metadata {
        Metadata::parse(value.to_string().as_bytes()).unwrap()
    }

    #[test]
    fn durable_object_classes_have_limits() {
        let export = json!({ "type": "durable-object" });
        let of = |count: usize, length: usize| {
            let names = (0..count).map(|at| (format!("{at:0>length$}"), export.clone()));
            json!({ "exports": Value::Object(names.collect()) }).to_string()
        };
        assert!(Metadata::parse(of(MAX_CLASSES, MAX_CLASS).as_bytes()).is_ok());
        assert!(Metadata::parse(of(MAX_CLASSES + 1, 5).as_bytes()).is_err());
        assert!(Metadata::parse(of(1, MAX_CLASS + 1).as_bytes()).is_err());
    }

    #[test]
    fn a_message_and_a_tag_are_read_up_to_their_limit() {
        let of = |text: &str| json!({ "annotations": { "workers/message": text, "workers/tag": "v7", "other": 1 } });
        let longest = "m".repeat(MAX_ANNOTATION);
        let annotations = metadata(&of(&longest)).annotations();
        assert_eq!(annotations.message.as_deref(), Some(longest.as_str()));
        assert_eq!(annotations.tag.as_deref(), Some("v7"));
        assert!(metadata(&json!({ "annotations": null })).annotations().is_empty());
        assert_eq!(metadata(&of("")).annotations().message, None);
        let problem = Metadata::parse(of(&format!("{longest}m")).to_string().as_bytes()).unwrap_err();
        assert!(problem.detail.contains("--message"), "{}", problem.detail);
    }

    #[test]
    fn what_is_no_metadata_is_refused_without_repeating_it() {
        for text in [
            "",
            "[]",
            "{\"bindings\": {\"marker\": \"marker\"}}",
            "{\"bindings\": [{\"name\": \"marker\"}]}",
            "{\"main_module\": 7}",
            "{\"compatibility_date\": [\"marker\"]}",
            "{\"migrations\": {\"new_tag\": 7}}",
        ] {
            let problem = Metadata::parse(text.as_bytes()).unwrap_err();
            assert_eq!(problem.code, Code::UploadMalformed, "{text}");
            assert!(!problem.detail.contains("marker"), "{}", problem.detail);
        }
        let name = "n".repeat(MAX_BINDING + 1);
        let long = json!({ "bindings": [{ "name": name, "type": "plain_text" }] });
        let many = json!({ "bindings": vec![json!({ "name": "n", "type": "t" }); MAX_BINDINGS + 1] });
        for metadata in [long, many] {
            assert!(Metadata::parse(metadata.to_string().as_bytes()).is_err());
        }
        let deep = "[".repeat(100_000);
        assert!(Metadata::parse(format!("{{\"a\": {deep}").as_bytes()).is_err());
    }
}
