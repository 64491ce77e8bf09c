use std::fmt;

use dotdo_names::Environment;
use serde::ser::SerializeStruct;
use serde::{Serialize, Serializer};

use super::{Action, Claim, Grant, Request, Rule, RuleName, Who};
use crate::identity::{GitHubRun, Identity};

/// How many rules an explanation shows.
const NEAREST: usize = 3;

/// The longest value that is shown whole, in characters; a longer one loses its middle, so that a line fits a terminal.
const SHOWN: usize = 60;

/// Why something was denied, in sentences for people. It holds claims and rules, and no secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explanation {
    /// Who asked.
    pub identity: Identity,
    /// For what; nothing when a run asked for a deploy token as such.
    pub request: Option<Request>,
    /// What stands in the way.
    pub cause: Cause,
}

/// What stands in the way of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cause {
    /// No rule allows it. These come nearest, the nearest first; none when no rule is about the caller at all.
    NoRule(Vec<NearRule>),
    /// Runs of this event never reach production, whatever the rules say.
    EventBarred(String),
    /// The rule allows it, but the token was bound to less when it was made.
    TokenScope {
        /// The rule.
        rule: RuleName,
        /// What the token is bound to.
        grants: Vec<Grant>,
    },
    /// The bootstrap secret is for the policy and the tokens only.
    BootstrapOnlyAdministers,
}

/// A rule that does not allow a request, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NearRule {
    /// The rule.
    pub rule: RuleName,
    /// Everything that would have to be otherwise. Never empty.
    pub obstacles: Vec<Obstacle>,
}

/// One thing that would have to be otherwise for a rule to allow a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Obstacle {
    /// A claim of the run.
    Claim {
        /// Which.
        claim: Claim,
        /// What the rule expects: any of these.
        expected: Vec<String>,
        /// What the run has.
        got: Option<String>,
    },
    /// The rule is about another kind of identity, or another subject.
    Who {
        /// Whom the rule is about.
        expected: String,
    },
    /// The rule covers other namespaces: these.
    Namespace(Vec<Environment>),
    /// The rule covers other Workers: these.
    Worker(Vec<String>),
    /// The rule allows other actions: these.
    Action(Vec<Action>),
}

impl NearRule {
    /// The rules with the fewest obstacles, the nearest first; ties in the order of the policy.
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
        }
    }
}

fn obstacles_to(who: &Who, identity: &Identity) -> Vec<Obstacle> {
    match (who, identity) {
        (Who::GitHub(conditions), Identity::GithubRun(run)) => conditions
            .iter()
            .filter(|condition| !condition.is_met_by(run))
            .map(|condition| Obstacle::Claim {
                claim: condition.claim,
                expected: condition.expected.iter().map(ToString::to_string).collect(),
                got: condition.claim.of(run).map(str::to_owned),
            })
            .collect(),
        (who, identity) if who.is(identity) => Vec::new(),
        (Who::Token(subjects), _) => {
            let subjects: Vec<_> = subjects.iter().map(ToString::to_string).collect();
            vec![Obstacle::Who {
                expected: format!("API tokens of {}", subjects.join(", ")),
            }]
        }
        (Who::GitHub(_), _) => vec![Obstacle::Who {
            expected: "GitHub runs".to_owned(),
        }],
    }
}

impl Explanation {
    /// The explanation in sentences, one a line: what was denied, then one for each thing that stands in the way.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        let mut lines = vec![self.summary()];
        match &self.cause {
            Cause::NoRule(near) if near.is_empty() => lines.extend(self.nobody_named_it()),
            Cause::NoRule(near) => lines.extend(near.iter().flat_map(|near| {
                near.obstacles
                    .iter()
                    .map(|obstacle| sentence(&near.rule, obstacle))
            })),
            Cause::EventBarred(event) => {
                lines.push(format!(
                    "Runs of the event {} never reach production.",
                    shown(event)
                ));
            }
            Cause::TokenScope { rule, grants } => {
                lines.push(format!(
                    "Rule \"{rule}\" allows it, but this token was made for less:"
                ));
                lines.extend(grants.iter().map(|grant| format!("  {grant}")));
            }
            Cause::BootstrapOnlyAdministers => lines.push(
                "It only reads and administers: give a subject a rule, make it an API token, and use that."
                    .to_owned(),
            ),
        }
        lines
    }

    /// The first line: who may not do what.
    #[must_use]
    pub fn summary(&self) -> String {
        let who = shown_identity(&self.identity);
        match &self.request {
            Some(request) => format!("{who} may not {request}."),
            None => format!("{who} gets no deploy token."),
        }
    }

    fn nobody_named_it(&self) -> Vec<String> {
        match &self.identity {
            Identity::GithubRun(run) => vec![
                format!("No rule of the policy is about {}.", shown(&run.repository)),
                format!(
                    "A rule for it has repository_id \"{}\" and repository_owner_id \"{}\".",
                    shown(&run.repository_id),
                    shown(&run.repository_owner_id)
                ),
            ],
            Identity::ApiToken { subject } => {
                vec![format!(
                    "No rule of the policy names the token's subject, \"{subject}\"."
                )]
            }
            Identity::BootstrapAdministrator => Vec::new(),
        }
    }
}

