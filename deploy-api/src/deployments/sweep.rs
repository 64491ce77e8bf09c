use dotdo_names::{Environment, WorkerName};

use super::owed_probe::{self, Owed};
use super::settle::settle_one;
use crate::audit::Link;
use crate::engine::{Engine, Outside};
use crate::problem::Problem;
use crate::sql::{Sql, SqlError};
use crate::store::{audit_log, owed_probes};
use crate::target::Target;

/// What a sweep found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Swept {
    /// How many intents were closed, and owed probes made.
    pub closed: usize,
    /// How many are still open: those of changes that are under way, or may be, and probes that cannot be made. Sweep
    /// again in a minute while there are any.
    pub open: usize,
}

/// Closes intents that no outcome has closed, because the process ended or an answer was lost: asks the upstream what
/// is really there. Then makes the probes of what went up and was not probed. To be run when the process starts and, while intents are open, every minute; who asks is nobody
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
    for target in owed_probes::targets(engine.access.sql)? {
        let line = engine.lines.wait(&target).await;
        if owed_probes::of_worker(engine.access.sql, &target)?.is_none() {
            continue;
        }
        // While an intent is open, it is not known whether what is to be probed serves at all.
        let unsettled = !audit_log::open_changes_of(engine.access.sql, &target)?.is_empty();
        if unsettled || matches!(owed_probe::make(engine, &target, &line).await?, Owed::Still) {
            swept.open += 1;
        } else {
            swept.closed += 1;
        }
    }
    Ok(swept)
}

/// Whether a sweep would find anything to do.
///
/// # Errors
/// When the database fails.
pub fn is_due(sql: &impl Sql) -> Result<bool, SqlError> {
    Ok(!audit_log::open_intents(sql)?.is_empty() || !owed_probes::targets(sql)?.is_empty())
}

fn target_of(link: &Link) -> Option<Target> {
    let text = |name: &str| link.entry.get(name)?.as_str();
    Some(Target {
        environment: Environment::from_namespace(text("namespace")?)?,
        worker: WorkerName::parse(text("worker")?).ok()?,
    })
}
