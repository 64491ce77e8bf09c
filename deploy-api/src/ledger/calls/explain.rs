//! `POST /v1/policy/explain`: whether a request would be allowed, by which rule, or why not.

use std::collections::BTreeMap;

use dotdo_names::{Namespace, WorkerName};
use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::page::parameter_invalid;
use super::policy::may_see_all;
use super::{Answer, body};
use crate::access::Access;
use crate::code::Code;
use crate::identity::{BuildkiteJob, Identity, Provider, Subject};
use crate::policy::{Action, Caller, Cause, Decision, Explanation, Request, RuleName, Scope};
use crate::problem::Problem;
use crate::schema::{NamespaceName, WorkerName as WorkerNameSchema};
use crate::sql::Sql;
use crate::target::Target;

/// A request to be explained. A Worker requires its namespace. Without both, the request is about the whole platform.
#[derive(Deserialize, Clone, Debug, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ExplainRequest {
    /// The identity. Default: the caller.
    pub identity: Option<ExplainedIdentity>,
    /// The action.
    pub action: Action,
    /// The namespace.
    #[schemars(with = "Option<NamespaceName>")]
    pub namespace: Option<String>,
    /// The Worker.
    #[schemars(with = "Option<WorkerNameSchema>")]
    pub worker: Option<String>,
}

/// The identity of a request to be explained.
#[derive(Deserialize, Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ExplainedIdentity {
    /// Claims of a GitHub run. Claims that are left out match no rule. `head_repository` is not a claim: it is the repository from
    /// which a pull request comes, `owner/name`.
    Github(BTreeMap<String, String>),
    /// Claims of a job of GitLab CI, by their names in a policy or in a token.
    Gitlab(BTreeMap<String, String>),
    /// Claims of a job of Buildkite, by their names in a policy or in a token.
    Buildkite(BTreeMap<String, String>),
    /// The subject of an API token.
    Token(Subject),
}

/// Whether a request is allowed, and why.
#[derive(Serialize, Clone, Debug, Deserialize, JsonSchema)]
#[schemars(rename = "Explained")]
pub struct Explained<E = Explanation> {
    /// Whether the request is allowed.
    pub allowed: bool,
    /// The version of the policy that was evaluated.
    pub policy_version: u64,
    /// The rule that allows the request.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rule: Option<RuleName>,
    /// Why the request is denied.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub explanation: Option<E>,
}

/// The sentences of an explanation, for a client.
#[derive(Clone, Debug, Deserialize)]
pub struct ExplanationLines {
    /// What is denied, then a sentence for each reason.
    pub lines: Vec<String>,
}

/// Whether an action would be allowed, by which rule, or why not. Without `identity` it is about the caller, who learns of
/// the rules about their own repository or subject. About another identity, only those may ask who may see the policy, and
/// they learn of every rule.
///
/// # Errors
/// `BODY_INVALID`, `PERMISSION_DENIED`, `RECORD_UNAVAILABLE`.
pub fn explain<S: Sql>(access: &Access<'_, S>, caller: &Caller, body: &[u8]) -> Result<Answer, Problem> {
    let asked: ExplainRequest = body::read(
        body,
        "{\"action\": \"deploy\", \"namespace\": \"dotdo-staging\", \"worker\": \"agents\", \
         \"identity\": {\"github\": {\"repository_id\": \"1\", …}} or {\"token\": \"alice\"} or none for yourself}",
    )?;
    let request = read_request(&asked)?;
    let active = access.policies.active(access.sql)?;
    let decision = match asked.identity {
        None => active.policy.decide(caller, &request),
        Some(identity) => {
            may_see_all(access, caller)?;
            let mut head = None;
            let identity = match identity {
                ExplainedIdentity::Github(mut claims) => {
                    head = claims.remove("head_repository");
                    Identity::GithubRun(read_job(Provider::GitHub, claims, &REQUIRED_OF_GITHUB)?)
                }
                ExplainedIdentity::Gitlab(mut claims) => {
                    if let Some(git_ref) = ref_of_gitlab(&mut claims) {
                        claims.insert("ref_path".to_owned(), git_ref);
                    }
                    Identity::GitlabJob(read_job(Provider::GitLab, claims, &REQUIRED_OF_GITLAB)?)
                }
                ExplainedIdentity::Buildkite(mut claims) => {
                    if let Some(git_ref) = ref_of_buildkite(&mut claims) {
                        claims.insert("ref".to_owned(), git_ref);
                    }
                    Identity::BuildkiteJob(read_job(Provider::Buildkite, claims, &REQUIRED_OF_BUILDKITE)?)
                }
                ExplainedIdentity::Token(subject) => Identity::ApiToken { subject },
            };
            match fork(&identity, head) {
                Some(fork) => Decision::Denied(Box::new(Explanation {
                    identity,
                    request: Some(request),
                    cause: Cause::Fork(fork),
                })),
                None => active.policy.explain(
                    &Caller {
                        identity,
                        token: None,
                        scope: Scope::Policy,
                    },
                    &request,
                ),
            }
        }
    };
    let (rule, explanation) = match decision {
        Decision::Allowed { rule } => (Some(rule), None),
        Decision::Denied(explanation) => (None, Some(*explanation)),
    };
    let explained = Explained {
        allowed: rule.is_some(),
        policy_version: active.version,
        rule,
        explanation,
    };
    Answer::json(200, &explained)
}