fn shown_identity(identity: &Identity) -> String {
    match identity {
        Identity::GithubRun(run) => {
            let GitHubRun {
                repository,
                git_ref,
                run_id,
                ..
            } = &**run;
            format!(
                "{} at {} (run {})",
                shown(repository),
                shown(git_ref),
                shown(run_id)
            )
        }
        Identity::ApiToken { subject } => format!("The API token of {subject}"),
        Identity::BootstrapAdministrator => "The bootstrap administrator".to_owned(),
    }
}

fn sentence(rule: &RuleName, obstacle: &Obstacle) -> String {
    match obstacle {
        Obstacle::Claim { claim, expected, got } => {
            let expected: Vec<_> = expected.iter().map(|value| shown(value)).collect();
            let expected = expected.join(" or ");
            match got {
                Some(got) => {
                    format!(
                        "Rule \"{rule}\" expects {claim} {}; the run has {}.",
                        shown(&expected),
                        shown(got)
                    )
                }
                None => format!(
                    "Rule \"{rule}\" expects {claim} {}; the run has none.",
                    shown(&expected)
                ),
            }
        }
        Obstacle::Who { expected } => format!("Rule \"{rule}\" is about {}.", shown(expected)),
        Obstacle::Namespace(namespaces) => {
            let names: Vec<_> = namespaces.iter().map(|namespace| namespace.namespace()).collect();
            format!("Rule \"{rule}\" is for {} only.", names.join(" and "))
        }
        Obstacle::Worker(patterns) => format!(
            "Rule \"{rule}\" is for the Workers {} only.",
            shown(&patterns.join(", "))
        ),
        Obstacle::Action(actions) => {
            let names: Vec<_> = actions.iter().map(|action| action.name()).collect();
            format!("Rule \"{rule}\" allows {} only.", names.join(", "))
        }
    }
}

/// A value for one line of a terminal: control characters gone, the middle of a long one left out.
fn shown(value: &str) -> String {
    let clean: Vec<char> = value
        .chars()
        .map(|c| if c.is_control() { '\u{fffd}' } else { c })
        .collect();
    if clean.len() <= SHOWN {
        return clean.into_iter().collect();
    }
    let half = SHOWN / 2 - 1;
    let begin = clean.iter().take(half);
    let end = clean.iter().skip(clean.len() - half);
    begin.chain(&['…']).chain(end).collect()
}

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.lines().join("\n"))
    }
}

/// For answers and the audit log: `{"lines": […], "rules": [{"rule": …, "obstacles": […]}]}`.
impl Serialize for Explanation {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let near: &[NearRule] = if let Cause::NoRule(near) = &self.cause {
            near
        } else {
            &[]
        };
        let mut object = serializer.serialize_struct("Explanation", 2)?;
        object.serialize_field("lines", &self.lines())?;
        object.serialize_field("rules", near)?;
        object.end()
    }
}

impl Serialize for NearRule {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut object = serializer.serialize_struct("NearRule", 2)?;
        object.serialize_field("rule", &self.rule)?;
        object.serialize_field("obstacles", &self.obstacles)?;
        object.end()
    }
}

impl Serialize for Obstacle {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut object = serializer.serialize_struct("Obstacle", 3)?;
        match self {
            Self::Claim { claim, expected, got } => {
                object.serialize_field("claim", claim)?;
                object.serialize_field("expected", expected)?;
                object.serialize_field("got", got)?;
            }
            Self::Who { expected } => object.serialize_field("identity", expected)?,
            Self::Namespace(namespaces) => {
                let names: Vec<_> = namespaces.iter().map(|namespace| namespace.namespace()).collect();
                object.serialize_field("namespaces", &names)?;
            }
            Self::Worker(patterns) => object.serialize_field("workers", patterns)?,
            Self::Action(actions) => object.serialize_field("actions", actions)?,
        }
        object.end()
    }
}
