//! The processes of a platform: their process group, and what remains of a platform that was killed.

use std::{
    fs,
    sync::{
        Arc,
        atomic::{AtomicI32, Ordering::SeqCst},
    },
    time::Duration,
};

use nix::{
    sys::signal::{self, Signal},
    unistd::Pid,
};

use super::stop::poll;

/// How long killed processes may take to end on a very busy machine.
const END: Duration = Duration::from_secs(10);

/// The process group of wrangler and the runtime, once they run. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct ProcessGroup(Arc<AtomicI32>);

impl ProcessGroup {
    /// Stores the group's id, which is the process id of its first process.
    pub fn set(&self, id: i32) {
        self.0.store(id, SeqCst);
    }

    /// The group's id, while it runs.
    pub fn id(&self) -> Option<i32> {
        Some(self.0.load(SeqCst)).filter(|id| *id > 0)
    }

    /// Kills every process of the group.
    pub fn kill(&self) {
        if let Some(id) = self.id() {
            // An error means that the group has no process left.
            let _ = signal::killpg(Pid::from_raw(id), Signal::SIGKILL);
        }
    }

    /// Waits until the killed group has no process left: until then they hold the port and the files.
    pub fn wait_for_end(&self) {
        if let Some(id) = self.id() {
            poll(END, || !is_group(id));
            self.set(0);
        }
    }
}

/// Whether a process group has a process.
pub fn is_group(id: i32) -> bool {
    signal::killpg(Pid::from_raw(id), None).is_ok()
}

/// The environment variable that every process of a platform inherits from wrangler.
pub const MARK: &str = "DOTDO_PLATFORM";

/// Kills every process whose environment has [`MARK`] with this value, and returns whether none is left.
///
/// Process ids are reused, so an id or a group that was recorded earlier proves nothing about the process that has it
/// now. Its environment does.
pub fn kill_marked(value: &str) -> bool {
    let entry = format!("{MARK}={value}");
    let own = Pid::this().as_raw();
    // A process may start another one while it is being killed.
    poll(END, || {
        let marked: Vec<_> = process_ids()
            .filter(|id| *id != own && has_variable(*id, &entry))
            .collect();
        for id in &marked {
            let _ = signal::kill(Pid::from_raw(*id), Signal::SIGKILL);
        }
        marked.is_empty()
    })
}

/// Whether the system shows the environment of processes, as Linux does.
pub fn can_read_environments() -> bool {
    fs::read("/proc/self/environ").is_ok()
}

fn process_ids() -> impl Iterator<Item = i32> {
    let entries = fs::read_dir("/proc").into_iter().flatten();
    entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
}

/// Whether the environment that a process was started with has an entry. That of a zombie is empty, and that of another
/// user's process is not readable.
fn has_variable(process: i32, entry: &str) -> bool {
    fs::read(format!("/proc/{process}/environ")).is_ok_and(|environment| {
        environment
            .split(|byte| *byte == 0)
            .any(|found| found == entry.as_bytes())
    })
}
