//! `…/workers/{worker}/tags`: tags that Workers are found by. The tag that names the deployment is not among them.

use super::Answer;
use crate::code::Code;
use crate::engine::{Engine, Outside};
use crate::identity::Caller;
use crate::problem::Problem;
use crate::sql::Sql;
use crate::target::Target;

/// `GET …/tags`: the tags.
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

/// `PUT …/tags`, `["a", "b"]`: replaces all of them, at most seven. Needs the action `deploy`.
///
/// # Errors
/// `PERMISSION_DENIED`, `BODY_INVALID`, `WORKER_LOCKED`, `WORKER_UNKNOWN`, `DEPLOYMENT_UNSETTLED`, `UPSTREAM_…`,
/// `RECORD_UNAVAILABLE`.
pub async fn put<S: Sql, O: Outside>(
    engine: &Engine<'_, S, O>,
    caller: &Caller,
    target: &Target,
    body: &[u8],
) -> Result<Answer, Problem> {
    let _ = (engine, caller, target, body);
    Err(Problem::new(Code::Internal, "This call is not served yet.", ""))
}
