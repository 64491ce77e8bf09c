//! The secrets of a redeploy. Their values are neither stored nor read: the Worker keeps those that it has, and the request sets
//! others.

use serde_json::Value;

use super::binding_change::shown_names;
use crate::code::Code;
use crate::deployments::Warning;
use crate::problem::Problem;
use crate::target::Target;
use crate::upload::{BindingRef, Metadata};

/// The names of the secrets among bindings.
pub(super) fn secrets_of(bindings: &[Value]) -> Vec<String> {
    bindings
        .iter()
        .filter_map(BindingRef::of)
        .filter(BindingRef::is_secret)
        .map(|binding| binding.name.to_owned())
        .collect()
}

/// Checks that no secret in the request has the name of another binding.
///
/// # Errors
/// `BODY_INVALID`.
pub(super) fn check_given(metadata: &Metadata, given: &[(String, String)]) -> Result<(), Problem> {
    let taken = metadata.bindings().find(|binding| {
        !binding.is_secret()
            && binding.inherited().is_none()
            && given.iter().any(|(name, _)| name == binding.name)
    });
    taken.map_or(Ok(()), |binding| {
        Err(Problem::new(
            Code::BodyInvalid,
            format!(
                "\"secrets\" has {}, which is a binding of the type {} in the deployment.",
                binding.name, binding.kind
            ),
            "Remove it from \"secrets\".",
        ))
    })
}

/// Stored metadata in which the inherited bindings that the request gives, or that are secrets of the Worker, are secrets.
pub(super) fn with_secrets(metadata: &Metadata, names: &[&str]) -> Metadata {
    let bindings = metadata
        .binding_values()
        .iter()
        .map(|binding| match BindingRef::of(binding) {
            Some(reference)
                if reference
                    .inherited()
                    .is_some_and(|_| names.contains(&reference.name)) =>
            {
                serde_json::json!({ "type": "secret_text", "name": reference.name })
            }
            _ => binding.clone(),
        });
    if metadata.inherits() {
        metadata.clone().with_bindings(bindings.collect())
    } else {
        metadata.clone()
    }
}

/// The names of the bindings that the deployment uses, and that neither the Worker nor the request has: secrets, and inherited
/// bindings that could not be resolved.
pub(super) fn missing(metadata: &Metadata, present: &[Value], given: &[(String, String)]) -> Vec<String> {
    let has = |name: &str| {
        present
            .iter()
            .filter_map(BindingRef::of)
            .any(|binding| binding.name == name)
    };
    let has_secret = |name: &str| {
        present
            .iter()
            .filter_map(BindingRef::of)
            .any(|binding| binding.name == name && binding.is_secret())
    };
    metadata
        .bindings()
        .filter(|binding| !given.iter().any(|(name, _)| name == binding.name))
        .filter(|binding| match binding.inherited() {
            Some(inherited) => !has(inherited),
            None => binding.is_secret() && !has_secret(binding.name),
        })
        .map(|binding| binding.name.to_owned())
        .collect()
}

/// The error for missing secrets.
pub(super) fn secrets_missing(target: &Target, missing: &[String], exists: bool, change: &str) -> Problem {
    let names: Vec<&str> = missing.iter().map(String::as_str).collect();
    let mut fix = format!("Add them to the {change}: \"secrets\": {{\"NAME\": \"value\"}}.");
    if exists {
        fix.push_str(" Or set them before: PUT …/secrets/{name} of this API.");
    }
    Problem::new(
        Code::SecretsMissing,
        format!(
            "{target} lacks secrets that the deployment uses: {}.",
            shown_names(&names)
        ),
        fix,
    )
}

/// A warning about secrets that are set in the source namespace and not in the target. The bundle does not name
/// them, so it is not known whether they are used.
pub(super) fn left_behind(
    from: &Target,
    to: &Target,
    of_source: &[String],
    of_target: &[String],
    given: &[(String, String)],
) -> Option<Warning> {
    let left: Vec<&str> = of_source
        .iter()
        .filter(|name| !of_target.contains(name) && !given.iter().any(|(given, _)| given == *name))
        .map(String::as_str)
        .collect();
    if left.is_empty() {
        return None;
    }
    Some(Warning {
        code: Code::SecretsMissing.name().to_owned(),
        message: format!(
            "{from} has secrets that {to} does not have: {}.",
            shown_names(&left)
        ),
    })
}
