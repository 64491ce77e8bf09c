//! What the supervisors of platforms have said, which a test that fails prints: a restart can be the cause.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

/// The state folders of the platforms that this program has started.
static STATES: Mutex<Vec<PathBuf>> = Mutex::new(Vec::new());

/// Includes the platform of this state folder from now on.
pub(crate) fn watch(state: &Path) {
    let mut states = STATES.lock().unwrap_or_else(PoisonError::into_inner);
    // A platform that is started again has the same folder.
    if !states.iter().any(|known| known == state) {
        states.push(state.to_owned());
    }
}

/// Prints the lines of the supervisors: each restart, its reason, and the Workers that were running.
pub(crate) fn print() {
    let states = STATES.lock().unwrap_or_else(PoisonError::into_inner);
    for state in states.iter() {
        // The folder of a platform that has ended is deleted.
        let log = fs::read(state.join("wrangler.log")).unwrap_or_default();
        let log = String::from_utf8_lossy(&log);
        for line in log.lines().filter(|line| line.starts_with("[dev]")) {
            eprintln!("{}: {line}", state.display());
        }
    }
}
