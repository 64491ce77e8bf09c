use std::fmt;

use schemars::JsonSchema;
use serde::{Serialize, Serializer};

use super::{Claim, Grant, NearRule, Obstacle, Request, RuleName};
use crate::identity::{Identity, Provider};
use crate::schema::same_schema;

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
    /// No rule allows the request. Contains the rules with the fewest mismatches, fewest first. If no rule names the caller, it
    /// is empty, or for an administrator contains the rules of others.
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
    /// The run is for a pull request from this fork, so GitHub gives it no OIDC token.
    Fork(String),
}

impl Explanation {
    /// The explanation as lines of one sentence each: first what was denied, then each reason.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        let mut lines = vec![self.summary()];
        match &self.cause {
            Cause::NoRule(near) => {
                if !near.iter().any(|near| near.concerns_caller) {
                    lines.extend(self.no_rule_names_the_caller());
                }
                lines.extend(near.iter().flat_map(sentences));
            }
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
            Cause::Fork(fork) => {
                lines.push(format!(
                    "The pull request comes from the fork {}. GitHub gives such a run no OIDC token, so no rule can allow it.",
                    shown(fork)
                ));
                lines.push(
                    "Let a maintainer read the changes and add the label that starts the workflow for forks. Its privileged job deploys \
                     what an unprivileged job has built, and a rule allows its event and its workflow file."
                        .to_owned(),
                );
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
            Identity::ApiToken { subject } => {
                vec![format!(
                    "The policy has no rule for the subject of the token, \"{subject}\"."
                )]
            }
            Identity::BootstrapAdministrator | Identity::Platform => Vec::new(),
            job => job
                .provider()
                .map(|provider| no_rule_names_the_job(job, provider))
                .unwrap_or_default(),
        }
    }
}

fn no_rule_names_the_job(job: &Identity, provider: Provider) -> Vec<String> {
    let without_name = match provider {
        Provider::GitHub => "The run has neither a repository nor a repository_id, so no rule applies to it.",
        Provider::GitLab => "The job has neither a project_path nor a project_id, so no rule applies to it.",
        Provider::Buildkite => "The job has no pipeline_slug, so no rule applies to it.",
    };
    let [id, owner] = Claim::required(provider);
    vec![
        match shown_source(job) {
            Some(source) => format!("The policy has no rule for {source}."),
            None => without_name.to_owned(),
        },
        match (id.of(job), owner.of(job)) {
            (Some(first), Some(second)) => format!(
                "A rule for it must have {id} \"{}\" and {owner} \"{}\".",
                shown(first),
                shown(second)
            ),
            _ => format!(
                "A rule for a {} must have its {id} and its {owner}.",
                provider.noun()
            ),
        },
    ]
}

fn shown_identity(identity: &Identity) -> String {
    let (git_ref, kind, number) = match identity {
        Identity::GithubRun(run) => (&run.git_ref, "run", &run.run_id),
        Identity::GitlabJob(job) => (&job.git_ref, "job", &job.job_id),
        Identity::BuildkiteJob(job) => (&job.git_ref, "build", &job.build_number),
        Identity::ApiToken { subject } => return format!("The API token of {subject}"),
        Identity::BootstrapAdministrator => return "The bootstrap administrator".to_owned(),
        Identity::Platform => return "The platform".to_owned(),
    };
    let mut who = match (shown_source(identity), identity.provider()) {
        (Some(source), _) => capitalized(source),
        (None, provider) => provider.map_or("A job", Provider::job).to_owned(),
    };
    if !git_ref.is_empty() {
        who.push_str(" at ");
        who.push_str(&shown(git_ref));
    }
    if !number.is_empty() {
        who = format!("{who} ({kind} {})", shown(number));
    }
    who
}

/// The repository, project or pipeline of a job by its name, or by its id if a hypothetical job has no name.
fn shown_source(identity: &Identity) -> Option<String> {
    let (name, kind, id) = match identity {
        Identity::GithubRun(run) => (run.repository.clone(), "repository", run.repository_id.as_str()),
        Identity::GitlabJob(job) => (job.project_path.clone(), "project", job.project_id.as_str()),
        Identity::BuildkiteJob(job) if job.organization_slug.is_empty() => {
            (job.pipeline_slug.clone(), "pipeline", "")
        }
        Identity::BuildkiteJob(job) => (job.pipeline(), "pipeline", ""),
        Identity::ApiToken { .. } | Identity::BootstrapAdministrator | Identity::Platform => return None,
    };
    match (name.as_str(), id) {
        ("", "") => None,
        ("", id) => Some(format!("the {kind} with the id {}", shown(id))),
        (name, _) => Some(shown(name)),
    }
}

/// A subject at the beginning of a sentence. A name is not changed.
fn capitalized(subject: String) -> String {
    match subject.strip_prefix("the ") {
        Some(rest) => format!("The {rest}"),
        None => subject,
    }
}

/// The mismatches of a rule, then its claims that match although their case differs.
fn sentences(near: &NearRule) -> impl Iterator<Item = String> + '_ {
    let obstacles = near
        .obstacles
        .iter()
        .map(|obstacle| sentence(&near.rule, obstacle));
    let ignored = near.ignored_cases.iter().map(|ignored| {
        format!(
            "Rule \"{}\" has {} {}, and the run has {}: the case is ignored.",
            near.rule,
            ignored.claim,
            shown(&ignored.expected),
            shown(&ignored.got)
        )
    });
    obstacles.chain(ignored)
}

fn sentence(rule: &RuleName, obstacle: &Obstacle) -> String {
    match obstacle {
        Obstacle::Claim { claim, expected, got } => {
            let values: Vec<_> = expected.iter().map(|value| shown(value)).collect();
            let differs_in_case = got
                .as_ref()
                .is_some_and(|got| expected.iter().any(|value| value.eq_ignore_ascii_case(got)));
            let expected = values.join(" or ");
            match got {
                Some(got) => {
                    format!(
                        "Rule \"{rule}\" expects {claim} {}; the run has {}{}.",
                        shown(&expected),
                        shown(got),
                        if differs_in_case {
                            ", which differs in case"
                        } else {
                            ""
                        }
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
            let names: Vec<_> = namespaces.iter().map(|namespace| namespace.name()).collect();
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
        let rules: &[NearRule] = if let Cause::NoRule(near) = &self.cause {
            near
        } else {
            &[]
        };
        let lines = self.lines();
        ShownExplanation { lines, rules }.serialize(serializer)
    }
}

/// Why a request is denied.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Explanation")]
struct ShownExplanation<'a> {
    /// What is denied, then a sentence for each reason.
    lines: Vec<String>,
    /// The rules with the fewest mismatches.
    rules: &'a [NearRule],
}

same_schema!(Explanation, ShownExplanation<'static>);
