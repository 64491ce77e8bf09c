//! `…/workers/{worker}/health-check`: the health check of a Worker. A deployment that fails it is rolled back.

use dotdo_names::DISPATCH_WORKER;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Answer, body};
use crate::access::Access;
use crate::audit::{self, Outcome};
use crate::code::Code;
use crate::deployments::HealthCheckRequest;
use crate::policy::{Action, Caller, Request};
use crate::problem::Problem;
use crate::sql::Sql;
use crate::store::locks::{self, Place};
use crate::store::workers;
use crate::target::Target;

/// The maximum length of the path of a health check, in characters.
const MAX_PATH: usize = 1000;

/// The health check of a Worker.
#[derive(Serialize, Clone, Debug, Deserialize, JsonSchema)]
#[schemars(rename = "HealthCheckState")]
pub struct Shown {
    /// The health check; null if there is none.
    pub health_check: Option<HealthCheckRequest>,
}

/// `GET …/health-check`: the health check of the Worker; `{"health_check": null}` if it has none.
///
/// # Errors
/// `PERMISSION_DENIED`, `RECORD_UNAVAILABLE`.
pub fn get<S: Sql>(access: &Access<'_, S>, caller: &Caller, target: &Target) -> Result<Answer, Problem> {
    let request = Request::worker(Action::Read, target.clone());
    access.authorize(caller, &request, audit::Action::Read)?;
    let health_check = workers::get(access.sql, target)?.and_then(|worker| worker.health_check);
    Answer::json(200, &Shown { health_check })
}

/// `PUT …/health-check`, `{"path": "/health", "expect": 200, "proof": {"header": {"name": "x-version", "value": "{tag}"}}}`: from now
/// on each deployment is checked after its upload, and rolled back if the response has another status or lacks the proof. Without
/// `proof`, the result is `unproven` at best. Needs the action `deploy`.
///
/// # Errors
/// `PERMISSION_DENIED`, `BODY_INVALID`, `WORKER_LOCKED`, `DEPLOYMENT_UNSETTLED`, `RECORD_UNAVAILABLE`.
pub fn put<S: Sql>(
    access: &Access<'_, S>,
    caller: &Caller,
    target: &Target,
    body: &[u8],
) -> Result<Answer, Problem> {
    let request: HealthCheckRequest = body::read(
        body,
        "{\"path\": \"/health\", \"expect\": 200}, and if possible \"proof\": {\"header\": {\"name\": \"x-version\", \"value\": \
         \"{tag}\"}} or {\"body\": \"a text\"}",
    )?;
    check_path(&request.path).map_err(|reason| Problem::new(Code::BodyInvalid, reason, PATH_FIX))?;
    if !(100..600).contains(&request.expect) {
        return Err(Problem::new(
            Code::BodyInvalid,
            format!("\"expect\" is {}, which is not an HTTP status.", request.expect),
            "Write the status of a healthy response, such as 200.",
        ));
    }
    if let Some(proof) = &request.proof {
        proof.check().map_err(|invalid| {
            Problem::new(
                Code::BodyInvalid,
                format!("The health check cannot be stored: {invalid}."),
                "Write a text that only the new version answers, with {tag} or {message} for the deployment's.",
            )
        })?;
    }
    set(access, caller, target, Some(request))
}

/// `DELETE …/health-check`: removes the health check.
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
    health_check: Option<HealthCheckRequest>,
) -> Result<Answer, Problem> {
    let request = Request::worker(Action::Deploy, target.clone());
    let allowed = access.authorize(caller, &request, audit::Action::SettingsChange)?;
    if target.is_in_account() && target.worker.as_str() != DISPATCH_WORKER {
        return Err(Problem::new(
            Code::AccountWorkerRefused,
            format!(
                "{target} cannot have a health check: no request reaches it through the dispatch Worker."
            ),
            format!(
                "Of the Workers of the platform, only {DISPATCH_WORKER} can have one, with the path of its health document, \
                 \"/.well-known/dispatcher\"."
            ),
        ));
    }
    let entry = access
        .entry(audit::Action::SettingsChange, Outcome::Succeeded)
        .about(target)
        .by(caller)
        .under(Some(&allowed.rule), allowed.policy_version);
    let sql = access.sql;
    if let Some(lock) = locks::holding(sql, Place::worker(target), access.now)? {
        return Err(access.refuse(entry, locks::locked(target, &lock)));
    }
    sql.transaction(|| {
        access.record(&entry)?;
        workers::set_health_check(sql, target, health_check.as_ref()).map_err(Problem::from)
    })?;
    Answer::json(200, &Shown { health_check })
}

/// The fix for an invalid path.
pub(crate) const PATH_FIX: &str =
    "Write a path such as \"/health\": printable ASCII that begins with one slash.";

/// Checks that a path cannot address another host.
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
    Err("The path of the health check cannot be requested.".to_owned())
}
