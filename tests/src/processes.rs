//! The processes of a platform, their memory, and their end.

use std::{fs, path::Path, process::Command, time::Duration};

use anyhow::{Context, Result, bail};
use serde::Deserialize;

/// A process of a platform.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Process {
    /// Its id.
    pub id: i32,
    /// Its program's name, at most 15 characters.
    pub name: String,
}

impl Process {
    /// Its resident memory (`VmRSS` of `proc(5)`), in bytes; 0 after its end.
    #[must_use]
    pub fn memory(&self) -> u64 {
        let Ok(status) = fs::read_to_string(format!("/proc/{}/status", self.id)) else {
            return 0;
        };
        let kibibytes = status
            .lines()
            .find_map(|line| line.strip_prefix("VmRSS:"))
            .and_then(|value| value.trim().strip_suffix(" kB"))
            .and_then(|number| number.parse::<u64>().ok());
        kibibytes.unwrap_or_default() * 1024
    }

    /// The CPU time that it has used (`utime` and `stime` of `proc(5)`, in hundredths of a second); zero after its end.
    #[must_use]
    pub fn cpu(&self) -> Duration {
        let Ok(stat) = fs::read_to_string(format!("/proc/{}/stat", self.id)) else {
            return Duration::ZERO;
        };
        // The name of the program, in parentheses, can contain spaces.
        let fields = stat.rsplit_once(')').map_or("", |(_, fields)| fields);
        let ticks = fields.split_whitespace().skip(11).take(2);
        let ticks: u64 = ticks.filter_map(|field| field.parse::<u64>().ok()).sum();
        Duration::from_millis(ticks * 10)
    }
}

/// The running processes of a group.
///
/// # Errors
/// When the system has no `/proc`.
pub fn in_group(group: i32) -> Result<Vec<Process>> {
    Ok(all()?
        .into_iter()
        .filter(|found| found.group == group)
        .map(|found| found.process)
        .collect())
}

/// The process group of the runtime that a platform last recorded in its state folder.
///
/// # Errors
/// When it recorded none.
pub fn recorded_group(state: &Path) -> Result<i32> {
    #[derive(Deserialize)]
    struct Holder {
        group: i32,
    }

    let text = fs::read_to_string(state.join(".dotdo-state"))?;
    let holder: Holder = serde_json::from_str(&text).context("the state folder names no process group")?;
    Ok(holder.group)
}

/// Kills a process with all its descendants.
pub fn kill_tree(root: u32) {
    let processes = all().unwrap_or_default();
    let Ok(root) = i32::try_from(root) else { return };
    let mut tree = vec![root];
    // Descendants are appended while the list is read.
    let mut index = 0;
    while let Some(&parent) = tree.get(index) {
        let children = processes.iter().filter(|found| found.parent == parent);
        tree.extend(children.map(|found| found.process.id));
        index += 1;
    }
    for id in tree {
        // It may have ended.
        let _ = kill(id);
    }
}

/// Sends SIGKILL to a process, or to a process group by its negative id.
///
/// # Errors
/// When there is no such process.
pub fn kill(id: i32) -> Result<()> {
    let output = Command::new("kill")
        .args(["-9", "--", &id.to_string()])
        .output()?;
    if !output.status.success() {
        bail!("cannot kill {id}: {}", String::from_utf8_lossy(&output.stderr));
    }
    Ok(())
}

struct Found {
    process: Process,
    parent: i32,
    group: i32,
}

/// Every running process.
fn all() -> Result<Vec<Found>> {
    let entries = fs::read_dir("/proc").context("no /proc: these tests need Linux")?;
    let ids = entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<i32>().ok());
    Ok(ids.filter_map(read).collect())
}

/// A process, unless it has ended. `proc(5)`: `pid (name) state ppid pgrp …`.
fn read(id: i32) -> Option<Found> {
    let stat = fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
    let (front, back) = stat.rsplit_once(')')?;
    let name = front.split_once('(')?.1.to_owned();
    let mut fields = back.split_ascii_whitespace();
    let is_zombie = fields.next()? == "Z";
    let parent = fields.next()?.parse().ok()?;
    let group = fields.next()?.parse().ok()?;
    (!is_zombie).then_some(Found {
        process: Process { id, name },
        parent,
        group,
    })
}
