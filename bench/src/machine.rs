//! The machine and the versions that the figures were measured with.

use std::{fs, process::Command};

use anyhow::{Context, Result, bail};
use serde::Serialize;

use crate::setting::Setting;

#[derive(Clone, Debug, Default, Serialize)]
pub struct Machine {
    pub processor: String,
    pub cores: usize,
    pub memory: u64,
    pub kernel: String,
    pub workerd: String,
    pub rustc: String,
    pub compatibility_date: String,
    pub compatibility_flags: Vec<String>,
    /// The measured commit, with `-dirty` when the working tree differs from it.
    pub commit: Option<String>,
}

impl Machine {
    pub fn read(setting: &Setting) -> Result<Self> {
        let compatibility = &setting.compatibility;
        let cpuinfo =
            fs::read_to_string("/proc/cpuinfo").context("the benchmark needs Linux: it reads /proc")?;
        let meminfo = fs::read_to_string("/proc/meminfo")?;
        let field = |text: &str, name: &str| {
            let line = text.lines().find(|line| line.starts_with(name))?;
            Some(line.split_once(':')?.1.trim().to_owned())
        };
        let kilobytes = field(&meminfo, "MemTotal").unwrap_or_default();
        Ok(Self {
            processor: field(&cpuinfo, "model name").unwrap_or_else(|| "unknown".to_owned()),
            cores: std::thread::available_parallelism()?.get(),
            memory: kilobytes
                .trim_end_matches(" kB")
                .parse::<u64>()
                .unwrap_or_default()
                * 1024,
            kernel: fs::read_to_string("/proc/sys/kernel/osrelease")?
                .trim()
                .to_owned(),
            workerd: output(Command::new(&setting.workerd).arg("--version"))?,
            rustc: output(Command::new("rustc").arg("--version"))?,
            compatibility_date: compatibility.date.clone(),
            compatibility_flags: compatibility.flags.clone(),
            commit: output(Command::new("git").args(["describe", "--always", "--dirty", "--exclude=*"])).ok(),
        })
    }
}

fn output(command: &mut Command) -> Result<String> {
    let output = command
        .output()
        .with_context(|| format!("cannot run {}", command.get_program().display()))?;
    if !output.status.success() {
        bail!(
            "{} failed: {}",
            command.get_program().display(),
            String::from_utf8_lossy(&output.stderr)
        );
    }
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}
