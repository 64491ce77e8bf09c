//! The processor time and memory of a process, from `/proc`.

use std::{fs, time::Duration};

use anyhow::{Context, Result};

#[derive(Clone, Copy, Debug, Default)]
pub struct Usage {
    /// Time on a core, the sum of all threads.
    pub cpu: Duration,
    /// Time that threads were ready to run and had no core: the noise of the machine.
    pub waiting: Duration,
}

impl Usage {
    pub fn of(process: u32) -> Result<Self> {
        let threads = fs::read_dir(format!("/proc/{process}/task")).context("workerd has ended")?;
        let mut usage = Self::default();
        for thread in threads {
            // proc_pid_schedstat: nanoseconds on a core, nanoseconds ready and waiting, time slices.
            let Ok(text) = fs::read_to_string(thread?.path().join("schedstat")) else {
                continue; // The thread has ended since.
            };
            let mut fields = text
                .split_whitespace()
                .map(|field| field.parse().map(Duration::from_nanos));
            usage.cpu += fields.next().context("schedstat is empty")??;
            usage.waiting += fields.next().context("schedstat has one field")??;
        }
        Ok(usage)
    }

    pub fn since(self, earlier: Self) -> Self {
        Self {
            cpu: self.cpu.saturating_sub(earlier.cpu),
            waiting: self.waiting.saturating_sub(earlier.waiting),
        }
    }
}

/// Resets [`peak_memory`] to the memory that is resident now.
pub fn reset_peak_memory(process: u32) -> Result<()> {
    // 5 resets the peak resident set size (proc_pid_clear_refs).
    fs::write(format!("/proc/{process}/clear_refs"), "5").context("the kernel does not reset VmHWM")
}

/// The largest resident memory since [`reset_peak_memory`], in bytes.
pub fn peak_memory(process: u32) -> Result<u64> {
    status(process, "VmHWM:")
}

/// The memory that is resident now, in bytes.
pub fn memory(process: u32) -> Result<u64> {
    status(process, "VmRSS:")
}

fn status(process: u32, field: &str) -> Result<u64> {
    let text = fs::read_to_string(format!("/proc/{process}/status")).context("workerd has ended")?;
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix(field))
        .context("/proc has no such field")?;
    let kilobytes: u64 = line.trim().trim_end_matches(" kB").parse()?;
    Ok(kilobytes * 1024)
}
