//! The difference between a promoted deployment and what the target serves, for the caller.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::binding_change::{BindingChange, shown};
use super::promoted_bindings::PromotedBindings;
use crate::deployments::{Deployment, DeploymentId};
use crate::ledger::RedeployPlan;
use crate::upload::{Metadata, Migrations};

/// Members of the metadata that configure a Worker besides its bindings.
const SETTINGS: [&str; 6] = [
    "limits",
    "logpush",
    "observability",
    "placement",
    "tail_consumers",
    "usage_model",
];

/// The difference between a promoted deployment and what the target serves.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct PromotionDifference {
    /// The promoted deployment.
    pub source: DeploymentId,
    /// The current deployment of the target; `None` if none is recorded.
    pub target: Option<DeploymentId>,
    /// Whether the caller may read the target. If not, the values of the target are not included.
    pub target_is_readable: bool,
    /// The modules that differ; `None` if the target serves a Worker that was not deployed through this API.
    pub modules: Option<ModuleChanges>,
    /// The variables that differ.
    pub variables: Vec<BindingChange>,
    /// The bindings to resources that differ.
    pub bindings: Vec<BindingChange>,
    /// The compatibility date and flags, and other settings that differ, by name.
    pub settings: BTreeMap<String, Values>,
    /// The secrets.
    pub secrets: SecretNames,
    /// The Durable Object migrations.
    pub migrations: MigrationTags,
}

/// The modules that differ, by name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ModuleChanges {
    /// Only the promoted deployment has them.
    pub added: Vec<String>,
    /// Both have them, with different contents.
    pub changed: Vec<String>,
    /// Only the target has them.
    pub removed: Vec<String>,
}

/// A value in the source and in the target.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "SettingValues")]
pub struct Values {
    /// In the source.
    pub source: Option<Value>,
    /// In the target.
    pub target: Option<Value>,
}

/// The names of secrets.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SecretNames {
    /// Those of the source Worker.
    pub source: Vec<String>,
    /// Those of the target; `None` if the caller may not read it.
    pub target: Option<Vec<String>>,
    /// Those that the request sets.
    pub given: Vec<String>,
    /// Those that the deployment uses, and that the target lacks.
    pub missing: Vec<String>,
}

/// The migration tags, and the steps between them.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct MigrationTags {
    /// The tag of the promoted deployment.
    pub source: Option<String>,
    /// The tag of the target.
    pub target: Option<String>,
    /// The steps that the promotion executes.
    pub steps: Vec<Value>,
}

/// What is known of the target.
pub(super) struct TargetState<'a> {
    /// Whether it exists.
    pub exists: bool,
    /// Its settings, as the upstream returns them.
    pub settings: &'a Map<String, Value>,
    /// Its migration tag.
    pub migration_tag: Option<String>,
}

/// Compares a deployment with the target of its promotion. `metadata` is the metadata of the deployment.
pub(super) fn difference(
    plan: &RedeployPlan,
    metadata: &Metadata,
    target: TargetState<'_>,
    bindings: &PromotedBindings,
    secrets: SecretNames,
    migrations: Option<&Migrations>,
) -> PromotionDifference {
    let hide = |changes: &[BindingChange]| -> Vec<BindingChange> {
        let mut changes = changes.to_vec();
        if !plan.may_read {
            for change in &mut changes {
                change.target = None;
            }
        }
        changes
    };
    PromotionDifference {
        source: plan.source.id.clone(),
        target: plan.current.as_ref().map(|current| current.id.clone()),
        target_is_readable: plan.may_read,
        modules: match (&plan.current, target.exists) {
            (Some(current), true) => Some(module_changes(&plan.source, Some(current))),
            (_, false) => Some(module_changes(&plan.source, None)),
            (None, true) => None,
        },
        variables: hide(&bindings.variables),
        bindings: hide(&bindings.resources),
        settings: settings(metadata, &target, plan.may_read),
        secrets,
        migrations: MigrationTags {
            source: plan.source.migration_tag.clone(),
            target: target.migration_tag.filter(|_| plan.may_read),
            steps: migrations
                .map(|migrations| migrations.steps.clone())
                .unwrap_or_default(),
        },
    }
}

fn module_changes(source: &Deployment, current: Option<&Deployment>) -> ModuleChanges {
    let modules = |deployment: &Deployment| -> BTreeMap<String, String> {
        let modules = deployment.bundle.modules.iter();
        modules
            .map(|module| (module.name.clone(), module.sha256.clone()))
            .collect()
    };
    let of_target = current.map(modules).unwrap_or_default();
    let of_source = modules(source);
    let mut changes = ModuleChanges::default();
    for (name, digest) in &of_source {
        match of_target.get(name) {
            None => changes.added.push(name.clone()),
            Some(other) if other != digest => changes.changed.push(name.clone()),
            Some(_) => {}
        }
    }
    let removed = of_target.into_keys().filter(|name| !of_source.contains_key(name));
    changes.removed = removed.collect();
    changes
}

fn settings(metadata: &Metadata, target: &TargetState<'_>, may_read: bool) -> BTreeMap<String, Values> {
    let names = ["compatibility_date", "compatibility_flags"]
        .into_iter()
        .chain(SETTINGS);
    names
        .filter_map(|name| {
            let present = |value: Option<&Value>| value.filter(|value| !is_empty(value)).cloned();
            let source = present(metadata.members().get(name));
            let theirs = present(target.settings.get(name));
            // What the upload does not set has the default of the upstream, which its settings may contain.
            let is_default = source.is_none() && SETTINGS.contains(&name);
            if source == theirs || is_default {
                return None;
            }
            let values = Values {
                source: source.map(shown),
                target: theirs.filter(|_| may_read).map(shown),
            };
            Some((name.to_owned(), values))
        })
        .collect()
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(items) => items.is_empty(),
        Value::Object(members) => members.is_empty(),
        _ => false,
    }
}
