use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::{sync::watch, time::timeout};

/// Whether the runtime serves. The supervisor opens and closes it; connections wait at it. Clones share it.
#[derive(Clone, Debug)]
pub struct Gate(Arc<watch::Sender<State>>, Progress);

/// Counts what the connections receive from the runtime. A runtime that sends something is not hung.
#[derive(Clone, Debug, Default)]
pub struct Progress(Arc<AtomicU64>);

impl Progress {
    /// Counts bytes that were received.
    pub fn add(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    /// The count.
    pub fn count(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

#[derive(Clone, Debug)]
struct State {
    /// the runtime's port, while the runtime serves.
    port: Option<u16>,
    /// How many times the runtime was started.
    starts: u64,
    /// Why the last runtime was ended, for the clients whose requests it did not answer.
    reason: Arc<str>,
}

/// A runtime that serves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Runtime {
    /// the runtime's port on loopback.
    pub port: u16,
    /// The number of this start.
    pub start: u64,
}

/// The reason as long as none is known.
const UNKNOWN: &str = "The runtime of the local platform ended before it answered.";

/// How long a lost request waits for its reason: the connection is closed before the supervisor has seen the end of the runtime.
const REASON: Duration = Duration::from_secs(1);

impl Default for Gate {
    fn default() -> Self {
        let state = State {
            port: None,
            starts: 0,
            reason: UNKNOWN.into(),
        };
        Self(Arc::new(watch::Sender::new(state)), Progress::default())
    }
}

impl Gate {
    /// Lets connections through to the runtime's port.
    pub fn open(&self, port: u16) {
        self.0.send_modify(|state| {
            state.port = Some(port);
            state.starts += 1;
        });
    }

    /// Keeps connections waiting until the next runtime serves. `reason` is what the clients of lost requests read.
    pub fn close(&self, reason: &str) {
        self.0.send_modify(|state| {
            state.port = None;
            state.reason = reason.into();
        });
    }

    /// The same, unless they wait already.
    pub fn close_if_open(&self, reason: &str) {
        self.0.send_if_modified(|state| {
            let was_open = state.port.take().is_some();
            if was_open {
                state.reason = reason.into();
            }
            was_open
        });
    }

    /// Waits for a runtime that serves.
    pub async fn wait(&self) -> Option<Runtime> {
        let mut states = self.0.subscribe();
        let state = states.wait_for(|state| state.port.is_some()).await.ok()?;
        let (port, start) = (state.port?, state.starts);
        Some(Runtime { port, start })
    }

    /// What the connections received.
    pub fn progress(&self) -> Progress {
        self.1.clone()
    }

    /// Why a runtime ended.
    pub async fn reason(&self, ended: Runtime) -> Arc<str> {
        self.end_of(ended)
            .await
            .map_or_else(|| UNKNOWN.into(), |state| state.reason)
    }

    /// Whether a runtime that accepts no connections has ended, as the supervisor sees it.
    pub async fn has_ended(&self, runtime: Runtime) -> bool {
        self.end_of(runtime).await.is_some()
    }

    /// The state after the end of a runtime. `None` if the supervisor sees no end within [`REASON`].
    async fn end_of(&self, runtime: Runtime) -> Option<State> {
        let mut states = self.0.subscribe();
        let is_over = |state: &State| state.port.is_none() || state.starts != runtime.start;
        let state = timeout(REASON, states.wait_for(is_over)).await.ok()?.ok()?;
        Some(state.clone())
    }
}
