//! Validates a configuration with the JSON schema that wrangler ships: unknown members, wrong types, missing members. Also
//! finds what the schema cannot know: repeated members and placeholders.

use std::fs;

use anyhow::{Context, Result};
use jsonschema::{
    ValidationError, Validator,
    error::{TypeKind, ValidationErrorKind},
};
use serde_json::Value;

use super::{
    document::Document,
    problems::{Problems, child, closest},
};
use crate::workspace;

/// From the repository's root; `npm ci` installs it.
const FILE: &str = "node_modules/wrangler/config-schema.json";

/// wrangler's schema of its configuration files.
#[derive(Debug)]
pub struct Schema {
    value: Value,
    validator: Validator,
}

impl Schema {
    /// Loads the schema of the installed wrangler.
    ///
    /// # Errors
    /// If `npm ci` has not been run.
    pub fn load() -> Result<Self> {
        let text = fs::read_to_string(workspace::path(FILE))
            .with_context(|| format!("cannot read {FILE}: run `npm ci` first"))?;
        let value: Value = serde_json::from_str(&text).with_context(|| format!("{FILE} is not JSON"))?;
        let validator =
            jsonschema::validator_for(&value).with_context(|| format!("{FILE} is not a JSON schema"))?;
        Ok(Self { value, validator })
    }

    /// Adds every way in which the document differs from the schema.
    pub fn check(&self, document: &Document, problems: &mut Problems) {
        for pointer in &document.repeated {
            problems.add(
                pointer,
                "the member occurs twice in one object, and only the last one counts: remove one",
            );
        }
        check_placeholders("", &document.value, problems);
        for error in self.validator.iter_errors(&document.value) {
            self.report(&document.value, &error, problems);
        }
    }

    fn report(&self, root: &Value, error: &ValidationError<'_>, problems: &mut Problems) {
        let pointer = error.instance_path().to_string();
        match error.kind() {
            ValidationErrorKind::AdditionalProperties { unexpected } => {
                let known = self.properties(error);
                for member in unexpected {
                    report_unknown(root, &pointer, member, &known, problems);
                }
            }
            ValidationErrorKind::AnyOf { context } => self.report_any_of(root, error, context, problems),
            ValidationErrorKind::Required { property } => {
                let property = property.as_str().unwrap_or_default();
                problems.add_missing(child(&pointer, property));
            }
            ValidationErrorKind::Type { kind } => {
                let found = shown(error.instance());
                problems.add_unusable(
                    pointer,
                    format!("{found} has the wrong type: write {}", expected(kind)),
                );
            }
            ValidationErrorKind::Enum { options } => {
                problems.add_unusable(
                    pointer,
                    format!(
                        "{} is not a valid value: write one of {options}",
                        shown(error.instance())
                    ),
                );
            }
            // In words of the library: the value, and the constraint that it violates.
            _ => problems.add_unusable(pointer, error.to_string()),
        }
    }

    /// Reports the alternative that the value is closest to. An unknown member is unknown to all alternatives of an object.
    fn report_any_of(
        &self,
        root: &Value,
        error: &ValidationError<'_>,
        alternatives: &[Vec<ValidationError<'static>>],
        problems: &mut Problems,
    ) {
        let path = error.instance_path();
        // Alternatives of another type than the value.
        let is_of_other_type = |errors: &&Vec<ValidationError<'static>>| {
            errors.iter().any(|error| {
                matches!(error.kind(), ValidationErrorKind::Type { .. }) && error.instance_path() == path
            })
        };
        let same_type: Vec<_> = alternatives
            .iter()
            .filter(|errors| !is_of_other_type(errors))
            .collect();
        if same_type.is_empty() {
            let kinds: Vec<String> = alternatives
                .iter()
                .flatten()
                .filter_map(|error| match error.kind() {
                    ValidationErrorKind::Type { kind } => Some(expected(kind)),
                    _ => None,
                })
                .collect();
            let found = shown(error.instance());
            problems.add_unusable(
                path.to_string(),
                format!("{found} has the wrong type: write {}", kinds.join(" or ")),
            );
            return;
        }
        let unknown_members = |errors: &[ValidationError<'_>]| -> Vec<String> {
            errors
                .iter()
                .filter_map(|error| match error.kind() {
                    ValidationErrorKind::AdditionalProperties { unexpected }
                        if error.instance_path() == path =>
                    {
                        Some(unexpected.clone())
                    }
                    _ => None,
                })
                .flatten()
                .collect()
        };
        let mut known: Vec<&str> = Vec::new();
        for error in same_type.iter().copied().flatten() {
            known.extend(self.properties(error));
        }
        let unknown: Vec<String> = same_type
            .iter()
            .map(|errors| unknown_members(errors))
            .reduce(|common, other| {
                common
                    .into_iter()
                    .filter(|member| other.contains(member))
                    .collect()
            })
            .unwrap_or_default();
        if !unknown.is_empty() {
            for member in &unknown {
                report_unknown(root, &path.to_string(), member, &known, problems);
            }
            return;
        }
        let missing: Vec<String> = same_type
            .iter()
            .filter_map(|errors| match errors.as_slice() {
                [error] => missing_member(error),
                _ => None,
            })
            .collect();
        if missing.is_empty() {
            let closest = same_type.iter().min_by_key(|errors| errors.len());
            for error in closest.copied().into_iter().flatten() {
                self.report(root, error, problems);
            }
        } else {
            problems.add(
                path.to_string(),
                format!("a member is missing: add {}", missing.join(" or ")),
            );
        }
    }

