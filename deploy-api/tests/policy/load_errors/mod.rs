//! Errors of a policy that does not load. Every error names the rule and the fix.

mod claims;
mod form;
mod grants;
mod production;

use deploy_api::policy::Policy;
use serde_json::Value;

use crate::support::rules::document;

fn errors(document: &str) -> Vec<String> {
    Policy::load(document)
        .unwrap_err()
        .0
        .iter()
        .map(ToString::to_string)
        .collect()
}

fn error_of(rule: Value) -> String {
    let errors = errors(&document(&[rule]));
    assert_eq!(errors.len(), 1, "{errors:?}");
    errors.into_iter().next().unwrap()
}
