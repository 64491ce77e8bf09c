//! What a request says about the bindings of a promotion, and the groups of bindings that it can say it of.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::binding_change::{members, shown_names};
use crate::code::Code;
use crate::problem::Problem;
use crate::upload::{BindingRef, Metadata};

/// Which values a promotion takes for variables, or for resources.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Choice {
    /// Those of the target. A promotion with others is refused.
    #[default]
    Keep,
    /// Those of the target, and those of the source that the target does not have.
    CopyNew,
    /// Those of the source.
    Copy,
}

/// What a request for a promotion says about bindings.
#[derive(Clone, Debug, Default)]
pub(crate) struct Choices {
    /// The choice for variables: bindings of the types `plain_text` and `json`.
    pub variables: Choice,
    /// The choice for bindings to resources.
    pub resources: Choice,
    /// The values of single variables, by name.
    pub values: BTreeMap<String, Value>,
    /// Members of single bindings to resources, such as `namespace_id`, by the name of the binding.
    pub bindings: BTreeMap<String, Map<String, Value>>,
}

/// How a promotion treats a binding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Group {
    /// A value of a secret is never copied.
    Secret,
    /// It belongs to the code: it names nothing outside of the Worker.
    Code,
    /// It has a value of the environment.
    Variable,
    /// It names a resource of the environment.
    Resource,
}

impl Group {
    /// The group of a binding.
    pub fn of(reference: BindingRef<'_>, binding: &Value) -> Self {
        if reference.is_secret() || reference.inherited().is_some() {
            return Self::Secret;
        }
        match reference.kind {
            "plain_text" | "json" => Self::Variable,
            "wasm_module" | "text_blob" | "data_blob" => Self::Code,
            "durable_object_namespace"
                if reference.text("class_name").is_some() && reference.text("script_name").is_none() =>
            {
                Self::Code
            }
            _ if members(binding).next().is_none() => Self::Code,
            _ => Self::Resource,
        }
    }
}

/// Checks that the deployment has the bindings that a request names.
///
/// # Errors
/// `BODY_INVALID`
pub(super) fn check_names(source: &Metadata, choices: &Choices) -> Result<(), Problem> {
    let of_group = |wanted: Group| -> Vec<&str> {
        source
            .binding_values()
            .iter()
            .filter_map(|binding| Some((BindingRef::of(binding)?, binding)))
            .filter(|(reference, binding)| Group::of(*reference, binding) == wanted)
            .map(|(reference, _)| reference.name)
            .collect()
    };
    let check = |member: &str, what: &str, given: Vec<&String>, known: &[&str]| {
        let unknown = given.into_iter().find(|name| !known.contains(&name.as_str()));
        unknown.map_or(Ok(()), |name| {
            let name: String = name.chars().take(100).collect();
            Err(Problem::new(
                Code::BodyInvalid,
                format!("\"{member}\" has {name:?}, and the deployment has no {what} of this name."),
                format!("Its names are: {}.", shown_names(known)),
            ))
        })
    };
    check(
        "values",
        "variable",
        choices.values.keys().collect(),
        &of_group(Group::Variable),
    )?;
    check(
        "bindings",
        "binding to a resource",
        choices.bindings.keys().collect(),
        &of_group(Group::Resource),
    )
}

/// The binding with the value or the members of the request; `None` if the request has none for it.
pub(super) fn given(
    reference: BindingRef<'_>,
    binding: &Value,
    choices: &Choices,
) -> Result<Option<Value>, Problem> {
    let Value::Object(object) = binding else {
        return Ok(None);
    };
    let mut object = object.clone();
    if let Some(value) = choices.values.get(reference.name) {
        let key = if reference.kind == "json" { "json" } else { "text" };
        if key == "text" && !value.is_string() {
            return Err(Problem::new(
                Code::BodyInvalid,
                format!("The value of {} in \"values\" is not a string.", reference.name),
                "The variable is a text in the deployment; send its value as a JSON string.",
            ));
        }
        object.insert(key.to_owned(), value.clone());
        return Ok(Some(Value::Object(object)));
    }
    let Some(members) = choices.bindings.get(reference.name) else {
        return Ok(None);
    };
    let unknown = members
        .keys()
        .find(|key| matches!(key.as_str(), "name" | "type") || !object.contains_key(*key));
    if unknown.is_some() {
        let known: Vec<&str> = super::binding_change::members(binding)
            .map(|(key, _)| key.as_str())
            .collect();
        return Err(Problem::new(
            Code::BodyInvalid,
            format!(
                "\"bindings\" has a member for {} that the binding of the deployment does not have.",
                reference.name
            ),
            format!("The members of this binding are: {}.", shown_names(&known)),
        ));
    }
    object.extend(members.clone());
    Ok(Some(Value::Object(object)))
}
