use std::fmt;

use serde::ser::SerializeStruct;
use serde::{Serialize, Serializer};

use super::{Grant, NearRule, Obstacle, Request, RuleName};
use crate::identity::{GitHubRun, Identity};

/// The maximum length of a value in an explanation, in characters. The middle of a longer value is omitted, so that the
/// line fits in a terminal.
const SHOWN: usize = 60;

/// Why a request was denied, as sentences. Contains claims and rules, but no secrets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explanation {
    /// The identity of the caller.
    pub identity: Identity,
    /// The request; `None` if a run requested a deploy token.
    pub request: Option<Request>,
    /// The reason for the denial.
    pub cause: Cause,
}

/// The reason for a denial.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cause {
    /// No rule allows the request. Contains the rules with the fewest mismatches, fewest first; empty if no rule names the
    /// caller.
    NoRule(Vec<NearRule>),
    /// Runs of this event are never allowed in production, regardless of the rules.
    EventBarred(String),
    /// The rule allows the request, but the scope of the token does not.
    TokenScope {
        /// The rule.
        rule: RuleName,
        /// The grants of the token.
        grants: Vec<Grant>,
    },
    /// The bootstrap secret permits only `read` and `admin`.
    BootstrapOnlyAdministers,
}

impl Explanation {
    /// The explanation as lines of one sentence each: first what was denied, then each reason.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        let mut lines = vec![self.summary()];
        match &self.cause {
            Cause::NoRule(near) if near.is_empty() => lines.extend(self.no_rule_names_the_caller()),
            Cause::NoRule(near) => lines.extend(near.iter().flat_map(|near| {
                near.obstacles
                    .iter()
                    .map(|obstacle| sentence(&near.rule, obstacle))
            })),
            Cause::EventBarred(event) => {
                lines.push(format!(
                    "Runs of the event {} are never allowed in production.",
                    shown(event)
                ));
            }
            Cause::TokenScope { rule, grants } => {
                lines.push(format!(
                    "Rule \"{rule}\" allows this, but the token is limited to:"
                ));
                lines.extend(grants.iter().map(|grant| format!("  {grant}")));
            }
            Cause::BootstrapOnlyAdministers => lines.push(
                "It may only read and administer: add a rule for a subject, create an API token for the subject, and use the token."
                    .to_owned(),
            ),
        }
        lines
    }

    /// The first line: the identity and what was denied.
    #[must_use]
    pub fn summary(&self) -> String {
        let who = shown_identity(&self.identity);
        match &self.request {
            Some(request) => format!("{who} may not {request}."),
            None => format!("{who} may not get a deploy token."),
        }
    }

    fn no_rule_names_the_caller(&self) -> Vec<String> {
        match &self.identity {
            Identity::GithubRun(run) => vec![
                format!("The policy has no rule for {}.", shown(&run.repository)),
                format!(
                    "A rule for it must have repository_id \"{}\" and repository_owner_id \"{}\".",
                    shown(&run.repository_id),
                    shown(&run.repository_owner_id)
                ),
            ],
            Identity::ApiToken { subject } => {
                vec![format!(
                    "The policy has no rule for the subject of the token, \"{subject}\"."
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
        Obstacle::Who { expected } => format!("Rule \"{rule}\" applies to {}.", shown(expected)),
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

/// Formats a value for one line of a terminal: replaces control characters, and omits the middle of a long value.
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

/// The format in responses and in the audit log: `{"lines": […], "rules": [{"rule": …, "obstacles": […]}]}`.
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
