//! `/v1/namespaces`: the dispatch namespaces and how much is in them.

use super::Answer;
use crate::code::Code;
use crate::engine::{Engine, Outside};
use crate::identity::Caller;
use crate::problem::Problem;
use crate::sql::Sql;
use dotdo_names::Environment;

/// `GET /v1/namespaces`: the namespaces that the caller may read something in, with their ids and script counts.
///
/// # Errors
/// `UPSTREAM_…` when the upstream does not answer; `RECORD_UNAVAILABLE`.
pub async fn list<S: Sql, O: Outside>(engine: &Engine<'_, S, O>, caller: &Caller) -> Result<Answer, Problem> {
    let _ = (engine, caller);
    Err(Problem::new(Code::Internal, "This call is not served yet.", ""))
}

/// `GET /v1/namespaces/{namespace}`: one of them.
///
/// # Errors
/// `PERMISSION_DENIED` unless the caller may read something in it; `UPSTREAM_…`, `RECORD_UNAVAILABLE`.
pub async fn get<S: Sql, O: Outside>(
    engine: &Engine<'_, S, O>,
    caller: &Caller,
    environment: Environment,
) -> Result<Answer, Problem> {
    let _ = (engine, caller, environment);
    Err(Problem::new(Code::Internal, "This call is not served yet.", ""))
}
