//! `…/lock`: stops changes to a Worker or to a whole namespace.

use dotdo_names::Namespace;
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Answer, body};
use crate::access::Access;
use crate::audit::{self, Entry, LockRecord, Outcome, SubjectRecord};
use crate::code::Code;
use crate::policy::{Action, Caller, Request};
use crate::problem::Problem;
use crate::schema::Time;
use crate::sql::Sql;
use crate::store::locks::{self, Lock, Place};
use crate::target::Target;

/// The longest reason, in characters.
const MAX_WHY: usize = 300;

/// A lock to be set.
#[derive(Deserialize, Clone, Debug, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LockRequest {
    /// The reason, for the callers whose changes are rejected.
    #[schemars(length(min = 1, max = MAX_WHY))]
    pub why: String,
    /// The end of the lock. Default: no end.
    #[serde(default)]
    #[schemars(with = "Option<Time>")]
    pub until: Option<Timestamp>,
}

/// The lock of a Worker or a namespace.
#[derive(Serialize, Clone, Debug, Deserialize, JsonSchema)]
#[schemars(rename = "LockState")]
pub struct Shown {
    /// The lock; null if there is none.
    pub lock: Option<Lock>,
}

/// The object of a lock, for the table of locks, the policy and the audit log.
struct About<'a> {
    place: Place<'a>,
    request: Request,
    target: Option<&'a Target>,
}

impl<'a> About<'a> {
    fn worker(action: Action, target: &'a Target) -> Self {
        Self {
            place: Place::worker(target),
            request: Request::worker(action, target.clone()),
            target: Some(target),
        }
    }

    fn namespace(action: Action, namespace: Namespace) -> Self {
        Self {
            place: Place::namespace(namespace),
            request: Request::namespace(action, namespace),
            target: None,
        }
    }

    fn entry(&self, entry: Entry) -> Entry {
        match self.target {
            Some(target) => entry.about(target),
            None => entry.about_namespace(self.place.namespace),
        }
    }
}

fn get<S: Sql>(access: &Access<'_, S>, caller: &Caller, about: &About<'_>) -> Result<Answer, Problem> {
    access.authorize(caller, &about.request, audit::Action::Read)?;
    let lock = locks::holding(access.sql, about.place, access.now)?;
    Answer::json(200, &Shown { lock })
}

fn lock<S: Sql>(
    access: &Access<'_, S>,
    caller: &Caller,
    about: &About<'_>,
    body: &[u8],
) -> Result<Answer, Problem> {
    let allowed = access.authorize(caller, &about.request, audit::Action::Lock)?;
    let LockRequest { why, until } = body::read(
        body,
        "{\"why\": \"the reason, for those who are stopped\", \"until\": \"2026-11-25T08:00:00Z\"}; \"until\" may be left \
         out",
    )?;
    let invalid = |detail: String, fix: &str| Problem::new(Code::BodyInvalid, detail, fix);
    if why.trim().is_empty() || why.chars().count() > MAX_WHY || why.chars().any(char::is_control) {
        return Err(invalid(
            format!("\"why\" is empty, longer than {MAX_WHY} characters, or has control characters."),
            "Write the reason in one sentence: it is shown to every caller whose change is rejected.",
        ));
    }
    if let Some(past) = until.filter(|until| *until <= access.now) {
        return Err(invalid(
            format!("\"until\" is {past}, which has passed."),
            "Write a time in the future, or omit it for a lock without an end.",
        ));
    }
    let mut entry = about
        .entry(access.entry(audit::Action::Lock, Outcome::Succeeded))
        .by(caller)
        .under(Some(&allowed.rule), allowed.policy_version);
    entry.subject = Some(SubjectRecord::Lock(LockRecord {
        why: why.clone(),
        until,
    }));
    let by = caller.identity.to_string();
    access.sql.transaction(|| {
        access.record(&entry)?;
        locks::put(access.sql, about.place, &by, &why, access.now, until).map_err(Problem::from)
    })?;
    let lock = locks::holding(access.sql, about.place, access.now)?;
    Answer::json(200, &Shown { lock })
}

