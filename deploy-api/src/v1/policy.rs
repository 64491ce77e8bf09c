//! `/v1/policy`: the policy, its versions, what a change means, and why something is denied.

use dotdo_names::{Environment, WorkerName};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use std::collections::BTreeMap;

use super::page::{Page, Parameters, parameter_invalid};
use super::{Answer, body};
use crate::access::Access;
use crate::audit::{Outcome, SubjectRecord, Verb};
use crate::code::Code;
use crate::identity::{Caller, GITHUB_ISSUER, GitHubRun, Identity, Scope, Subject};
use crate::policy::{Action, Changes, Decision, Explanation, Policy, PolicyErrors, Request, RuleName};
use crate::problem::Problem;
use crate::sql::Sql;
use crate::store::policies::{self, PolicyVersion};
use crate::target::Target;

/// The JSON Schema of a policy, which `GET /v1/policy/schema` publishes.
pub const SCHEMA: &str = include_str!("../../policy.schema.json");

#[derive(Serialize)]
struct Put {
    version: u64,
    dry_run: bool,
    changed: bool,
    changes: Changes,
    warnings: Vec<String>,
}

/// `PUT /v1/policy`: replaces the policy by the document in the body, and says what that allows and forbids anew.
/// With the parameter `dry_run=true` it only says so. `if_match` is the version that the caller has read, from the
/// header `If-Match`: when another one holds by now, nothing is done. A document that holds already makes no version.
///
/// # Errors
/// `PERMISSION_DENIED` for anyone but an administrator; `POLICY_INVALID` with a note for each thing that is wrong;
/// `POLICY_CHANGED`, `PARAMETER_INVALID`, `RECORD_UNAVAILABLE`.
pub fn put<S: Sql>(
    access: &Access<'_, S>,
    caller: &Caller,
    document: &str,
    parameters: &[(&str, &str)],
    if_match: Option<u64>,
) -> Result<Answer, Problem> {
    let allowed = access.authorize(caller, &Request::platform(Action::Admin), Verb::PolicyChange)?;
    let parameters = Parameters::new(parameters, &["dry_run"])?;
    let dry_run = parameters
        .parse("dry_run", "true or false", |value| value.parse().ok())?
        .unwrap_or(false);
    let new = Policy::load(document).map_err(|errors| policy_invalid(&errors))?;
    let held = policies::latest_version(access.sql)?;
    if let Some(read) = if_match
        && read != held
    {
        return Err(Problem::new(
            Code::PolicyChanged,
            format!("Version {held} of the policy holds, and the change was made from version {read}."),
            "Read the policy again, make the change there, and put that.",
        ));
    }
    // A stored policy that no longer loads allows nothing, and that is what the new one is compared with.
    let old = policies::get(access.sql, held)?;
    let old_policy = old
        .as_ref()
        .and_then(|(_, text)| Policy::load(text).ok())
        .unwrap_or_default();
    let changed = old.is_none_or(|(_, text)| text != document);
    let mut put = Put {
        version: held,
        dry_run,
        changed,
        changes: old_policy.changes_to(&new),
        warnings: new.warnings().iter().map(ToString::to_string).collect(),
    };
    if changed && !dry_run {
        put.version = access.sql.transaction(|| {
            let stored = policies::put(access.sql, document, &caller.identity.to_string(), access.now)?;
            let mut entry = access
                .entry(Verb::PolicyChange, Outcome::Succeeded)
                .by(caller)
                .under(Some(&allowed.rule), allowed.policy_version);
            entry.subject = Some(SubjectRecord::Policy {
                version: stored.version,
                sha256: stored.sha256,
            });
            access.record(&entry)?;
            Ok::<u64, Problem>(stored.version)
        })?;
    }
    Ok(Answer::json(200, &put)?.of_version(put.version))
}

fn policy_invalid(errors: &PolicyErrors) -> Problem {
    let PolicyErrors(errors) = errors;
    let problem = Problem::new(
        Code::PolicyInvalid,
        format!(
            "The policy has {} and was not put.",
            counted(errors.len(), "mistake")
        ),
        "Correct what the notes say; `?dry_run=true` checks without putting.",
    );
    errors
        .iter()
        .map(ToString::to_string)
        .fold(problem, Problem::note)
}

fn counted(number: usize, noun: &str) -> String {
    if number == 1 {
        format!("1 {noun}")
    } else {
        format!("{number} {noun}s")
    }
}

