//! `…/workers/{worker}/verify`: whether what is on record is there, and is reached.

use super::Answer;
use crate::code::Code;
use crate::engine::{Engine, Outside};
use crate::identity::Caller;
use crate::problem::Problem;
use crate::sql::Sql;
use crate::target::Target;

/// `POST …/verify`: whether the namespace lists the Worker, which deployment it holds, and whether a request through the
/// dispatch Worker reaches it. Parameters: `probe` (a path, `/` by default) and `expect` (a status; any answer of the
/// Worker itself by default). A Worker that is not reached is an answer too: `"verified": false`.
///
/// # Errors
/// `PERMISSION_DENIED`, `PARAMETER_INVALID`, `UPSTREAM_…`, `RECORD_UNAVAILABLE`.
pub async fn verify<S: Sql, O: Outside>(
    engine: &Engine<'_, S, O>,
    caller: &Caller,
    target: &Target,
    parameters: &[(&str, &str)],
) -> Result<Answer, Problem> {
    let _ = (engine, caller, target, parameters);
    Err(Problem::new(Code::Internal, "This call is not served yet.", ""))
}
