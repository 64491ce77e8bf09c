//! The processes of a platform: their process group, and what remains of a platform that was killed.

use std::{
    collections::HashMap,
    fs,
    process::Command,
    sync::{
        Arc,
        atomic::{AtomicI32, Ordering::SeqCst},
    },
    thread,
    time::{Duration, Instant},
};

use nix::{
    sys::signal::{self, Signal},
    unistd::{Pid, SysconfVar, sysconf},
};

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

    /// Kills a process of the runtime in the group, and returns whether it has ended. An id that belongs to another process by now is left
    /// alone.
    pub fn kill_runtime(&self, process: i32) -> bool {
        let Some(group) = self.id() else { return true };
        poll(END, || {
            let runs = runtime_usage(group).contains_key(&process);
            if runs {
                let _ = signal::kill(Pid::from_raw(process), Signal::SIGKILL);
            }
            !runs
        })
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

/// Calls `done` until it returns true, and returns false when `limit` passes first.
pub fn poll(limit: Duration, mut done: impl FnMut() -> bool) -> bool {
    let begin = Instant::now();
    while !done() {
        if begin.elapsed() >= limit {
            return false;
        }
        thread::sleep(Duration::from_millis(10));
    }
    true
}

/// The name of the runtime's program.
const RUNTIME: &str = "workerd";

/// What a process has used since its start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Usage {
    pub cpu: Duration,
    /// Calls of the system that read or write: `syscr` and `syscw` of `proc(5)`. 0 if the system does not report them.
    pub calls: u64,
}

/// What each process of the runtime in a group has used. Empty if the system does not report it.
pub fn runtime_usage(group: i32) -> HashMap<i32, Usage> {
    let ticks = sysconf(SysconfVar::CLK_TCK).ok().flatten();
    if let Some(ticks) = ticks
        .and_then(|ticks| u32::try_from(ticks).ok())
        .filter(|ticks| *ticks > 0)
        && fs::exists("/proc/self/stat").unwrap_or(false)
    {
        return process_ids()
            .filter_map(|id| {
                let stat = fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
                let cpu = cpu_time_of_stat(&stat, group, ticks)?;
                let calls = fs::read_to_string(format!("/proc/{id}/io")).map_or(0, |io| calls_of_io(&io));
                Some((id, Usage { cpu, calls }))
            })
            .collect();
    }
    let listed = Command::new("ps")
        .args(["-A", "-o", "pid=,pgid=,time=,comm="])
        .output();
    listed.map_or_else(
        |_| HashMap::new(),
        |listed| {
            String::from_utf8_lossy(&listed.stdout)
                .lines()
                .filter_map(|line| cpu_time_of_line(line, group))
                .map(|(id, cpu)| (id, Usage { cpu, calls: 0 }))
                .collect()
        },
    )
}

/// The CPU time in `/proc/{id}/stat`, if it is a process of the runtime in a group. `proc(5)`: `pid (name) state ppid pgrp …`.
fn cpu_time_of_stat(stat: &str, group: i32, ticks: u32) -> Option<Duration> {
    let (front, back) = stat.rsplit_once(')')?;
    let (_, name) = front.split_once('(')?;
    let fields: Vec<_> = back.split_ascii_whitespace().collect();
    // A zombie has ended.
    let is_runtime = name == RUNTIME && *fields.first()? != "Z" && fields.get(2)?.parse() == Ok(group);
    // utime and stime are the fields 14 and 15 of the whole line.
    let used = fields
        .get(11)?
        .parse::<u32>()
        .ok()?
        .checked_add(fields.get(12)?.parse().ok()?)?;
    is_runtime.then(|| Duration::from_secs_f64(f64::from(used) / f64::from(ticks)))
}

/// The calls in `/proc/{id}/io`.
fn calls_of_io(io: &str) -> u64 {
    let counts = io.lines().filter_map(|line| {
        let (name, count) = line.split_once(": ")?;
        matches!(name, "syscr" | "syscw").then(|| count.parse::<u64>().ok())?
    });
    counts.sum()
}

/// The process and its CPU time in a line of `ps -o pid=,pgid=,time=,comm=`, if it is one of the runtime in a group.
fn cpu_time_of_line(line: &str, group: i32) -> Option<(i32, Duration)> {
    let mut fields = line.split_ascii_whitespace();
    let process = fields.next()?.parse().ok()?;
    let is_in_group = fields.next()?.parse() == Ok(group);
    let time = fields.next()?;
    let is_runtime = fields.collect::<Vec<_>>().join(" ").rsplit('/').next() == Some(RUNTIME);
    // `[[days-]hours:]minutes:seconds[.hundredths]`
    let (days, time) = time.split_once('-').unwrap_or(("0", time));
    let mut seconds = days.parse::<f64>().ok()? * 24.0;
    for (index, part) in time.split(':').enumerate() {
        let part = part.parse::<f64>().ok()?;
        seconds = if index == 0 {
            seconds + part
        } else {
            seconds * 60.0 + part
        };
    }
    // With days, the first part is hours.
    (is_in_group && is_runtime).then(|| (process, Duration::from_secs_f64(seconds)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_cpu_time_of_the_runtime_from_proc() {
        let stat = "42 (workerd) R 7 40 7 0 -1 4194304 1 0 0 0 350 50 0 0 20 0 9 0 1 2 3";
        assert_eq!(cpu_time_of_stat(stat, 40, 100), Some(Duration::from_secs(4)));
        assert_eq!(cpu_time_of_stat(stat, 41, 100), None);
        assert_eq!(
            cpu_time_of_stat(&stat.replace("workerd", "a) (node"), 40, 100),
            None
        );
    }

    #[test]
    fn counts_the_calls_that_read_or_write() {
        let io = "rchar: 88060994\nwchar: 147284\nsyscr: 5930\nsyscw: 271\nread_bytes: 7\n";
        assert_eq!(calls_of_io(io), 6201);
        assert_eq!(calls_of_io(""), 0);
    }

    #[test]
    fn reads_the_cpu_time_of_the_runtime_from_ps() {
        let path = "/Users/a b/node_modules/workerd/bin/workerd";
        for (time, expected) in [
            ("0:04.25", 4.25),
            ("01:00:02", 3602.0),
            ("1-02:00:00", 93_600.0),
            ("3:00", 180.0),
        ] {
            let line = format!("  42    40 {time} {path}");
            assert_eq!(
                cpu_time_of_line(&line, 40),
                Some((42, Duration::from_secs_f64(expected))),
                "{time}"
            );
        }
        assert_eq!(cpu_time_of_line("42 41 0:04.25 workerd", 40), None);
        assert_eq!(cpu_time_of_line("42 40 0:04.25 node", 40), None);
    }
}