#[derive(Serialize)]
struct Got<'a> {
    #[serde(flatten)]
    version: PolicyVersion,
    document: &'a RawValue,
}

/// `GET /v1/policy`: the policy that holds, as it was put, or the one of the parameter `version`.
///
/// # Errors
/// `PERMISSION_DENIED` unless the caller may administer or read the whole platform; `POLICY_VERSION_UNKNOWN`,
/// `PARAMETER_INVALID`, `RECORD_UNAVAILABLE`.
pub fn get<S: Sql>(
    access: &Access<'_, S>,
    caller: &Caller,
    parameters: &[(&str, &str)],
) -> Result<Answer, Problem> {
    may_see_all(access, caller)?;
    let parameters = Parameters::new(parameters, &["version"])?;
    let version = match parameters.parse("version", "the number of a version", |value| value.parse().ok())? {
        Some(version) => version,
        None => policies::latest_version(access.sql)?,
    };
    let (version, text) = policies::get(access.sql, version)?.ok_or_else(|| {
        Problem::new(
            Code::PolicyVersionUnknown,
            if version == 0 {
                "There is no policy yet, so that nothing is allowed.".to_owned()
            } else {
                format!("There is no version {version} of the policy.")
            },
            "`PUT /v1/policy` makes the first; `GET /v1/policy/versions` lists all.",
        )
    })?;
    let document: &RawValue = serde_json::from_str(&text).map_err(|error| {
        Problem::new(Code::Internal, "The stored policy cannot be read.", "").caused_by(&error)
    })?;
    let number = version.version;
    Ok(Answer::json(200, &Got { version, document })?.of_version(number))
}

/// `GET /v1/policy/versions`: every version without its document, the newest first. Parameters: `limit`, `cursor`.
///
/// # Errors
/// `PERMISSION_DENIED` unless the caller may administer or read the whole platform; `PARAMETER_INVALID`,
/// `RECORD_UNAVAILABLE`.
pub fn versions<S: Sql>(
    access: &Access<'_, S>,
    caller: &Caller,
    parameters: &[(&str, &str)],
) -> Result<Answer, Problem> {
    may_see_all(access, caller)?;
    let parameters = Parameters::new(parameters, &["limit", "cursor"])?;
    let before = parameters.parse("cursor", "the cursor of an earlier page", |value| {
        value.parse::<u32>().ok()
    })?;
    let limit = parameters.limit()?;
    let found = policies::list(access.sql, before.map(u64::from), limit + 1)?;
    Answer::json(
        200,
        &Page::of(found, limit, |version: &PolicyVersion| {
            version.version.to_string()
        }),
    )
}

/// Whoever administers sees everything; others need `read` for the whole platform.
pub(super) fn may_see_all<S: Sql>(access: &Access<'_, S>, caller: &Caller) -> Result<(), Problem> {
    if access.may(caller, &Request::platform(Action::Admin))? {
        return Ok(());
    }
    access
        .authorize(caller, &Request::platform(Action::Read), Verb::Read)
        .map(drop)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ExplainRequest {
    identity: Option<ExplainedIdentity>,
    action: Action,
    namespace: Option<String>,
    worker: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum ExplainedIdentity {
    Github(BTreeMap<String, String>),
    Token(Subject),
}

#[derive(Serialize)]
struct Explained {
    allowed: bool,
    policy_version: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    rule: Option<RuleName>,
    #[serde(skip_serializing_if = "Option::is_none")]
    explanation: Option<Explanation>,
}

/// `POST /v1/policy/explain`: whether an action would be allowed, by which rule, or what stands in the way. Without
/// `identity` it is about the caller, who learns of the rules about their own repository or subject. About another
/// identity, only those may ask who may see the policy, and they learn of every rule.
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
            parameter_invalid(format!("{name:?} is no Worker: {error}."), "Correct the name.")
        })
    });
    match (namespace.transpose()?, worker.transpose()?) {
        (Some(environment), Some(worker)) => {
            Ok(Request::worker(asked.action, Target { environment, worker }))
        }
        (Some(environment), None) => Ok(Request::namespace(asked.action, environment)),
        (None, None) => Ok(Request::platform(asked.action)),
        (None, Some(_)) => Err(parameter_invalid(
            "A Worker is named, and no namespace.",
            "Name the namespace too.",
        )),
    }
}

/// A run of which only some claims are told; the others are empty, which no rule matches.
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
