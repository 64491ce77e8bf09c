//! `…/workers/{worker}/rollback`: an earlier deployment's very bytes again.

use super::Answer;
use crate::code::Code;
use crate::engine::{Engine, Outside};
use crate::identity::Caller;
use crate::problem::Problem;
use crate::sql::Sql;
use crate::target::Target;

/// `POST …/rollback`: ships the deployment before the one that serves, or the one of the body's `deployment`, again.
/// The body is `{"deployment": "…"}`, `{}` or empty. The answer is the new deployment.
///
/// # Errors
/// `PERMISSION_DENIED`, `BODY_INVALID`, `WORKER_LOCKED`, `DEPLOYMENT_UNKNOWN`, `ROLLBACK_IMPOSSIBLE`, `BUNDLE_MISSING`,
/// `MIGRATION_UNKNOWN`, `PROBE_FAILED`, `DEPLOYMENT_UNSETTLED`, `UPSTREAM_…`, `BUNDLE_STORE_UNAVAILABLE`,
/// `RECORD_UNAVAILABLE`.
pub async fn rollback<S: Sql, O: Outside>(
    engine: &Engine<'_, S, O>,
    caller: &Caller,
    target: &Target,
    body: &[u8],
) -> Result<Answer, Problem> {
    let _ = (engine, caller, target, body);
    Err(Problem::new(Code::Internal, "This call is not served yet.", ""))
}