    /// The members that the object schema of an `additionalProperties` error declares.
    fn properties(&self, error: &ValidationError<'_>) -> Vec<&str> {
        let keyword = error.schema_path().to_string();
        let Some(object) = keyword.strip_suffix("/additionalProperties") else {
            return Vec::new();
        };
        self.value
            .pointer(&format!("{object}/properties"))
            .and_then(Value::as_object)
            .map(|properties| properties.keys().map(String::as_str).collect())
            .unwrap_or_default()
    }
}

/// The member that an error reports as missing, as JSON.
fn missing_member(error: &ValidationError<'_>) -> Option<String> {
    match error.kind() {
        ValidationErrorKind::Required { property } => Some(property.to_string()),
        _ => None,
    }
}

/// Reports an unknown member, with the name that was probably meant. Problems of that other member are then ignored: it is
/// not missing, only misspelt.
fn report_unknown(root: &Value, parent: &str, member: &str, known: &[&str], problems: &mut Problems) {
    let object = root.pointer(parent);
    let absent = |name: &&str| object.is_none_or(|object| object.get(name).is_none());
    let pointer = child(parent, member);
    match closest(member, known.iter().copied().filter(absent)) {
        Some(meant) => {
            problems.add_unusable(
                pointer,
                format!("wrangler does not know this member: write \"{meant}\""),
            );
            problems.ignore(child(parent, meant));
        }
        None => problems.add_unusable(pointer, "wrangler does not know this member: remove it"),
    }
}

/// Finds texts such as `<the KV namespace>`, which an example leaves for the reader to fill in.
fn check_placeholders(pointer: &str, value: &Value, problems: &mut Problems) {
    match value {
        Value::String(text) => {
            if let Some(placeholder) = placeholder(text) {
                problems.add_unusable(
                    pointer,
                    format!("\"{text}\" contains the placeholder {placeholder}: write the value itself"),
                );
            }
        }
        Value::Array(elements) => {
            for (index, element) in elements.iter().enumerate() {
                check_placeholders(&child(pointer, &index.to_string()), element, problems);
            }
        }
        Value::Object(members) => {
            for (member, value) in members {
                check_placeholders(&child(pointer, member), value, problems);
            }
        }
        _ => {}
    }
}

fn placeholder(text: &str) -> Option<&str> {
    let start = text.find('<')?;
    let length = text.get(start..)?.find('>')?;
    text.get(start..=start + length)
}

fn expected(kind: &TypeKind) -> String {
    match kind {
        TypeKind::Single(one) => described(&one.to_string()).to_owned(),
        TypeKind::Multiple(several) => several
            .iter()
            .map(|one| described(&one.to_string()).to_owned())
            .collect::<Vec<_>>()
            .join(" or "),
    }
}

fn described(kind: &str) -> &str {
    match kind {
        "array" => "an array",
        "boolean" => "true or false",
        "integer" => "an integer",
        "null" => "null",
        "number" => "a number",
        "object" => "an object",
        "string" => "a string",
        other => other,
    }
}

/// A value in a message: a long one is cut.
pub fn shown(value: &Value) -> String {
    const LONGEST: usize = 60;
    let text = value.to_string();
    if text.chars().count() <= LONGEST {
        return text;
    }
    text.chars().take(LONGEST).chain(['…']).collect()
}
