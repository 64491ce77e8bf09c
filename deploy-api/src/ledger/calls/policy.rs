//! `/v1/policy`: the policy, its versions, and the effects of a change.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::Answer;
use super::page::{Cursors, Page, Parameters};
use crate::access::Access;
use crate::audit::{self, Outcome, SubjectRecord};
use crate::code::Code;
use crate::policy::{Action, Caller, Changes, LockOut, Policy, PolicyErrors, Request, SchemaOfPolicy};
use crate::problem::Problem;
use crate::sql::Sql;
use crate::store::policies::{self, PolicyVersion};
use crate::store::tokens;

/// The value of the parameter `confirm` for a policy that nobody, or not the caller, could change.
const CONFIRMATION: &str = "lock_out";

/// The effects of a change of the policy.
#[derive(Serialize, Clone, Debug, Deserialize, JsonSchema)]
#[schemars(rename = "PolicyChange")]
pub struct Put<C = Changes> {
    /// The current version.
    pub version: u64,
    /// Whether the policy was only checked, not stored.
    pub dry_run: bool,
    /// Whether the document differs from the previous version.
    pub changed: bool,
    /// What becomes allowed and what becomes forbidden.
    pub changes: C,
    /// What is valid but probably a mistake.
    pub warnings: Vec<String>,
}

/// The sentences of the effects of a change, for a client.
#[derive(Clone, Debug, Deserialize)]
pub struct ChangeSentences {
    /// What becomes allowed.
    pub allowed: Vec<ChangeSentence>,
    /// What becomes forbidden.
    pub forbidden: Vec<ChangeSentence>,
}

/// A permission that one policy has and the other does not.
#[derive(Clone, Debug, Deserialize)]
pub struct ChangeSentence {
    /// Who may do what, by which rule.
    pub sentence: String,
}

/// `PUT /v1/policy`: replaces the policy by the document in the body, and returns what it newly allows and forbids.
/// With the parameter `dry_run=true` nothing is stored. `if_match` is the version that the caller has read, from the
/// header `If-Match`: if another version is active, nothing is stored. An unchanged document does not become a new version.
/// A policy without an administrator, or that takes `admin` from the caller, is stored only with `confirm=lock_out`; a dry run
/// returns a warning.
///
/// # Errors
/// `PERMISSION_DENIED` for every caller but an administrator; `POLICY_INVALID` with a note for each error;
/// `POLICY_CHANGED`, `POLICY_LOCKS_OUT`, `PARAMETER_INVALID`, `RECORD_UNAVAILABLE`.
pub fn put<S: Sql>(
    access: &Access<'_, S>,
    caller: &Caller,
    document: &str,
    parameters: &[(&str, &str)],
    if_match: Option<u64>,
) -> Result<Answer, Problem> {
    let allowed = access.authorize(
        caller,
        &Request::platform(Action::Admin),
        audit::Action::PolicyChange,
    )?;
    let parameters = Parameters::new(parameters, &["dry_run", "confirm"])?;
    let dry_run = parameters.is_dry_run()?;
    let is_confirmed = parameters
        .parse("confirm", CONFIRMATION, |value| {
            (value == CONFIRMATION).then_some(())
        })?
        .is_some();
    let new = Policy::load(document).map_err(|errors| policy_invalid(&errors))?;
    let active = policies::latest_version(access.sql)?;
    if let Some(read) = if_match
        && read != active
    {
        return Err(Problem::new(
            Code::PolicyChanged,
            format!("Version {active} of the policy is active, and the change was made from version {read}."),
            "Read the policy again, repeat the change, and send the result.",
        ));
    }
    // A stored policy that no longer loads allows nothing: the new one is compared with an empty policy.
    let old = policies::get(access.sql, active)?;
    let old_policy = old
        .as_ref()
        .and_then(|(_, text)| Policy::load(text).ok())
        .unwrap_or_default();
    let changed = old.is_none_or(|(_, text)| text != document);
    let lock_out = new.lock_out(caller);
    let entry = |outcome| {
        access
            .entry(audit::Action::PolicyChange, outcome)
            .by(caller)
            .under(Some(&allowed.rule), allowed.policy_version)
    };
    if let Some(lock_out) = &lock_out
        && changed
        && !dry_run
        && !is_confirmed
    {
        return Err(access.refuse(entry(Outcome::Denied), policy_locks_out(lock_out)));
    }
    let holders = tokens::subjects(access.sql, access.now)?;
    let warnings = lock_out.iter().map(ToString::to_string);
    let mut put = Put {
        version: active,
        dry_run,
        changed,
        changes: old_policy.changes_to(&new),
        warnings: warnings
            .chain(new.warnings().iter().map(ToString::to_string))
            .chain(new.subject_warnings(&holders))
            .collect(),
    };
    if changed && !dry_run {
        put.version = access.sql.transaction(|| {
            let stored = policies::put(access.sql, document, &caller.identity.to_string(), access.now)?;
            let mut entry = entry(Outcome::Succeeded);
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

fn policy_locks_out(lock_out: &LockOut) -> Problem {
    Problem::new(
        Code::PolicyLocksOut,
        format!("The policy was not stored: {lock_out}."),
        format!("Add a rule with \"admin\", or confirm the change with `?confirm={CONFIRMATION}`."),
    )
}

fn policy_invalid(errors: &PolicyErrors) -> Problem {
    let PolicyErrors(errors) = errors;
    let problem = Problem::new(
        Code::PolicyInvalid,
        format!(
            "The policy has {} and was not stored.",
            counted(errors.len(), "mistake")
        ),
        "Correct the errors in the notes; `?dry_run=true` checks a policy without storing it.",
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

/// A version of the policy.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "HeldPolicy")]
pub(crate) struct Got<'a> {
    #[serde(flatten)]
    version: PolicyVersion,
    /// The document, as it was stored.
    #[schemars(with = "SchemaOfPolicy")]
    document: &'a RawValue,
}

/// `GET /v1/policy`: the active policy as it was stored, or the version of the parameter `version`.
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
                "There is no policy yet, so nothing is allowed.".to_owned()
            } else {
                format!("There is no version {version} of the policy.")
            },
            "`PUT /v1/policy` stores the first version; `GET /v1/policy/versions` lists all.",
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
    let cursors = Cursors::new(access.cursors, "policy versions");
    let before = parameters.cursor(&cursors, |value| value.parse::<u32>().ok())?;
    let limit = parameters.limit()?;
    let found = policies::list(access.sql, before.map(u64::from), limit + 1)?;
    Answer::json(
        200,
        &Page::of(found, limit, &cursors, |version: &PolicyVersion| {
            version.version.to_string()
        }),
    )
}

/// An administrator may read everything; others need `read` for the whole platform.
pub(super) fn may_see_all<S: Sql>(access: &Access<'_, S>, caller: &Caller) -> Result<(), Problem> {
    if access.may(caller, &Request::platform(Action::Admin))? {
        return Ok(());
    }
    access
        .authorize(caller, &Request::platform(Action::Read), audit::Action::Read)
        .map(drop)
}
