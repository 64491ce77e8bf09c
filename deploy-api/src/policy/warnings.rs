use std::fmt;

use dotdo_names::Environment;

use super::{Claim, Policy, Rule, RuleName, Who};

/// Something in a policy that loads and is yet likely a mistake.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Warning {
    /// The rule.
    pub rule: RuleName,
    /// What is missing for production.
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
    /// What loads and is yet likely a mistake: a rule for production binds a ref and an environment, not one of them.
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
