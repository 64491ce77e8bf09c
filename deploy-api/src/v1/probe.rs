//! `…/workers/{worker}/probe`: a request that every deployment of the Worker must answer, or is rolled back.

use super::Answer;
use crate::code::Code;
use crate::engine::{Engine, Outside};
use crate::identity::Caller;
use crate::problem::Problem;
use crate::sql::Sql;
use crate::target::Target;

/// `GET …/probe`: the Worker's probe; `{"probe": null}` for none.
///
/// # Errors
/// `PERMISSION_DENIED`, `RECORD_UNAVAILABLE`.
pub async fn get<S: Sql, O: Outside>(
    engine: &Engine<'_, S, O>,
    caller: &Caller,
    target: &Target,
) -> Result<Answer, Problem> {
    let _ = (engine, caller, target);
    Err(Problem::new(Code::Internal, "This call is not served yet.", ""))
}

/// `PUT …/probe`, `{"path": "/health", "expect": 200}`: from now on each deployment is probed after it went up, and
/// rolled back when the answer has another status. Needs the action `deploy`.
///
/// # Errors
/// `PERMISSION_DENIED`, `BODY_INVALID`, `WORKER_LOCKED`, `RECORD_UNAVAILABLE`.
pub async fn put<S: Sql, O: Outside>(
    engine: &Engine<'_, S, O>,
    caller: &Caller,
    target: &Target,
    body: &[u8],
) -> Result<Answer, Problem> {
    let _ = (engine, caller, target, body);
    Err(Problem::new(Code::Internal, "This call is not served yet.", ""))
}

/// `DELETE …/probe`: deployments are no longer probed.
///
/// # Errors
/// `PERMISSION_DENIED`, `WORKER_LOCKED`, `RECORD_UNAVAILABLE`.
pub async fn delete<S: Sql, O: Outside>(
    engine: &Engine<'_, S, O>,
    caller: &Caller,
    target: &Target,
) -> Result<Answer, Problem> {
    let _ = (engine, caller, target);
    Err(Problem::new(Code::Internal, "This call is not served yet.", ""))
}
