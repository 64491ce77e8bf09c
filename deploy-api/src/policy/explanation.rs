use std::fmt;

use serde::ser::SerializeStruct;
use serde::{Serialize, Serializer};

use super::{Grant, NearRule, Obstacle, Request, RuleName};
use crate::identity::{GitHubRun, Identity};

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
