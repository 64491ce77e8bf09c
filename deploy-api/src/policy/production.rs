//! The extra requirements on rules that cover production, and the warnings about such rules.

use std::fmt;

use dotdo_names::Namespace;

use super::{Claim, Condition, Defect, Expected, Policy, Rule, RuleName, Who};
use crate::identity::{Identity, Provider};

/// Events that give a run the permissions of the repository, although anyone can trigger them.
/// Runs of these events are never allowed in production.
/// <https://docs.github.com/en/actions/reference/security/secure-use>
pub const EVENTS_BARRED_FROM_PRODUCTION: [&str; 3] = ["pull_request_target", "issue_comment", "workflow_run"];

/// The event that started the run, if it is one of the [`EVENTS_BARRED_FROM_PRODUCTION`].
pub(super) fn barred_event(identity: &Identity) -> Option<&str> {
    Claim::EventName
        .of(identity)
        .filter(|event| EVENTS_BARRED_FROM_PRODUCTION.contains(event))
}

/// The claims with the environment of a job. Jobs of Buildkite have none.
const ENVIRONMENTS: [Claim; 2] = [Claim::Environment, Claim::GitLabEnvironment];

/// Returns what is missing from the conditions of a rule that covers production, or is not allowed in them.
pub(super) fn production_defects(conditions: &[Condition]) -> Vec<Defect> {
    let expected_of = |claim| {
        conditions
            .iter()
            .find(move |condition| condition.claim == claim)
            .map(|condition| &condition.expected)
    };
    let mut defects = Vec::new();
    if ENVIRONMENTS.into_iter().all(|claim| expected_of(claim).is_none()) {
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
    /// The namespace of production that it covers, or the account.
    pub namespace: Namespace,
    /// The claim that a rule for production should have.
    pub missing: Claim,
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let reason = if ENVIRONMENTS.contains(&self.missing) {
            "any job on that ref can deploy, without the environment's reviewers"
        } else {
            "a job on any branch can name the environment, unless its branches are restricted"
        };
        write!(
            f,
            "rule \"{}\" covers {} without \"{}\": {reason}",
            self.rule,
            self.namespace.name(),
            self.missing
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
    let Who::Job { provider, conditions } = &rule.who else {
        return Vec::new();
    };
    let mut namespaces = rule.grant.namespaces().iter();
    let Some(namespace) = namespaces.find(|namespace| namespace.is_production()) else {
        return Vec::new();
    };
    let wanted: &[Claim] = match provider {
        Provider::GitHub => &[Claim::Ref, Claim::Environment],
        Provider::GitLab => &[Claim::Ref, Claim::GitLabEnvironment],
        Provider::Buildkite => &[Claim::Ref],
    };
    wanted
        .iter()
        .copied()
        .filter(|claim| conditions.iter().all(|condition| condition.claim != *claim))
        .map(|missing| Warning {
            rule: rule.name.clone(),
            namespace: *namespace,
            missing,
        })
        .collect()
}
