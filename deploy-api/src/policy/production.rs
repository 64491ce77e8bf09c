//! The extra requirements on rules that cover production, and the warnings about such rules.

use std::fmt;

use dotdo_names::Environment;

use super::{Claim, Condition, Defect, Expected, Policy, Rule, RuleName, Who};
use crate::identity::GitHubRun;

/// Events that give a run the permissions of the repository, although anyone can trigger them.
/// Runs of these events are never allowed in production.
/// <https://docs.github.com/en/actions/reference/security/secure-use>
pub const EVENTS_BARRED_FROM_PRODUCTION: [&str; 3] = ["pull_request_target", "issue_comment", "workflow_run"];

/// Whether the run was started by one of the [`EVENTS_BARRED_FROM_PRODUCTION`].
pub(super) fn is_barred_from_production(run: &GitHubRun) -> bool {
    EVENTS_BARRED_FROM_PRODUCTION.contains(&run.event_name.as_str())
}

/// Returns what is missing from the conditions of a rule that covers production, or is not allowed in them.
pub(super) fn production_defects(conditions: &[Condition]) -> Vec<Defect> {
    let expected_of = |claim| {
        conditions
            .iter()
            .find(move |condition| condition.claim == claim)
            .map(|condition| &condition.expected)
    };
    let mut defects = Vec::new();
    if expected_of(Claim::Environment).is_none() {
        match expected_of(Claim::Ref) {
            None => defects.push(Defect::ProductionUnbound),
            Some(refs) => defects.extend(
                refs.iter()
                    .filter(|expected| matches!(expected, Expected::Ref(pattern) if pattern.is_whole_kind()))
                    .map(|expected| Defect::ProductionAnyRef(expected.to_string())),
            ),
        }
    }
    for expected in expected_of(Claim::EventName).into_iter().flatten() {
        if let Expected::Exactly(event) = expected
            && EVENTS_BARRED_FROM_PRODUCTION.contains(&event.as_str())
        {
            defects.push(Defect::ProductionEvent(event.clone()));
        }
    }
    defects
}

/// A rule that is valid but probably a mistake.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Warning {
    /// The rule.
    pub rule: RuleName,
    /// The claim that a rule for production should have.
    pub missing: Claim,
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let reason = if self.missing == Claim::Environment {
            "any job on that ref can deploy, without the environment's reviewers"
        } else {
            "a job on any branch can name the environment, unless GitHub restricts its branches"
        };
        write!(
            f,
            "rule \"{}\" covers dotdo-production without \"{}\": {reason}",
            self.rule, self.missing
        )
    }
}

impl Policy {
    /// The rules that are valid but probably a mistake: rules for production that have a ref or an environment, but not
    /// both.
    #[must_use]
    pub fn warnings(&self) -> Vec<Warning> {
        self.rules.iter().flat_map(warnings_of).collect()
    }
}

fn warnings_of(rule: &Rule) -> Vec<Warning> {
    let Who::GitHub(conditions) = &rule.who else {
        return Vec::new();
    };
    if !rule.grant.namespaces().contains(&Environment::Production) {
        return Vec::new();
    }
    [Claim::Ref, Claim::Environment]
        .into_iter()
        .filter(|claim| conditions.iter().all(|condition| condition.claim != *claim))
        .map(|missing| Warning {
            rule: rule.name.clone(),
            missing,
        })
        .collect()
}
