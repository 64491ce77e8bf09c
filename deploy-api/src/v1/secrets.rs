//! `…/workers/{worker}/secrets`: their names, never their values.

use super::Answer;
use crate::code::Code;
use crate::engine::{Engine, Outside};
use crate::identity::Caller;
use crate::problem::Problem;
use crate::sql::Sql;
use crate::target::Target;

/// `GET …/secrets`: the names and types.
///
/// # Errors
/// `PERMISSION_DENIED`, `WORKER_UNKNOWN`, `UPSTREAM_…`, `RECORD_UNAVAILABLE`.
pub async fn list<S: Sql, O: Outside>(
    engine: &Engine<'_, S, O>,
    caller: &Caller,
    target: &Target,
) -> Result<Answer, Problem> {
    let _ = (engine, caller, target);
    Err(Problem::new(Code::Internal, "This call is not served yet.", ""))
}

/// `PUT …/secrets/{name}`, `{"text": "…"}`: sets one. The value goes upstream and nowhere else.
///
/// # Errors
/// `PERMISSION_DENIED`, `BODY_INVALID`, `BODY_TOO_LARGE`, `WORKER_LOCKED`, `WORKER_UNKNOWN`, `DEPLOYMENT_UNSETTLED`,
/// `UPSTREAM_…`, `RECORD_UNAVAILABLE`.
pub async fn put<S: Sql, O: Outside>(
    engine: &Engine<'_, S, O>,
    caller: &Caller,
    target: &Target,
    name: &str,
    body: &[u8],
) -> Result<Answer, Problem> {
    let _ = (engine, caller, target, name, body);
    Err(Problem::new(Code::Internal, "This call is not served yet.", ""))
}

/// `DELETE …/secrets/{name}`: removes one.
///
/// # Errors
/// `PERMISSION_DENIED`, `WORKER_LOCKED`, `WORKER_UNKNOWN`, `DEPLOYMENT_UNSETTLED`, `UPSTREAM_…`, `RECORD_UNAVAILABLE`.
pub async fn delete<S: Sql, O: Outside>(
    engine: &Engine<'_, S, O>,
    caller: &Caller,
    target: &Target,
    name: &str,
) -> Result<Answer, Problem> {
    let _ = (engine, caller, target, name);
    Err(Problem::new(Code::Internal, "This call is not served yet.", ""))
}
