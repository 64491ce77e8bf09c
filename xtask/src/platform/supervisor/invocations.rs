use std::{
    collections::{HashMap, VecDeque},
    fmt, fs,
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use anyhow::Result;
use serde::{Deserialize, Serialize};

use crate::platform::{State, write_private};

/// The file in the state folder with the hangs of each version.
const FILE: &str = "hangs.json";

/// A version that was running at this many hangs is not run any more.
const HANGS: u32 = 2;

/// How many versions the file has, at most. The oldest are removed.
const MAX_VERSIONS: usize = 1000;

/// How many running invocations are recorded, at most.
const MAX_RUNNING: usize = 100_000;

/// How long an invocation that has ended is kept: its response can still be read, and its `waitUntil` can still run. On a loaded machine
/// it takes this long to find a hang.
const RECENT: Duration = Duration::from_secs(30);

/// Code of a user Worker, as the Worker `local` reports it: `local/src/invocations.ts`.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
pub struct Invocation {
    pub kind: Kind,
    pub namespace: String,
    pub script: String,
    /// The id of the version, or for a start check the digest of the uploaded modules.
    pub version: String,
}

/// What runs.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    Request,
    Object,
    Alarm,
    Scheduled,
    Queue,
    Tail,
    StartCheck,
}

impl fmt::Display for Invocation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            kind,
            namespace,
            script,
            version,
        } = self;
        match kind {
            Kind::Request => write!(formatter, "{namespace}/{script}, version {version}, in a request"),
            Kind::Object => write!(
                formatter,
                "{namespace}/{script}, version {version}, in a Durable Object"
            ),
            Kind::Alarm => write!(formatter, "{namespace}/{script}, version {version}, in an alarm"),
            Kind::Scheduled => write!(formatter, "{namespace}/{script}, version {version}, in a cron"),
            Kind::Queue => write!(
                formatter,
                "{namespace}/{script}, version {version}, in a queue consumer"
            ),
            Kind::Tail => write!(
                formatter,
                "{namespace}/{script}, version {version}, in a tail consumer"
            ),
            Kind::StartCheck => write!(formatter, "{namespace}/{script}, at the start of an upload"),
        }
    }
}

/// The invocations that run in the runtime now, and the versions that were running when it hung. Clones share them.
#[derive(Clone, Debug)]
pub struct Invocations(Arc<Mutex<Records>>);

#[derive(Debug)]
struct Records {
    /// The runtime that reports. Another one has ended its invocations.
    runtime: String,
    running: HashMap<u64, Invocation>,
    ended: VecDeque<(Instant, Invocation)>,
    hung: Vec<Hung>,
    file: PathBuf,
}

/// A version that was running at a hang.
#[derive(Clone, Debug, Deserialize, Serialize)]
struct Hung {
    version: String,
    hangs: u32,
}

/// What was running when the runtime hung.
#[derive(Debug, Default)]
pub struct Suspects {
    /// The invocations that had not ended, one for each version.
    pub running: Vec<Invocation>,
    /// If there are none: those that ended shortly before.
    pub recent: Vec<Invocation>,
    /// The versions among both that are not run any more.
    pub blocked: Vec<Invocation>,
}

impl Invocations {
    /// No invocations, and the hangs that the state folder has.
    pub fn load(state: &State) -> Self {
        let file = state.path(FILE);
        // Without the file, a version that hangs gets two more chances.
        let hung = fs::read_to_string(&file)
            .ok()
            .and_then(|text| serde_json::from_str(&text).ok())
            .unwrap_or_default();
        Self(Arc::new(Mutex::new(Records {
            runtime: String::new(),
            running: HashMap::new(),
            ended: VecDeque::new(),
            hung,
            file,
        })))
    }

