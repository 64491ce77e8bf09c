//! The difference between two policies: what the new one allows and the old one did not, and the reverse.
//!
//! Each rule is split into cells. A cell is one combination of expected values, one namespace, one Worker pattern and one
//! action. A cell of the new policy is newly allowed unless one cell of the old policy covers it, and the reverse.
//! The difference is complete: it contains everything that becomes allowed or forbidden. It may contain more: a cell that
//! only several cells of the other policy cover together, and the cells of a rule with more than [`MAX_COMBINATIONS`]
//! combinations.

use std::fmt;

use dotdo_names::Namespace;
use schemars::JsonSchema;
use serde::{Serialize, Serializer};

use super::{Action, Condition, Grant, Policy, Request, Resource, Rule, RuleName, Who, WorkerPattern};
use crate::identity::Identity;
use crate::schema::same_schema;

/// The maximum number of combinations of listed values into which a rule is split.
const MAX_COMBINATIONS: usize = 16;

/// What becomes allowed and what becomes forbidden when one policy replaces another.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Changes {
    /// What the new policy allows and the old policy did not.
    pub allowed: Vec<Change>,
    /// What the old policy allowed and the new policy does not.
    pub forbidden: Vec<Change>,
}

/// A permission that one policy has and the other does not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The rule that contains the permission.
    pub rule: RuleName,
    /// The identities whose permissions change.
    pub who: Who,
    /// The permissions that are added or removed.
    pub grant: Grant,
}

impl Policy {
    /// What becomes allowed and what becomes forbidden when `new` replaces this policy.
    #[must_use]
    pub fn changes_to(&self, new: &Self) -> Changes {
        Changes {
            allowed: difference(new, self),
            forbidden: difference(self, new),
        }
    }
}

/// What `policy` allows and `other` does not.
fn difference(policy: &Policy, other: &Policy) -> Vec<Change> {
    let differs = |rule: &&Rule| {
        !other
            .rules
            .iter()
            .any(|o| o.who == rule.who && o.grant == rule.grant)
    };
    policy
        .rules
        .iter()
        .filter(differs)
        .flat_map(|rule| rule_difference(rule, &other.rules))
        .collect()
}

fn rule_difference(rule: &Rule, others: &[Rule]) -> Vec<Change> {
    let parts: Vec<_> = combinations(&rule.who)
        .into_iter()
        .map(|who| (uncovered(&who, &rule.grant, others), who))
        .collect();
    let change = |who: &Who, grant: &Grant| Change {
        rule: rule.name.clone(),
        who: who.clone(),
        grant: grant.clone(),
    };
    // All combinations have the same result: report the rule as it was written.
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

/// Splits the identities of a rule into one `Who` for each combination of listed values.
fn combinations(who: &Who) -> Vec<Who> {
    match who {
        Who::Token(subjects) => subjects
            .iter()
            .map(|subject| Who::Token(vec![subject.clone()]))
            .collect(),
        Who::Job { provider, conditions } => {
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
                    .flat_map(|partial| {
                        expected.iter().map(move |value| {
                            let mut next = partial.clone();
                            next.push(Condition {
                                claim: *claim,
                                expected: vec![value.clone()],
                            });
                            next
                        })
                    })
                    .collect();
            }
            all.into_iter()
                .map(|conditions| Who::Job {
                    provider: *provider,
                    conditions,
                })
                .collect()
        }
    }
}

/// The part of a grant that no single rule of `others` gives to all of `who`.
fn uncovered(who: &Who, grant: &Grant, others: &[Rule]) -> Vec<Grant> {
    let others: Vec<_> = others
        .iter()
        .filter(|other| covers(&other.who, who))
        .map(|other| &other.grant)
        .collect();
    let covers_cell = |namespace: Namespace, worker: &WorkerPattern, action: Action| {
        others.iter().any(|other| {
            other.namespaces().contains(&namespace)
                && other.actions().contains(&action)
                && other.workers().iter().any(|pattern| pattern.covers(worker))
        })
    };
    // The whole platform includes the policy, the tokens and the audit log, which no namespace includes.
    let covers_platform = |action| {
        let request = Request {
            action,
            resource: Resource::Platform,
        };
        !grant.covers(&request) || others.iter().any(|other| other.covers(&request))
    };
    let mut found: Vec<(Vec<Namespace>, Vec<WorkerPattern>, Vec<Action>)> = Vec::new();
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
    let mut merged: Vec<(Vec<Namespace>, Vec<WorkerPattern>, Vec<Action>)> = Vec::new();
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

/// Whether `wide` includes every identity of `narrow`.
fn covers(wide: &Who, narrow: &Who) -> bool {
    match (wide, narrow) {
        (Who::Token(wide), Who::Token(narrow)) => narrow.iter().all(|subject| wide.contains(subject)),
        (
            Who::Job { provider, conditions },
            Who::Job {
                provider: other,
                conditions: narrow,
            },
        ) if provider == other => conditions.iter().all(|condition| {
            narrow
                .iter()
                .filter(|other| other.claim == condition.claim)
                .any(|other| {
                    other.expected.iter().all(|value| {
                        condition
                            .expected
                            .iter()
                            .any(|wider| wider.covers(condition.claim, value))
                    })
                })
        }),
        _ => false,
    }
}

impl Change {
    /// Whether the change applies to this identity and this request.
    #[must_use]
    pub fn is_about(&self, identity: &Identity, request: &Request) -> bool {
        self.who.is(identity) && self.grant.covers(request)
    }
}

/// Formats as `GitHub runs with repository_id 1001, … may deploy agents in dotdo-staging (rule "agents")`.
impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} may {} (rule \"{}\")", self.who, self.grant, self.rule)
    }
}

impl Serialize for Change {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let shown = ShownChange {
            rule: &self.rule,
            who: self.who.to_string(),
            grant: &self.grant,
            sentence: self.to_string(),
        };
        shown.serialize(serializer)
    }
}

/// A permission that one policy has and the other does not.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Change")]
struct ShownChange<'a> {
    /// The rule that contains the permission.
    rule: &'a RuleName,
    /// The identities whose permissions change.
    who: String,
    /// The permissions that are added or removed.
    grant: &'a Grant,
    /// The change as a sentence.
    sentence: String,
}

same_schema!(Change, ShownChange<'static>);