fn unlock<S: Sql>(access: &Access<'_, S>, caller: &Caller, about: &About<'_>) -> Result<Answer, Problem> {
    let allowed = access.authorize(caller, &about.request, audit::Action::Unlock)?;
    access.sql.transaction(|| {
        if let Some(removed) = locks::remove(access.sql, about.place)? {
            let mut entry = about
                .entry(access.entry(audit::Action::Unlock, Outcome::Succeeded))
                .by(caller)
                .under(Some(&allowed.rule), allowed.policy_version);
            entry.subject = Some(SubjectRecord::Lock(LockRecord {
                why: removed.why,
                until: removed.until,
            }));
            access.record(&entry)?;
        }
        Ok::<(), Problem>(())
    })?;
    // The namespace of the Worker may still be locked.
    let lock = locks::holding(access.sql, about.place, access.now)?;
    Answer::json(200, &Shown { lock })
}

/// `GET …/workers/{worker}/lock`: the lock of the Worker or of its namespace; `{"lock": null}` for
/// none.
///
/// # Errors
/// `PERMISSION_DENIED`, `RECORD_UNAVAILABLE`.
pub fn get_worker<S: Sql>(
    access: &Access<'_, S>,
    caller: &Caller,
    target: &Target,
) -> Result<Answer, Problem> {
    get(access, caller, &About::worker(Action::Read, target))
}

/// `PUT …/workers/{worker}/lock`, `{"why": "…", "until": "2026-11-25T08:00:00Z"}`: locks it; `until` may be left out.
///
/// # Errors
/// `PERMISSION_DENIED`, `BODY_INVALID`, `RECORD_UNAVAILABLE`.
pub fn lock_worker<S: Sql>(
    access: &Access<'_, S>,
    caller: &Caller,
    target: &Target,
    body: &[u8],
) -> Result<Answer, Problem> {
    lock(access, caller, &About::worker(Action::Lock, target), body)
}

/// `DELETE …/workers/{worker}/lock`: unlocks it. A Worker that is not locked stays so. The answer is the lock that still
/// holds: its namespace's, or none.
///
/// # Errors
/// `PERMISSION_DENIED`, `RECORD_UNAVAILABLE`.
pub fn unlock_worker<S: Sql>(
    access: &Access<'_, S>,
    caller: &Caller,
    target: &Target,
) -> Result<Answer, Problem> {
    unlock(access, caller, &About::worker(Action::Lock, target))
}

/// `GET /v1/namespaces/{namespace}/lock`: the namespace's lock; `{"lock": null}` for none.
///
/// # Errors
/// `PERMISSION_DENIED`, `RECORD_UNAVAILABLE`.
pub fn get_namespace<S: Sql>(
    access: &Access<'_, S>,
    caller: &Caller,
    namespace: Namespace,
) -> Result<Answer, Problem> {
    get(access, caller, &About::namespace(Action::Read, namespace))
}

/// `PUT /v1/namespaces/{namespace}/lock`: locks every Worker of the namespace, those that do not exist yet too.
///
/// # Errors
/// `PERMISSION_DENIED`, `BODY_INVALID`, `RECORD_UNAVAILABLE`.
pub fn lock_namespace<S: Sql>(
    access: &Access<'_, S>,
    caller: &Caller,
    namespace: Namespace,
    body: &[u8],
) -> Result<Answer, Problem> {
    lock(access, caller, &About::namespace(Action::Lock, namespace), body)
}

/// `DELETE /v1/namespaces/{namespace}/lock`: unlocks it. Workers with a separate lock stay locked.
///
/// # Errors
/// `PERMISSION_DENIED`, `RECORD_UNAVAILABLE`.
pub fn unlock_namespace<S: Sql>(
    access: &Access<'_, S>,
    caller: &Caller,
    namespace: Namespace,
) -> Result<Answer, Problem> {
    unlock(access, caller, &About::namespace(Action::Lock, namespace))
}
