//! `…/lock`: stops changes to a Worker or to a whole namespace.

use super::Answer;
use crate::code::Code;
use crate::engine::{Engine, Outside};
use crate::identity::Caller;
use crate::problem::Problem;
use crate::sql::Sql;
use crate::target::Target;
use dotdo_names::Environment;

/// `GET …/workers/{worker}/lock`: the lock that holds for the Worker, its own or its namespace's; `{"lock": null}` for
/// none.
///
/// # Errors
/// `PERMISSION_DENIED`, `RECORD_UNAVAILABLE`.
pub async fn get_worker<S: Sql, O: Outside>(
    engine: &Engine<'_, S, O>,
    caller: &Caller,
    target: &Target,
) -> Result<Answer, Problem> {
    let _ = (engine, caller, target);
    Err(Problem::new(Code::Internal, "This call is not served yet.", ""))
}

/// `PUT …/workers/{worker}/lock`, `{"why": "…", "until": "2026-11-25T08:00:00Z"}`: locks it; `until` may be left out.
///
/// # Errors
/// `PERMISSION_DENIED`, `BODY_INVALID`, `RECORD_UNAVAILABLE`.
pub async fn lock_worker<S: Sql, O: Outside>(
    engine: &Engine<'_, S, O>,
    caller: &Caller,
    target: &Target,
    body: &[u8],
) -> Result<Answer, Problem> {
    let _ = (engine, caller, target, body);
    Err(Problem::new(Code::Internal, "This call is not served yet.", ""))
}

/// `DELETE …/workers/{worker}/lock`: unlocks it. A Worker that is not locked stays so.
///
/// # Errors
/// `PERMISSION_DENIED`, `RECORD_UNAVAILABLE`.
pub async fn unlock_worker<S: Sql, O: Outside>(
    engine: &Engine<'_, S, O>,
    caller: &Caller,
    target: &Target,
) -> Result<Answer, Problem> {
    let _ = (engine, caller, target);
    Err(Problem::new(Code::Internal, "This call is not served yet.", ""))
}

/// `GET /v1/namespaces/{namespace}/lock`
///
/// # Errors
/// `PERMISSION_DENIED`, `RECORD_UNAVAILABLE`.
pub async fn get_namespace<S: Sql, O: Outside>(
    engine: &Engine<'_, S, O>,
    caller: &Caller,
    environment: Environment,
) -> Result<Answer, Problem> {
    let _ = (engine, caller, environment);
    Err(Problem::new(Code::Internal, "This call is not served yet.", ""))
}

/// `PUT /v1/namespaces/{namespace}/lock`: locks every Worker of the namespace, those that do not exist yet too.
///
/// # Errors
/// `PERMISSION_DENIED`, `BODY_INVALID`, `RECORD_UNAVAILABLE`.
pub async fn lock_namespace<S: Sql, O: Outside>(
    engine: &Engine<'_, S, O>,
    caller: &Caller,
    environment: Environment,
    body: &[u8],
) -> Result<Answer, Problem> {
    let _ = (engine, caller, environment, body);
    Err(Problem::new(Code::Internal, "This call is not served yet.", ""))
}

/// `DELETE /v1/namespaces/{namespace}/lock`
///
/// # Errors
/// `PERMISSION_DENIED`, `RECORD_UNAVAILABLE`.
pub async fn unlock_namespace<S: Sql, O: Outside>(
    engine: &Engine<'_, S, O>,
    caller: &Caller,
    environment: Environment,
) -> Result<Answer, Problem> {
    let _ = (engine, caller, environment);
    Err(Problem::new(Code::Internal, "This call is not served yet.", ""))
}
