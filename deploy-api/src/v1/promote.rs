//! `…/workers/{worker}/promote`: the same bytes to another namespace.

use super::Answer;
use crate::code::Code;
use crate::engine::{Engine, Outside};
use crate::identity::Caller;
use crate::problem::Problem;
use crate::sql::Sql;
use crate::target::Target;

/// `POST …/promote`, `{"to": "dotdo-staging"}`: ships what serves here, or the body's `deployment`, to the Worker of the
/// same name in another namespace. Needs `promote` there and `read` here. The answer is the new deployment.
///
/// # Errors
/// Those of [`rollback`](super::rollback::rollback), and `SECRETS_MISSING`.
pub async fn promote<S: Sql, O: Outside>(
    engine: &Engine<'_, S, O>,
    caller: &Caller,
    target: &Target,
    body: &[u8],
) -> Result<Answer, Problem> {
    let _ = (engine, caller, target, body);
    Err(Problem::new(Code::Internal, "This call is not served yet.", ""))
}
