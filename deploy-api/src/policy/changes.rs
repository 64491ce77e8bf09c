//! What replacing one policy by another allows and forbids anew.
//!
//! Each rule is taken apart into cells: one combination of expected values, one namespace, one Worker pattern, one
//! action. A cell of the new policy is allowed anew unless one cell of the old policy covers it, and the other way
//! round. Nothing that becomes allowed or forbidden is left out. Where a cell was covered only by several cells of the
//! other policy together, or a rule has more than [`MAX_COMBINATIONS`] combinations, it may be named although nothing
//! changes for it.

use std::fmt;

use dotdo_names::Environment;
use serde::ser::SerializeStruct;
use serde::{Serialize, Serializer};

use super::{Action, Claim, Condition, Grant, Policy, Request, Resource, Rule, RuleName, Who, WorkerPattern};
use crate::identity::{GITHUB_ISSUER, Identity};

/// Into how many combinations of listed values a rule is taken apart.
const MAX_COMBINATIONS: usize = 16;

/// What a change of policy allows and forbids anew.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Changes {
    /// What the new policy allows and the old one did not.
    pub allowed: Vec<Change>,
    /// What the old policy allowed and the new one does not.
    pub forbidden: Vec<Change>,
}

/// Something that is allowed, or forbidden, anew.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The rule that allows it, or did.
    pub rule: RuleName,
    /// Whom it is about.
    pub who: Who,
    /// What they may do now, or may no longer.
    pub grant: Grant,
}

impl Policy {
    /// What replacing this policy by `new` allows and forbids anew.
    #[must_use]
    pub fn changes_to(&self, new: &Self) -> Changes {
        Changes {
            allowed: beyond(new, self),
            forbidden: beyond(self, new),
        }
    }
}

/// What `policy` allows and `other` does not.
fn beyond(policy: &Policy, other: &Policy) -> Vec<Change> {
    let same = |rule: &&Rule| {
        !other
            .rules
            .iter()
            .any(|o| o.who == rule.who && o.grant == rule.grant)
    };
    policy
        .rules
        .iter()
        .filter(same)
        .flat_map(|rule| beyond_of_rule(rule, &other.rules))
        .collect()
}

fn beyond_of_rule(rule: &Rule, others: &[Rule]) -> Vec<Change> {
    let parts: Vec<_> = combinations(&rule.who)
        .into_iter()
        .map(|who| (uncovered(&who, &rule.grant, others), who))
        .collect();
    let change = |who: &Who, grant: &Grant| Change {
        rule: rule.name.clone(),
        who: who.clone(),
        grant: grant.clone(),
    };
    // The rule as it was written, where all its combinations fare alike.
    if let Some((first, _)) = parts.first()
        && parts.iter().all(|(grants, _)| grants == first)
    {
        return first.iter().map(|grant| change(&rule.who, grant)).collect();
    }
    parts
        .iter()
        .flat_map(|(grants, who)| grants.iter().map(|grant| change(who, grant)))
        .collect()
}

/// Whom a rule is about, one combination of listed values each.
fn combinations(who: &Who) -> Vec<Who> {
    match who {
        Who::Token(subjects) => subjects
            .iter()
            .map(|subject| Who::Token(vec![subject.clone()]))
            .collect(),
        Who::GitHub(conditions) => {
            let count = conditions
                .iter()
                .map(|condition| condition.expected.len())
                .product::<usize>();
            if count > MAX_COMBINATIONS {
                return vec![who.clone()];
            }
            let mut all: Vec<Vec<Condition>> = vec![Vec::new()];
            for Condition { claim, expected } in conditions {
                all = all
                    .into_iter()
                    .flat_map(|begun| {
                        expected.iter().map(move |value| {
                            let mut next = begun.clone();
                            next.push(Condition {
                                claim: *claim,
                                expected: vec![value.clone()],
                            });
                            next
                        })
                    })
                    .collect();
            }
            all.into_iter().map(Who::GitHub).collect()
        }
    }
}

