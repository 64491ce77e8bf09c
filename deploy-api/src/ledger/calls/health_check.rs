//! `…/workers/{worker}/probe`: the health check of a Worker. A deployment that fails it is rolled back.

use serde::Serialize;

use super::{Answer, body};
use crate::access::Access;
use crate::audit::{Outcome, Verb};
use crate::code::Code;
use crate::deployments::Probe;
use crate::policy::{Action, Caller, Request};
use crate::problem::Problem;
use crate::sql::Sql;
use crate::store::locks::{self, Place};
use crate::store::workers;
use crate::target::Target;

/// The maximum length of the path of a health check, in characters.
const MAX_PATH: usize = 1000;

#[derive(Serialize)]
struct Shown {
    probe: Option<Probe>,
}

/// `GET …/probe`: the health check of the Worker; `{"probe": null}` if it has none.
///
/// # Errors
/// `PERMISSION_DENIED`, `RECORD_UNAVAILABLE`.
pub fn get<S: Sql>(access: &Access<'_, S>, caller: &Caller, target: &Target) -> Result<Answer, Problem> {
    let request = Request::worker(Action::Read, target.clone());
    access.authorize(caller, &request, Verb::Read)?;
    let probe = workers::get(access.sql, target)?.and_then(|worker| worker.probe);
    Answer::json(200, &Shown { probe })
}

/// `PUT …/probe`, `{"path": "/health", "expect": 200}`: from now on each deployment is checked after its upload, and
/// rolled back when the answer has another status. Needs the action `deploy`.
///
/// # Errors
/// `PERMISSION_DENIED`, `BODY_INVALID`, `WORKER_LOCKED`, `DEPLOYMENT_UNSETTLED`, `RECORD_UNAVAILABLE`.
pub fn put<S: Sql>(
    access: &Access<'_, S>,
    caller: &Caller,
    target: &Target,
    body: &[u8],
) -> Result<Answer, Problem> {
    let probe: Probe = body::read(body, "{\"path\": \"/health\", \"expect\": 200}")?;
    check_path(&probe.path).map_err(|reason| Problem::new(Code::BodyInvalid, reason, PATH_FIX))?;
    if !(100..600).contains(&probe.expect) {
        return Err(Problem::new(
            Code::BodyInvalid,
            format!("\"expect\" is {}, which is no HTTP status.", probe.expect),
            "Write 200, or whatever a good answer has.",
        ));
    }
    set(access, caller, target, Some(probe))
}

/// `DELETE …/probe`: removes the health check.
///
/// # Errors
/// `PERMISSION_DENIED`, `WORKER_LOCKED`, `DEPLOYMENT_UNSETTLED`, `RECORD_UNAVAILABLE`.
pub fn delete<S: Sql>(access: &Access<'_, S>, caller: &Caller, target: &Target) -> Result<Answer, Problem> {
    set(access, caller, target, None)
}

fn set<S: Sql>(
    access: &Access<'_, S>,
    caller: &Caller,
    target: &Target,
    probe: Option<Probe>,
) -> Result<Answer, Problem> {
    let request = Request::worker(Action::Deploy, target.clone());
    let allowed = access.authorize(caller, &request, Verb::SettingsChange)?;
    let entry = access
        .entry(Verb::SettingsChange, Outcome::Succeeded)
        .about(target)
        .by(caller)
        .under(Some(&allowed.rule), allowed.policy_version);
    let sql = access.sql;
    if let Some(lock) = locks::holding(sql, Place::worker(target), access.now)? {
        return Err(access.refuse(entry, locks::locked(target, &lock)));
    }
    sql.transaction(|| {
        access.record(&entry)?;
        workers::set_probe(sql, target, probe.as_ref()).map_err(Problem::from)
    })?;
    Answer::json(200, &Shown { probe })
}

/// Which paths a health check may have.
pub(crate) const PATH_FIX: &str =
    "Write a path such as \"/health\": printable ASCII that begins with one slash.";

/// Checks that a path cannot lead to another host.
pub(crate) fn check_path(path: &str) -> Result<(), String> {
    if path.len() <= MAX_PATH
        && path.starts_with('/')
        && !path.starts_with("//")
        && path
            .bytes()
            .all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'\\' | b'#'))
    {
        return Ok(());
    }
    Err("The path of the probe cannot be requested.".to_owned())
}
