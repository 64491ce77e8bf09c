use dotdo_names::{Environment, WorkerName};

use super::settle::settle_one;
use crate::audit::Link;
use crate::engine::{Engine, Outside};
use crate::problem::Problem;
use crate::sql::Sql;
use crate::store::audit_log;
use crate::target::Target;

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
pub async fn sweep<S: Sql, O: Outside>(engine: &Engine<'_, S, O>) -> Result<Swept, Problem> {
    let mut swept = Swept::default();
    for link in audit_log::open_intents(engine.access.sql)? {
        let Some(target) = target_of(&link) else {
            swept.open += 1;
            continue;
        };
        // Whoever is at work on it holds the line; when this has its turn, the intent may be closed already.
        let _line = engine.lines.wait(&target).await;
        if !audit_log::is_open(engine.access.sql, link.sequence)? {
            continue;
        }
        if settle_one(engine, &target, &link).await? {
            swept.closed += 1;
        } else {
            swept.open += 1;
        }
    }
    Ok(swept)
}

fn target_of(link: &Link) -> Option<Target> {
    let text = |name: &str| link.entry.get(name)?.as_str();
    Some(Target {
        environment: Environment::from_namespace(text("namespace")?)?,
        worker: WorkerName::parse(text("worker")?).ok()?,
    })
}
