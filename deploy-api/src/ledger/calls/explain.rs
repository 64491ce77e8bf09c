//! `POST /v1/policy/explain`: whether a request would be allowed, by which rule, or why not.

use std::collections::BTreeMap;

use dotdo_names::{Environment, WorkerName};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::page::parameter_invalid;
use super::policy::may_see_all;
use super::{Answer, body};
use crate::access::Access;
use crate::code::Code;
use crate::identity::{GITHUB_ISSUER, GitHubRun, Identity, Subject};
use crate::policy::{Action, Caller, Decision, Explanation, Request, RuleName, Scope};
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
    /// Claims of a GitHub run. Claims that are left out match no rule.
    Github(BTreeMap<String, String>),
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
            let identity = match identity {
                ExplainedIdentity::Github(claims) => Identity::GithubRun(Box::new(read_run(claims)?)),
                ExplainedIdentity::Token(subject) => Identity::ApiToken { subject },
            };
            active.policy.explain(
                &Caller {
                    identity,
                    token: None,
                    scope: Scope::Policy,
                },
                &request,
            )
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

fn read_request(asked: &ExplainRequest) -> Result<Request, Problem> {
    let namespace = asked.namespace.as_deref().map(|name| {
        Environment::from_namespace(name).ok_or_else(|| {
            let names = Environment::ALL.map(Environment::namespace).join(", ");
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
        (Some(environment), Some(worker)) => {
            Ok(Request::worker(asked.action, Target { environment, worker }))
        }
        (Some(environment), None) => Ok(Request::namespace(asked.action, environment)),
        (None, None) => Ok(Request::platform(asked.action)),
        (None, Some(_)) => Err(parameter_invalid(
            "The request names a Worker and no namespace.",
            "Name the namespace as well.",
        )),
    }
}

/// A run with only some claims; the others are empty, which no rule matches.
fn read_run(mut claims: BTreeMap<String, String>) -> Result<GitHubRun, Problem> {
    if let Some(issuer) = claims.remove("issuer") {
        claims.insert("iss".to_owned(), issuer);
    }
    claims
        .entry("iss".to_owned())
        .or_insert_with(|| GITHUB_ISSUER.to_owned());
    for required in REQUIRED_CLAIMS {
        claims.entry(required.to_owned()).or_default();
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

/// The claims that every run has.
const REQUIRED_CLAIMS: [&str; 12] = [
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
