//! `/v1/namespaces/{namespace}/workers`: what a namespace really holds, beside what is on record.

use super::Answer;
use crate::code::Code;
use crate::engine::{Engine, Outside};
use crate::identity::Caller;
use crate::problem::Problem;
use crate::sql::Sql;
use crate::target::Target;
use dotdo_names::Environment;

/// `GET …/workers`: the Workers of a namespace that the caller may read, by name. Parameters: `limit`, `cursor`, `tag`.
///
/// # Errors
/// `PERMISSION_DENIED` unless the caller may read something in it; `PARAMETER_INVALID`, `UPSTREAM_…`,
/// `RECORD_UNAVAILABLE`.
pub async fn list<S: Sql, O: Outside>(
    engine: &Engine<'_, S, O>,
    caller: &Caller,
    environment: Environment,
    parameters: &[(&str, &str)],
) -> Result<Answer, Problem> {
    let _ = (engine, caller, environment, parameters);
    Err(Problem::new(Code::Internal, "This call is not served yet.", ""))
}

/// `GET …/workers/{worker}`: one Worker, its deployment on record, its lock and its probe.
///
/// # Errors
/// `PERMISSION_DENIED`, `WORKER_UNKNOWN`, `UPSTREAM_…`, `RECORD_UNAVAILABLE`.
pub async fn get<S: Sql, O: Outside>(
    engine: &Engine<'_, S, O>,
    caller: &Caller,
    target: &Target,
) -> Result<Answer, Problem> {
    let _ = (engine, caller, target);
    Err(Problem::new(Code::Internal, "This call is not served yet.", ""))
}

/// `DELETE …/workers/{worker}`: removes the Worker from its namespace. Its deployments and bundles stay.
///
/// # Errors
/// `PERMISSION_DENIED`, `WORKER_LOCKED`, `WORKER_UNKNOWN`, `DEPLOYMENT_UNSETTLED`, `UPSTREAM_…`, `RECORD_UNAVAILABLE`.
pub async fn delete<S: Sql, O: Outside>(
    engine: &Engine<'_, S, O>,
    caller: &Caller,
    target: &Target,
) -> Result<Answer, Problem> {
    let _ = (engine, caller, target);
    Err(Problem::new(Code::Internal, "This call is not served yet.", ""))
}