/// The full ref of a job of GitLab CI. A policy has it as `ref`, and a token as `ref_path`, beside its short name in `ref`.
fn ref_of_gitlab(claims: &mut BTreeMap<String, String>) -> Option<String> {
    let name = claims.remove("ref");
    if let Some(full) = claims.remove("ref_path") {
        return Some(full);
    }
    let kind = match claims.get("ref_type").map(String::as_str) {
        Some("tag") => "tags",
        _ => "heads",
    };
    name.map(|name| {
        if name.starts_with("refs/") {
            name
        } else {
            format!("refs/{kind}/{name}")
        }
    })
}

/// The full ref of a job of Buildkite. A policy has it as `ref`, and a token has the branch and the tag of the build.
fn ref_of_buildkite(claims: &mut BTreeMap<String, String>) -> Option<String> {
    let branch = claims.remove("build_branch");
    let tag = claims.remove("build_tag");
    let git_ref = claims.remove("ref");
    git_ref.or_else(|| BuildkiteJob::ref_of(branch.as_deref(), tag.as_deref()))
}

/// The fork from which the pull request of a run comes, if GitHub gives the run no OIDC token because of it. A run of another event,
/// such as `pull_request_target`, has the permissions of the repository.
fn fork(identity: &Identity, head: Option<String>) -> Option<String> {
    let Identity::GithubRun(run) = identity else {
        return None;
    };
    head.filter(|head| run.event_name == "pull_request" && !head.eq_ignore_ascii_case(&run.repository))
}

fn read_request(asked: &ExplainRequest) -> Result<Request, Problem> {
    let namespace = asked.namespace.as_deref().map(|name| {
        Namespace::from_name(name).ok_or_else(|| {
            let names = Namespace::ALL.map(Namespace::name).join(", ");
            parameter_invalid(
                format!("There is no namespace {name:?}."),
                format!("Write one of {names}."),
            )
        })
    });
    let worker = asked.worker.as_deref().map(|name| {
        WorkerName::parse(name).map_err(|error| {
            parameter_invalid(
                format!("{name:?} is not a valid Worker name: {error}."),
                "Correct the name.",
            )
        })
    });
    match (namespace.transpose()?, worker.transpose()?) {
        (Some(namespace), Some(worker)) => Ok(Request::worker(asked.action, Target { namespace, worker })),
        (Some(namespace), None) => Ok(Request::namespace(asked.action, namespace)),
        (None, None) => Ok(Request::platform(asked.action)),
        (None, Some(_)) => Err(parameter_invalid(
            "The request names a Worker and no namespace.",
            "Name the namespace as well.",
        )),
    }
}

/// A job with only some claims; the others are empty, which no rule matches.
fn read_job<T: DeserializeOwned>(
    provider: Provider,
    mut claims: BTreeMap<String, String>,
    required: &[&str],
) -> Result<T, Problem> {
    if let Some(issuer) = claims.remove("issuer") {
        claims.insert("iss".to_owned(), issuer);
    }
    claims
        .entry("iss".to_owned())
        .or_insert_with(|| provider.issuer().to_owned());
    for name in required {
        claims.entry((*name).to_owned()).or_default();
    }
    serde_json::to_value(claims)
        .and_then(serde_json::from_value)
        .map_err(|error| {
            Problem::new(
                Code::BodyInvalid,
                format!("The claims cannot be read: {error}."),
                "Correct \"identity\".",
            )
        })
}

/// The claims that every GitHub run has.
const REQUIRED_OF_GITHUB: [&str; 12] = [
    "repository",
    "repository_id",
    "repository_owner",
    "repository_owner_id",
    "ref",
    "sha",
    "event_name",
    "actor",
    "actor_id",
    "run_id",
    "run_attempt",
    "workflow_ref",
];

/// The members that every [`GitLabJob`](crate::identity::GitLabJob) has.
const REQUIRED_OF_GITLAB: [&str; 11] = [
    "project_id",
    "project_path",
    "namespace_id",
    "namespace_path",
    "ref_path",
    "sha",
    "pipeline_source",
    "user_login",
    "user_id",
    "pipeline_id",
    "job_id",
];

/// The members that every [`BuildkiteJob`] has.
const REQUIRED_OF_BUILDKITE: [&str; 7] = [
    "organization_id",
    "organization_slug",
    "pipeline_slug",
    "ref",
    "sha",
    "build_number",
    "job_id",
];
