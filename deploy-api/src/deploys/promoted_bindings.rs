//! The bindings of a promoted deployment: those of the source, with the target's own variables and resource ids.

use serde_json::Value;

use super::binding_change::{BindingChange, ChangeKind, ValueOf, members, shown_value};
use super::binding_choices::{Choice, Choices, Group, check_names, given};
use crate::problem::Problem;
use crate::upload::{BindingRef, Metadata, NamespaceServices, of_this_worker};

/// The bindings of a promoted deployment.
#[derive(Clone, Debug)]
pub(crate) struct PromotedBindings {
    /// The bindings, without those that the request must give.
    pub bindings: Vec<Value>,
    /// The variables that differ.
    pub variables: Vec<BindingChange>,
    /// The other bindings that differ, without secrets.
    pub resources: Vec<BindingChange>,
}

/// Determines the bindings of a promotion of `source` to a Worker with the bindings `target`. `services` has the service bindings of
/// `source` that reach Workers of the target's namespace.
///
/// # Errors
/// `BODY_INVALID` if the request names a binding that the source does not have, or gives a value of another type.
pub(crate) fn promoted_bindings(
    source: &Metadata,
    target: &[Value],
    choices: &Choices,
    services: &NamespaceServices,
) -> Result<PromotedBindings, Problem> {
    check_names(source, choices)?;
    let mut promoted = PromotedBindings {
        bindings: Vec::new(),
        variables: Vec::new(),
        resources: Vec::new(),
    };
    for binding in source.binding_values() {
        let Some(reference) = BindingRef::of(binding) else {
            continue;
        };
        let group = Group::of(reference, binding);
        if matches!(group, Group::Secret | Group::Code) {
            promoted.bindings.push(binding.clone());
            continue;
        }
        let theirs = target.iter().find(|other| {
            BindingRef::of(other)
                .is_some_and(|other| other.name == reference.name && other.kind == reference.kind)
        });
        let given = given(reference, binding, choices)?;
        let is_same = theirs.is_some_and(|theirs| has_members(theirs, binding));
        let choice = match group {
            Group::Variable => choices.variables,
            // A Worker has the same name in every namespace, so the binding belongs to the code.
            _ if services.contains(reference.name) => Choice::Copy,
            _ => choices.resources,
        };
        let (from, used) = match (given, theirs, choice) {
            (Some(given), ..) => (Some(ValueOf::Given), Some(given)),
            (None, Some(theirs), Choice::Keep | Choice::CopyNew) if !is_same => {
                (Some(ValueOf::Target), Some(of_this_worker(theirs.clone())))
            }
            (None, None, Choice::Keep) => (None, None),
            (None, ..) => (Some(ValueOf::Source), Some(binding.clone())),
        };
        promoted.bindings.extend(used);
        if !is_same || from == Some(ValueOf::Given) {
            promoted.add(
                group,
                BindingChange {
                    name: reference.name.to_owned(),
                    kind: reference.kind.to_owned(),
                    change: theirs.map_or(ChangeKind::Added, |_| ChangeKind::Changed),
                    from,
                    source: Some(shown_value(binding)),
                    target: theirs.map(shown_value),
                },
            );
        }
    }
    promoted.add_removed(source, target);
    Ok(promoted)
}

impl PromotedBindings {
    fn add(&mut self, group: Group, change: BindingChange) {
        match group {
            Group::Variable => self.variables.push(change),
            _ => self.resources.push(change),
        }
    }

    fn add_removed(&mut self, source: &Metadata, target: &[Value]) {
        for binding in target {
            let Some(reference) = BindingRef::of(binding) else {
                continue;
            };
            let group = Group::of(reference, binding);
            let is_in_source = source
                .bindings()
                .any(|other| other.name == reference.name && other.kind == reference.kind);
            if group == Group::Secret || is_in_source {
                continue;
            }
            self.add(
                group,
                BindingChange {
                    name: reference.name.to_owned(),
                    kind: reference.kind.to_owned(),
                    change: ChangeKind::Removed,
                    from: None,
                    source: None,
                    target: Some(shown_value(binding)),
                },
            );
        }
    }

    /// The variables for which the request must give a value.
    pub fn missing_variables(&self) -> Vec<&BindingChange> {
        self.variables
            .iter()
            .filter(|change| change.is_missing())
            .collect()
    }

    /// The resources for which the request must give the members.
    pub fn missing_resources(&self) -> Vec<&BindingChange> {
        self.resources
            .iter()
            .filter(|change| change.is_missing())
            .collect()
    }
}