    /// Records the start of an invocation. Returns whether it may run.
    pub fn start(&self, runtime: &str, id: u64, invocation: Invocation) -> bool {
        let mut records = self.lock();
        if records.hangs(&invocation.version) >= HANGS {
            return false;
        }
        records.enter(runtime);
        if records.running.len() < MAX_RUNNING {
            records.running.insert(id, invocation);
        }
        true
    }

    /// Records the end of an invocation.
    pub fn end(&self, runtime: &str, id: u64) {
        let mut records = self.lock();
        records.enter(runtime);
        if let Some(invocation) = records.running.remove(&id) {
            let now = Instant::now();
            records
                .ended
                .retain(|(ended, kept)| *kept != invocation && now.duration_since(*ended) < RECENT);
            records.ended.push_back((now, invocation));
        }
    }

    /// Forgets what was running, because the runtime has ended.
    pub fn clear(&self) {
        let mut records = self.lock();
        records.running.clear();
        records.ended.clear();
    }

    /// Counts a hang for the versions that may have caused it, stores the counts, and forgets what was running.
    ///
    /// # Errors
    /// When the counts cannot be stored.
    pub fn record_hang(&self) -> Result<Suspects> {
        let mut records = self.lock();
        let running = distinct(records.running.drain().map(|(_, invocation)| invocation));
        let now = Instant::now();
        let recent: Vec<_> = records
            .ended
            .drain(..)
            .filter(|(ended, _)| now.duration_since(*ended) < RECENT)
            .map(|(_, invocation)| invocation)
            .collect();
        let mut suspects = Suspects {
            recent: if running.is_empty() {
                distinct(recent.into_iter())
            } else {
                Vec::new()
            },
            running,
            blocked: Vec::new(),
        };
        // Several that have ended are too little evidence against each of them.
        let counted = match (suspects.running.as_slice(), suspects.recent.as_slice()) {
            ([], [only]) => std::slice::from_ref(only),
            (running, _) => running,
        };
        for invocation in counted {
            // The same upload hangs again. Without another suspect, no second attempt is needed to know it.
            let is_certain = invocation.kind == Kind::StartCheck && counted.len() == 1;
            records.count(&invocation.version, if is_certain { HANGS } else { 1 });
        }
        suspects.blocked = counted
            .iter()
            .filter(|invocation| records.hangs(&invocation.version) >= HANGS)
            .cloned()
            .collect();
        records.store()?;
        Ok(suspects)
    }

    fn lock(&self) -> MutexGuard<'_, Records> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Records {
    fn enter(&mut self, runtime: &str) {
        if self.runtime != runtime {
            runtime.clone_into(&mut self.runtime);
            self.running.clear();
            self.ended.clear();
        }
    }

    fn hangs(&self, version: &str) -> u32 {
        self.hung
            .iter()
            .find(|hung| hung.version == version)
            .map_or(0, |hung| hung.hangs)
    }

    fn count(&mut self, version: &str, hangs: u32) {
        let hangs = self.hangs(version).saturating_add(hangs);
        self.hung.retain(|hung| hung.version != version);
        self.hung.push(Hung {
            version: version.to_owned(),
            hangs,
        });
        let surplus = self.hung.len().saturating_sub(MAX_VERSIONS);
        self.hung.drain(..surplus);
    }

    fn store(&self) -> Result<()> {
        write_private(&self.file, &serde_json::to_string(&self.hung)?)
    }
}

/// One invocation of each version.
fn distinct(invocations: impl Iterator<Item = Invocation>) -> Vec<Invocation> {
    let mut distinct: Vec<Invocation> = Vec::new();
    for invocation in invocations {
        if distinct.iter().all(|kept| kept.version != invocation.version) {
            distinct.push(invocation);
        }
    }
    distinct.sort_by(|left, right| (&left.namespace, &left.script).cmp(&(&right.namespace, &right.script)));
    distinct
}

#[cfg(test)]
mod tests {
    use tempfile::TempDir;

    use super::*;

