use std::{
    io::{self, Read},
    sync::{Arc, Condvar, Mutex, PoisonError},
    thread,
    time::Duration,
};

use anyhow::{Context, Result};
use signal_hook::{
    consts::{SIGHUP, SIGINT, SIGTERM},
    iterator::Signals,
};

use super::ProcessGroup;

/// The exit code of a program that a signal ends.
const INTERRUPTED: i32 = 130;

/// A request to stop the platform, which comes from a signal or from the end of standard input. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct Stop(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    requested: Mutex<bool>,
    changed: Condvar,
}

impl Stop {
    /// Requests the stop.
    pub fn request(&self) {
        *self.0.requested.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.0.changed.notify_all();
    }

    /// Waits for a request, but not longer than `limit`, and returns whether there is one.
    pub fn wait(&self, limit: Duration) -> bool {
        let requested = self.0.requested.lock().unwrap_or_else(PoisonError::into_inner);
        let (requested, _) = self
            .0
            .changed
            .wait_timeout_while(requested, limit, |requested| !*requested)
            .unwrap_or_else(PoisonError::into_inner);
        *requested
    }

    /// Requests the stop at the first SIGINT, SIGTERM or SIGHUP. A second signal kills the process group and ends this
    /// program at once.
    ///
    /// # Errors
    /// When the handlers cannot be installed.
    pub fn on_signals(&self, group: ProcessGroup) -> Result<()> {
        let mut signals = Signals::new([SIGINT, SIGTERM, SIGHUP]).context("cannot listen for signals")?;
        let stop = self.clone();
        thread::spawn(move || {
            for _ in signals.forever() {
                if stop.wait(Duration::ZERO) {
                    group.kill();
                    std::process::exit(INTERRUPTED);
                }
                stop.request();
            }
        });
        Ok(())
    }

    /// Requests the stop when standard input ends.
    pub fn on_stdin_end(&self) {
        let stop = self.clone();
        thread::spawn(move || {
            // A failed read is an end, too.
            let _ = io::stdin().lock().read_to_end(&mut Vec::new());
            stop.request();
        });
    }
}
