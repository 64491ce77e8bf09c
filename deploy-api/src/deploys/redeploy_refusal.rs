//! Why a redeploy is refused although everything is known: the target lacks variables, resources or secrets.

use serde_json::Value;

use super::binding_change::{BindingChange, shown_names};
use super::promoted_bindings::PromotedBindings;
use super::redeploy_kind::RedeployKind;
use super::redeploy_secrets::secrets_missing;
use crate::code::Code;
use crate::deployments::Deployment;
use crate::problem::Problem;
use crate::target::Target;

/// Why a redeploy is refused: the target lacks variables, resources or secrets.
pub(super) fn refusal(
    target: &Target,
    source: &Deployment,
    kind: &RedeployKind,
    promoted: Option<&PromotedBindings>,
    missing_secrets: &[String],
    exists: bool,
) -> Option<Problem> {
    let (variables, resources) = promoted.map_or_else(
        || (Vec::new(), Vec::new()),
        |promoted| (promoted.missing_variables(), promoted.missing_resources()),
    );
    let of_secrets =
        (!missing_secrets.is_empty()).then(|| secrets_missing(target, missing_secrets, exists, kind.name()));
    if variables.is_empty() && resources.is_empty() {
        return of_secrets;
    }
    let names = |changes: &[&BindingChange]| -> String {
        let names: Vec<&str> = changes.iter().map(|change| change.name.as_str()).collect();
        shown_names(&names)
    };
    let mut lacks = Vec::new();
    let mut copies = Vec::new();
    if !variables.is_empty() {
        lacks.push(format!("the variables {}", names(&variables)));
        copies.push("\"variables\": \"copy_new\"");
    }
    if !resources.is_empty() {
        lacks.push(format!("the bindings {}", names(&resources)));
        copies.push("\"resources\": \"copy_new\"");
    }
    let mut problem = Problem::new(
        Code::PromotionIncomplete,
        format!(
            "{} lacks {} of deployment {}.",
            kind.holder(target),
            lacks.join(" and "),
            source.id
        ),
        format!(
            "Add to the request: {}. Or copy the values of {}: {}.",
            members(&variables, &resources),
            source.target.namespace(),
            copies.join(", ")
        ),
    );
    if let Some(secrets) = of_secrets {
        problem = problem.note(format!("{} {}", secrets.detail, secrets.fix));
    }
    Some(problem)
}

/// The members of a request that give the values of these bindings.
fn members(variables: &[&BindingChange], resources: &[&BindingChange]) -> String {
    const MAX: usize = 10;
    let list = |entries: Vec<String>| entries.join(", ");
    let mut members = Vec::new();
    if !variables.is_empty() {
        let entries = variables
            .iter()
            .take(MAX)
            .map(|change| format!("\"{}\": …", change.name));
        members.push(format!("\"values\": {{{}}}", list(entries.collect())));
    }
    if !resources.is_empty() {
        let entries = resources.iter().take(MAX).map(|change| {
            let object = change.source.as_ref().and_then(Value::as_object);
            let keys = object
                .into_iter()
                .flatten()
                .map(|(key, _)| format!("\"{key}\": …"));
            format!("\"{}\": {{{}}}", change.name, list(keys.take(MAX).collect()))
        });
        members.push(format!("\"bindings\": {{{}}}", list(entries.collect())));
    }
    list(members)
}
