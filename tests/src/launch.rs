use std::{
    fs::File,
    io::{BufRead, BufReader, Read, Seek},
    path::{Path, PathBuf},
    process::{Child, ChildStdout, Command, Stdio},
    sync::mpsc,
    thread,
};

use anyhow::{Context, Result, bail};
use serde::Deserialize;

use crate::{
    deadline,
    options::Options,
    ports::free_port,
    processes,
    programs::{repository, start_lock, xtask},
    restarts,
};

/// What a platform prints when it is ready.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Ready {
    pub port: u16,
    pub base_url: String,
    pub token: String,
    pub account: String,
    pub watcher: i32,
}

/// A started platform. It stops when its standard input ends, so it stops when this program ends, however that ends.
#[derive(Debug)]
pub(crate) struct Launched {
    child: Child,
    state: PathBuf,
    pub ready: Ready,
}

impl Launched {
    /// Starts a platform on a state folder and waits until it is ready.
    ///
    /// # Errors
    /// When it does not become ready before its deadline; the error contains its standard error.
    pub fn start(options: &Options, state: &Path) -> Result<Self> {
        let _guard = start_lock();
        restarts::watch(state);
        let mut errors = tempfile::tempfile().context("cannot create a temporary file")?;
        let mut command = options.program.as_ref().map_or_else(xtask, Command::new);
        command
            .args(["dev", "--json", "--until-stdin-ends"])
            .args(["--port", &free_port()?.to_string()])
            .arg("--state")
            .arg(state)
            .args(&options.arguments)
            .current_dir(repository())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(errors.try_clone()?);
        let mut child = command.spawn().context("cannot start the platform")?;
        let output = child.stdout.take().context("no standard output")?;
        match first_line(output).and_then(|line| Ok(serde_json::from_str(&line)?)) {
            Ok(ready) => Ok(Self {
                child,
                state: state.to_owned(),
                ready,
            }),
            Err(error) => {
                let _ = stop(child);
                bail!("the platform did not start ({error}):\n{}", whole(&mut errors)?)
            }
        }
    }

    /// Stops the platform, and waits for its end.
    pub fn stop(self) -> Result<()> {
        stop(self.child)
    }

    /// The process group of wrangler and the runtime, which is another one after the supervisor has started them again.
    pub fn group(&self) -> Result<i32> {
        processes::recorded_group(&self.state)
    }

    /// Kills everything as a power failure would, and waits for its end.
    pub fn kill(self) -> Result<()> {
        // Otherwise the supervisor would start the runtime again.
        processes::kill(self.ready.watcher)?;
        processes::kill(-self.group()?)?;
        stop(self.child)
    }

    /// Kills only the program that supervises the runtime.
    pub fn kill_watcher(self) -> Result<()> {
        processes::kill(self.ready.watcher)?;
        stop(self.child)
    }
}

/// The first line of a platform's output, which it prints when it is ready.
fn first_line(output: ChildStdout) -> Result<String> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let mut line = String::new();
        let read = BufReader::new(output).read_line(&mut line);
        let _ = sender.send(read.map(|_| line));
    });
    let limit = deadline::platform();
    let line = receiver
        .recv_timeout(limit)
        .with_context(|| format!("it was not ready within {} s", limit.as_secs()))??;
    Ok(line)
}

/// Ends the standard input of a platform, and waits for its end.
fn stop(mut child: Child) -> Result<()> {
    drop(child.stdin.take());
    let ended = deadline::wait(&mut child, "the platform", deadline::platform());
    if ended.is_err() {
        processes::kill_tree(child.id());
        let _ = child.wait();
    }
    ended.map(drop)
}

fn whole(file: &mut File) -> Result<String> {
    let mut bytes = Vec::new();
    file.rewind()?;
    file.read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}