    fn invocation(kind: Kind, version: &str) -> Invocation {
        Invocation {
            kind,
            namespace: "dotdo-production".to_owned(),
            script: "hello".to_owned(),
            version: version.to_owned(),
        }
    }

    fn request(version: &str) -> Invocation {
        invocation(Kind::Request, version)
    }

    fn versions(invocations: &[Invocation]) -> Vec<&str> {
        invocations
            .iter()
            .map(|invocation| invocation.version.as_str())
            .collect()
    }

    #[test]
    fn a_version_that_was_running_at_two_hangs_is_not_permitted_also_after_a_restart() {
        let folder = TempDir::new().unwrap();
        let state = State::at(folder.path()).unwrap();
        let invocations = Invocations::load(&state);
        for (runtime, blocked) in [("a", &[][..]), ("b", &["hangs"][..])] {
            assert!(invocations.start(runtime, 1, request("hangs")));
            assert!(invocations.start(runtime, 2, request("ends")));
            invocations.end(runtime, 2);
            let suspects = invocations.record_hang().unwrap();
            assert_eq!(versions(&suspects.running), ["hangs"]);
            assert_eq!(versions(&suspects.blocked), blocked);
        }
        let restarted = Invocations::load(&state);
        assert!(!restarted.start("c", 1, request("hangs")));
        assert!(restarted.start("c", 2, request("ends")));
        assert!(restarted.start("c", 3, request("the next deploy")));
    }

    #[test]
    fn every_running_version_is_counted() {
        let folder = TempDir::new().unwrap();
        let invocations = Invocations::load(&State::at(folder.path()).unwrap());
        for _ in 0..2 {
            invocations.start("a", 1, request("one"));
            invocations.start("a", 2, request("one"));
            invocations.start("a", 3, request("two"));
            assert_eq!(invocations.record_hang().unwrap().running.len(), 2);
        }
        assert!(!invocations.start("a", 1, request("one")));
        assert!(!invocations.start("a", 2, request("two")));
    }

    #[test]
    fn an_upload_that_hangs_alone_is_refused_at_once_and_otherwise_at_the_second_hang() {
        let folder = TempDir::new().unwrap();
        let invocations = Invocations::load(&State::at(folder.path()).unwrap());
        let upload = |digest| invocation(Kind::StartCheck, digest);
        invocations.start("a", 1, upload("alone"));
        invocations.record_hang().unwrap();
        assert!(!invocations.start("a", 1, upload("alone")));
        invocations.start("a", 1, upload("beside"));
        invocations.start("a", 2, request("other"));
        invocations.record_hang().unwrap();
        assert!(invocations.start("a", 1, upload("beside")));
        invocations.record_hang().unwrap();
        assert!(!invocations.start("a", 1, upload("beside")));
    }

    #[test]
    fn the_only_version_that_has_just_ended_is_counted_if_none_runs() {
        let folder = TempDir::new().unwrap();
        let invocations = Invocations::load(&State::at(folder.path()).unwrap());
        for version in ["one", "two"] {
            invocations.start("a", 1, request(version));
            invocations.end("a", 1);
        }
        let suspects = invocations.record_hang().unwrap();
        assert_eq!((suspects.running.len(), suspects.recent.len()), (0, 2));
        for _ in 0..2 {
            invocations.start("a", 1, request("one"));
            invocations.end("a", 1);
            invocations.record_hang().unwrap();
        }
        assert!(!invocations.start("a", 1, request("one")));
        assert!(invocations.start("a", 2, request("two")));
    }

    #[test]
    fn the_invocations_of_a_runtime_that_was_replaced_have_ended() {
        let folder = TempDir::new().unwrap();
        let invocations = Invocations::load(&State::at(folder.path()).unwrap());
        invocations.start("a", 1, request("one"));
        invocations.start("b", 1, request("two"));
        assert_eq!(versions(&invocations.record_hang().unwrap().running), ["two"]);
    }
}
