use std::{
    fs, thread,
    time::{Duration, Instant},
};

use anyhow::{Result, bail};
use nix::{
    errno::Errno,
    sys::signal::{self, Signal},
    unistd::Pid,
};
use serde::{Deserialize, Serialize};

use super::State;

/// Who runs a platform on a state folder.
#[derive(Deserialize, Serialize)]
pub struct Running {
    /// The process that watches over it.
    pub watcher: i32,
    /// The process group of wrangler and the runtime.
    pub group: i32,
}

const FILE: &str = "running.json";
/// How long a killed process may take to be gone, on a very busy machine.
const LAST_BREATH: Duration = Duration::from_secs(10);

impl Running {
    /// Who is noted; none where nobody is, or where the note cannot be read.
    fn of(state: &State) -> Option<Self> {
        let text = fs::read_to_string(state.path(FILE)).ok()?;
        serde_json::from_str(&text).ok()
    }

    /// Notes who runs it, so that the next start can tell a live platform from the remains of a dead one.
    pub fn note(&self, state: &State) -> Result<()> {
        state.write_private(FILE, &serde_json::to_string(self)?)?;
        Ok(())
    }
}

/// Forgets who ran it.
pub fn forget(state: &State) {
    // A note that stays behind names dead processes, which the next start finds out.
    let _ = fs::remove_file(state.path(FILE));
}

/// Ends what a killed `npm run dev` left behind: two runtimes on one state folder would overwrite each other.
///
/// # Errors
/// When a platform is running on the state folder and is still being watched over.
pub fn end(state: &State) -> Result<()> {
    if let Some(running) = Running::of(state) {
        if is_ours(running.watcher) {
            bail!(
                "process {} runs a platform on this state folder already: stop it, or choose another folder with --state",
                running.watcher
            );
        }
        kill_group(running.group);
        wait_for_end(running.group);
    }
    forget(state);
    Ok(())
}

/// Ends a platform of this very program at once, whatever it is doing.
pub fn abandon(state: &State) {
    if let Some(running) = Running::of(state) {
        kill_group(running.group);
    }
    forget(state);
}

/// Whether a process is alive and one of this program: process numbers are used again.
fn is_ours(process: i32) -> bool {
    if signal::kill(Pid::from_raw(process), None) == Err(Errno::ESRCH) {
        return false;
    }
    let program = |process: &str| fs::read_link(format!("/proc/{process}/exe")).ok();
    match (program(&process.to_string()), program("self")) {
        (Some(other), Some(own)) => other.file_name() == own.file_name(),
        // Dead but not yet buried, or somebody else's.
        (None, Some(_)) => false,
        // Without /proc, alive is all that can be told.
        (_, None) => true,
    }
}

/// Ends every process of a group at once.
pub fn kill_group(group: i32) {
    // It may be gone already, which is what is wanted.
    let _ = signal::killpg(Pid::from_raw(group), Signal::SIGKILL);
}

/// Waits until no process of a killed group is left: until then they hold the port and the files.
pub fn wait_for_end(group: i32) {
    let begin = Instant::now();
    while signal::killpg(Pid::from_raw(group), None).is_ok() && begin.elapsed() < LAST_BREATH {
        thread::sleep(Duration::from_millis(10));
    }
}
