//! `…/workers/{worker}/deployments`: what was shipped, by whom, from which commit, and how it ended.

use super::Answer;
use crate::code::Code;
use crate::engine::{Engine, Outside};
use crate::identity::Caller;
use crate::problem::Problem;
use crate::sql::Sql;
use crate::target::Target;

/// `GET …/deployments`: the newest first. Parameters: `limit`, `cursor`.
///
/// # Errors
/// `PERMISSION_DENIED`, `PARAMETER_INVALID`, `RECORD_UNAVAILABLE` (never an empty list in place of a failure).
pub async fn list<S: Sql, O: Outside>(
    engine: &Engine<'_, S, O>,
    caller: &Caller,
    target: &Target,
    parameters: &[(&str, &str)],
) -> Result<Answer, Problem> {
    let _ = (engine, caller, target, parameters);
    Err(Problem::new(Code::Internal, "This call is not served yet.", ""))
}

/// `GET …/deployments/{id}`: one of them.
///
/// # Errors
/// `PERMISSION_DENIED`, `DEPLOYMENT_UNKNOWN`, `RECORD_UNAVAILABLE`.
pub async fn get<S: Sql, O: Outside>(
    engine: &Engine<'_, S, O>,
    caller: &Caller,
    target: &Target,
    id: &str,
) -> Result<Answer, Problem> {
    let _ = (engine, caller, target, id);
    Err(Problem::new(Code::Internal, "This call is not served yet.", ""))
}
