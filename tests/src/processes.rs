//! What a platform runs as, and how much memory that takes.

use std::fs;

use anyhow::{Context, Result};

use crate::Platform;

/// A process of a platform.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Process {
    /// Its number.
    pub id: i32,
    /// Its program's name, at most 15 characters.
    pub name: String,
}

impl Process {
    /// The memory that it has in use (`VmRSS` of `proc(5)`), in bytes; 0 when it has ended.
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
}

impl Platform {
    /// The processes of wrangler and the runtime that are alive.
    ///
    /// # Errors
    /// When the system does not list its processes: it needs `/proc`.
    pub fn processes(&self) -> Result<Vec<Process>> {
        in_group(self.group())
    }
}

/// The processes of a group that are alive.
///
/// # Errors
/// When the system does not list its processes: it needs `/proc`.
pub fn in_group(group: i32) -> Result<Vec<Process>> {
    let entries = fs::read_dir("/proc").context("no /proc: these tests need Linux")?;
    let numbers = entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<i32>().ok());
    Ok(numbers.filter_map(|id| member(id, group)).collect())
}

/// A process, if it belongs to the group and is no zombie. `proc(5)`: `pid (name) state ppid pgrp …`.
fn member(id: i32, group: i32) -> Option<Process> {
    let stat = fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
    let (front, back) = stat.rsplit_once(')')?;
    let name = front.split_once('(')?.1.to_owned();
    let mut fields = back.split_ascii_whitespace();
    let state = fields.next()?;
    let own_group = fields.nth(1)?.parse::<i32>().ok()?;
    (own_group == group && state != "Z").then_some(Process { id, name })
}