/// The part of a grant that no other rule gives to everyone in `who`.
fn uncovered(who: &Who, grant: &Grant, others: &[Rule]) -> Vec<Grant> {
    let others: Vec<_> = others
        .iter()
        .filter(|other| covers(&other.who, who))
        .map(|other| &other.grant)
        .collect();
    let covers_cell = |namespace: Environment, worker: &WorkerPattern, action: Action| {
        others.iter().any(|other| {
            other.namespaces().contains(&namespace)
                && other.actions().contains(&action)
                && other.workers().iter().any(|pattern| pattern.covers(worker))
        })
    };
    // The whole platform is more than the sum of its namespaces: the policy, the tokens, the audit log.
    let covers_platform = |action| {
        let request = Request {
            action,
            resource: Resource::Platform,
        };
        !grant.covers(&request) || others.iter().any(|other| other.covers(&request))
    };
    let mut found: Vec<(Vec<Environment>, Vec<WorkerPattern>, Vec<Action>)> = Vec::new();
    for &namespace in grant.namespaces() {
        for worker in grant.workers() {
            let actions: Vec<_> = grant
                .actions()
                .iter()
                .copied()
                .filter(|action| !covers_platform(*action) || !covers_cell(namespace, worker, *action))
                .collect();
            if actions.is_empty() {
                continue;
            }
            match found
                .iter_mut()
                .find(|(namespaces, _, with)| *namespaces == [namespace] && *with == actions)
            {
                Some((_, workers, _)) => workers.push(worker.clone()),
                None => found.push((vec![namespace], vec![worker.clone()], actions)),
            }
        }
    }
    let mut merged: Vec<(Vec<Environment>, Vec<WorkerPattern>, Vec<Action>)> = Vec::new();
    for (namespaces, workers, actions) in found {
        match merged
            .iter_mut()
            .find(|(_, with, for_actions)| *with == workers && *for_actions == actions)
        {
            Some((all, _, _)) => all.extend(namespaces),
            None => merged.push((namespaces, workers, actions)),
        }
    }
    merged
        .into_iter()
        .map(|(namespaces, workers, actions)| Grant::of(namespaces, workers, actions))
        .collect()
}

/// Whether everyone in `narrow` is in `wide`.
fn covers(wide: &Who, narrow: &Who) -> bool {
    match (wide, narrow) {
        (Who::Token(wide), Who::Token(narrow)) => narrow.iter().all(|subject| wide.contains(subject)),
        (Who::GitHub(wide), Who::GitHub(narrow)) => wide.iter().all(|condition| {
            narrow
                .iter()
                .filter(|other| other.claim == condition.claim)
                .any(|other| {
                    other
                        .expected
                        .iter()
                        .all(|value| condition.expected.iter().any(|wider| wider.covers(value)))
                })
        }),
        _ => false,
    }
}

impl Change {
    /// Whether the change is about this identity and this request.
    #[must_use]
    pub fn is_about(&self, identity: &Identity, request: &Request) -> bool {
        self.who.is(identity) && self.grant.covers(request)
    }
}

/// A phrase: `GitHub runs with repository_id 1001, … may deploy agents in dotdo-staging (rule "agents")`.
impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} may {} (rule \"{}\")", self.who, self.grant, self.rule)
    }
}

impl Serialize for Change {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut object = serializer.serialize_struct("Change", 4)?;
        object.serialize_field("rule", &self.rule)?;
        object.serialize_field("who", &self.who.to_string())?;
        object.serialize_field("grant", &self.grant)?;
        object.serialize_field("sentence", &self.to_string())?;
        object.end()
    }
}

/// `API tokens of alice, bob`, or `GitHub runs with repository_id 1001, ref refs/heads/main`.
impl fmt::Display for Who {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Token(subjects) => {
                let names: Vec<_> = subjects.iter().map(ToString::to_string).collect();
                write!(f, "API tokens of {}", names.join(", "))
            }
            Self::GitHub(conditions) => {
                let github = Condition::exactly(Claim::Issuer, GITHUB_ISSUER);
                let told: Vec<_> = conditions
                    .iter()
                    .filter(|condition| **condition != github)
                    .map(ToString::to_string)
                    .collect();
                write!(f, "GitHub runs with {}", told.join(", "))
            }
        }
    }
}

impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let values: Vec<_> = self.expected.iter().map(ToString::to_string).collect();
        write!(f, "{} {}", self.claim, values.join(" or "))
    }
}