/// Whether a binding of the target has every member of a binding of the source. The upstream may return more members than were
/// uploaded.
fn has_members(target: &Value, source: &Value) -> bool {
    members(source).all(|(key, value)| target.get(key) == Some(value))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::json;

    use super::*;
    use crate::code::Code;

    fn source() -> Metadata {
        let metadata = json!({ "bindings": [
            { "type": "plain_text", "name": "API_URL", "text": "https://staging" },
            { "type": "json", "name": "LIMITS", "json": { "a": 1 } },
            { "type": "kv_namespace", "name": "KV", "namespace_id": "kv-staging" },
            { "type": "ai", "name": "AI" },
            { "type": "durable_object_namespace", "name": "ROOM", "class_name": "Room" },
            { "type": "secret_text", "name": "TOKEN" }
        ] });
        Metadata::of_kept(metadata.as_object().cloned().unwrap())
    }

    fn promoted(target: &Value, choices: &Choices) -> (Vec<Value>, Vec<String>, Vec<String>) {
        let promoted = promoted_bindings(
            &source(),
            target.as_array().unwrap(),
            choices,
            &NamespaceServices::default(),
        )
        .unwrap();
        let names = |changes: &[BindingChange]| {
            changes
                .iter()
                .map(|change| format!("{} {:?} {:?}", change.name, change.change, change.from))
                .collect()
        };
        (
            promoted.bindings.clone(),
            names(&promoted.variables),
            names(&promoted.resources),
        )
    }

    #[test]
    fn a_target_keeps_its_own_values_and_lacks_new_ones() {
        let target = json!([
            { "type": "plain_text", "name": "API_URL", "text": "https://production" },
            { "type": "kv_namespace", "name": "KV", "namespace_id": "kv-production" },
            { "type": "plain_text", "name": "OLD", "text": "x" },
            { "type": "secret_text", "name": "OTHER" }
        ]);
        let (bindings, variables, resources) = promoted(&target, &Choices::default());
        assert_eq!(
            bindings,
            [
                json!({ "type": "plain_text", "name": "API_URL", "text": "https://production" }),
                json!({ "type": "kv_namespace", "name": "KV", "namespace_id": "kv-production" }),
                json!({ "type": "ai", "name": "AI" }),
                json!({ "type": "durable_object_namespace", "name": "ROOM", "class_name": "Room" }),
                json!({ "type": "secret_text", "name": "TOKEN" }),
            ]
        );
        assert_eq!(
            variables,
            [
                "API_URL Changed Some(Target)",
                "LIMITS Added None",
                "OLD Removed None"
            ]
        );
        assert_eq!(resources, ["KV Changed Some(Target)"]);
    }

    #[test]
    fn values_are_copied_only_on_request() {
        let target = json!([
            { "type": "plain_text", "name": "API_URL", "text": "https://production" },
            { "type": "json", "name": "LIMITS", "json": { "a": 1 } }
        ]);
        let of = |choice| Choices {
            variables: choice,
            resources: choice,
            ..Choices::default()
        };
        let (_, variables, resources) = promoted(&target, &of(Choice::CopyNew));
        assert_eq!(variables, ["API_URL Changed Some(Target)"]);
        assert_eq!(resources, ["KV Added Some(Source)"]);
        let (_, variables, _) = promoted(&target, &of(Choice::Copy));
        assert_eq!(variables, ["API_URL Changed Some(Source)"]);
    }

    #[test]
    fn single_values_are_given_by_name() {
        let choices = Choices {
            values: BTreeMap::from([
                ("API_URL".to_owned(), json!("https://given")),
                ("LIMITS".to_owned(), json!([2])),
            ]),
            bindings: BTreeMap::from([(
                "KV".to_owned(),
                json!({ "namespace_id": "kv-given" })
                    .as_object()
                    .cloned()
                    .unwrap(),
            )]),
            ..Choices::default()
        };
        let (bindings, variables, resources) = promoted(&json!([]), &choices);
        assert_eq!(
            bindings[..3],
            [
                json!({ "type": "plain_text", "name": "API_URL", "text": "https://given" }),
                json!({ "type": "json", "name": "LIMITS", "json": [2] }),
                json!({ "type": "kv_namespace", "name": "KV", "namespace_id": "kv-given" }),
            ]
        );
        assert_eq!(
            variables,
            ["API_URL Added Some(Given)", "LIMITS Added Some(Given)"]
        );
        assert_eq!(resources, ["KV Added Some(Given)"]);
    }

    #[test]
    fn given_values_must_fit_the_deployment() {
        let value = |name: &str, value: Value| Choices {
            values: BTreeMap::from([(name.to_owned(), value)]),
            ..Choices::default()
        };
        let member = |name: &str, member: &str| Choices {
            bindings: BTreeMap::from([(
                name.to_owned(),
                json!({ member: "x" }).as_object().cloned().unwrap(),
            )]),
            ..Choices::default()
        };
        for choices in [
            value("KV", json!("x")),
            value("OTHER", json!("x")),
            value("API_URL", json!(7)),
            member("API_URL", "text"),
            member("KV", "id"),
            member("KV", "type"),
        ] {
            let problem =
                promoted_bindings(&source(), &[], &choices, &NamespaceServices::default()).unwrap_err();
            assert_eq!(problem.code, Code::BodyInvalid, "{choices:?}");
        }
    }
}
