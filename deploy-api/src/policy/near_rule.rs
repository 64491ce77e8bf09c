use dotdo_names::Namespace;
use schemars::JsonSchema;
use serde::{Serialize, Serializer};

use super::{Action, Claim, Condition, Expected, Request, Rule, RuleName, Who};
use crate::identity::Identity;
use crate::schema::{NamespaceName, same_schema};

/// The number of rules that an explanation shows.
const NEAREST: usize = 3;

/// A rule that does not allow a request, and the reasons.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NearRule {
    /// The rule.
    pub rule: RuleName,
    /// Every mismatch between the rule and the request. Never empty.
    pub obstacles: Vec<Obstacle>,
    /// The claims that match although their case differs.
    pub ignored_cases: Vec<IgnoredCase>,
    /// Whether the rule names the repository or the subject of the caller.
    pub concerns_caller: bool,
}

/// A claim of a run that is equal to the value in a rule except for its case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IgnoredCase {
    /// The claim.
    pub claim: Claim,
    /// The value in the rule.
    pub expected: String,
    /// The value in the run.
    pub got: String,
}

/// One mismatch between a rule and a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Obstacle {
    /// A claim of the run has another value.
    Claim {
        /// The claim.
        claim: Claim,
        /// The values that the rule permits.
        expected: Vec<String>,
        /// The value in the run; `None` if the run does not have the claim.
        got: Option<String>,
    },
    /// The rule applies to another kind of identity or another subject.
    Who {
        /// The identities that the rule applies to.
        expected: String,
    },
    /// The rule covers only these namespaces.
    Namespace(Vec<Namespace>),
    /// The rule covers only these Workers.
    Worker(Vec<String>),
    /// The rule allows only these actions.
    Action(Vec<Action>),
}

impl NearRule {
    /// The rules with the fewest mismatches, fewest first. Rules with the same number are in the order of the policy.
    pub(super) fn nearest<'a>(
        rules: impl Iterator<Item = &'a Rule>,
        identity: &Identity,
        request: Option<&Request>,
    ) -> Vec<Self> {
        let mut near: Vec<_> = rules.map(|rule| Self::of(rule, identity, request)).collect();
        near.sort_by_key(|near| near.obstacles.len());
        near.truncate(NEAREST);
        near
    }

    fn of(rule: &Rule, identity: &Identity, request: Option<&Request>) -> Self {
        let mut obstacles = obstacles_to(&rule.who, identity);
        if let Some(request) = request {
            let grant = &rule.grant;
            if !grant.covers_namespace(&request.resource) {
                obstacles.push(Obstacle::Namespace(grant.namespaces().to_vec()));
            }
            if !grant.covers_worker(request) {
                obstacles.push(Obstacle::Worker(
                    grant.workers().iter().map(ToString::to_string).collect(),
                ));
            }
            if !grant.actions().contains(&request.action) {
                obstacles.push(Obstacle::Action(grant.actions().to_vec()));
            }
        }
        Self {
            rule: rule.name.clone(),
            obstacles,
            ignored_cases: ignored_cases(&rule.who, identity),
            concerns_caller: rule.who.concerns(identity),
        }
    }
}

fn ignored_cases(who: &Who, identity: &Identity) -> Vec<IgnoredCase> {
    let Who::Job { conditions, .. } = who else {
        return Vec::new();
    };
    conditions
        .iter()
        .filter_map(|Condition { claim, expected }| {
            let got = claim.of(identity)?;
            let expected = expected.iter().find(|expected| expected.is(*claim, got))?;
            match expected {
                Expected::Exactly(text) if text != got => Some(IgnoredCase {
                    claim: *claim,
                    expected: text.clone(),
                    got: got.to_owned(),
                }),
                Expected::Exactly(_) | Expected::Ref(_) => None,
            }
        })
        .collect()
}

fn obstacles_to(who: &Who, identity: &Identity) -> Vec<Obstacle> {
    match (who, identity) {
        (Who::Job { provider, conditions }, identity) if identity.provider() == Some(*provider) => conditions
            .iter()
            .filter(|condition| !condition.is_met_by(identity))
            .map(|condition| Obstacle::Claim {
                claim: condition.claim,
                expected: condition.expected.iter().map(ToString::to_string).collect(),
                got: condition.claim.of(identity).map(str::to_owned),
            })
            .collect(),
        (who, identity) if who.is(identity) => Vec::new(),
        (Who::Token(subjects), _) => {
            let subjects: Vec<_> = subjects.iter().map(ToString::to_string).collect();
            vec![Obstacle::Who {
                expected: format!("API tokens of {}", subjects.join(", ")),
            }]
        }
        (Who::Job { provider, .. }, _) => vec![Obstacle::Who {
            expected: provider.jobs().to_owned(),
        }],
    }
}

impl Serialize for NearRule {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let shown = ShownRule {
            rule: &self.rule,
            obstacles: &self.obstacles,
        };
        shown.serialize(serializer)
    }
}

/// A rule that does not allow a request, and the reasons.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "NearRule")]
struct ShownRule<'a> {
    /// The rule.
    rule: &'a RuleName,
    /// Every mismatch between the rule and the request.
    #[schemars(length(min = 1))]
    obstacles: &'a [Obstacle],
}

same_schema!(NearRule, ShownRule<'static>);

impl Serialize for Obstacle {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let shown = match self {
            Self::Claim { claim, expected, got } => ShownObstacle::Claim {
                claim: *claim,
                expected,
                got: got.as_deref(),
            },
            Self::Who { expected } => ShownObstacle::Identity { identity: expected },
            Self::Namespace(namespaces) => ShownObstacle::Namespaces {
                namespaces: namespaces.iter().map(|namespace| namespace.name()).collect(),
            },
            Self::Worker(workers) => ShownObstacle::Workers { workers },
            Self::Action(actions) => ShownObstacle::Actions { actions },
        };
        shown.serialize(serializer)
    }
}

/// One mismatch between a rule and a request.
#[derive(Serialize, JsonSchema)]
#[serde(untagged)]
#[schemars(rename = "Obstacle")]
enum ShownObstacle<'a> {
    /// A claim of the run has another value.
    Claim {
        /// The claim.
        #[schemars(with = "String")]
        claim: Claim,
        /// The values that the rule permits.
        expected: &'a [String],
        /// The value in the run; null if the run does not have the claim.
        got: Option<&'a str>,
    },
    /// The rule applies to other identities.
    Identity {
        /// The identities that the rule applies to.
        identity: &'a str,
    },
    /// The rule covers only these namespaces.
    Namespaces {
        /// The namespaces.
        #[schemars(with = "Vec<NamespaceName>")]
        namespaces: Vec<&'static str>,
    },
    /// The rule covers only these Workers.
    Workers {
        /// The patterns of the Workers.
        workers: &'a [String],
    },
    /// The rule allows only these actions.
    Actions {
        /// The actions.
        actions: &'a [Action],
    },
}

same_schema!(Obstacle, ShownObstacle<'static>);
