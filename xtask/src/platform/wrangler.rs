use std::{
    collections::VecDeque,
    fs::File,
    io::{BufRead, BufReader, Read, Write},
    net::{Ipv4Addr, TcpListener},
    os::unix::process::CommandExt,
    path::PathBuf,
    process::{Child, ExitStatus, Stdio},
    sync::{Arc, Mutex, PoisonError},
    thread,
};

use anyhow::{Context, Result};

use super::{
    State,
    leftover::{self, Running},
};
use crate::node_tools;

/// How many lines of wrangler's output an error shows.
const LAST_LINES: usize = 40;
/// The file in the state folder that takes all of its output, since the last start.
const LOG: &str = "wrangler.log";

/// A `wrangler dev` in a process group of its own, which ends with this value.
pub struct Wrangler {
    child: Child,
    group: i32,
    state: State,
    output: Output,
}

/// Receives each line that wrangler and the Workers print.
type Listener = Box<dyn Fn(&str) + Send>;

#[derive(Clone)]
struct Output(Arc<Mutex<Lines>>);

struct Lines {
    last: VecDeque<String>,
    log: File,
    listener: Option<Listener>,
}

impl Wrangler {
    /// Starts it with several configurations, the first of which gets the port.
    ///
    /// # Errors
    /// When npm's programs are missing or cannot be started.
    pub fn spawn(state: &State, configurations: &[PathBuf], port: u16) -> Result<Self> {
        let mut command = node_tools::command("wrangler")?;
        command.arg("dev");
        for configuration in configurations {
            command.arg("--config").arg(configuration);
        }
        command
            .args(["--ip", "127.0.0.1", "--port", &port.to_string()])
            .args(["--inspector-port", &free_port()?.to_string()])
            .arg("--persist-to")
            .arg(state.path("workers"))
            .args(["--show-interactive-dev-session", "false"])
            // Workers of the same names in other sessions on this machine must not be mistaken for these.
            .env("WRANGLER_REGISTRY_PATH", state.path("registry"))
            .env("WRANGLER_LOG_PATH", state.path("logs"))
            .env("WRANGLER_HIDE_BANNER", "true")
            // Asks Cloudflare where this machine is; offline, that only prints a warning.
            .env("CLOUDFLARE_CF_FETCH_ENABLED", "false")
            // The runtime signals memory pressure with each isolate that it makes, which each upload does, and V8 then
            // drops the Wasm code of every Worker that it has not optimised: both Workers would be compiled anew.
            .env("MINIFLARE_WORKERD_V8_FLAGS", "--no-flush-liftoff-code")
            .env("NO_COLOR", "1")
            .env("CI", "true")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0);
        let output = Output::new(state)?;
        let mut child = command.spawn().context("cannot start wrangler")?;
        let group = i32::try_from(child.id()).context("a process number out of range")?;
        output.follow(child.stdout.take());
        output.follow(child.stderr.take());
        let wrangler = Self {
            child,
            group,
            state: state.clone(),
            output,
        };
        let watcher = i32::try_from(std::process::id()).context("a process number out of range")?;
        Running { watcher, group }.note(state)?;
        Ok(wrangler)
    }

    /// Its exit status, if it has ended.
    ///
    /// # Errors
    /// When the system cannot tell.
    pub fn exited(&mut self) -> Result<Option<ExitStatus>> {
        Ok(self.child.try_wait()?)
    }

    /// The end of its output.
    pub fn last_words(&self) -> String {
        self.output.lock(|lines| {
            lines
                .last
                .iter()
                .map(String::as_str)
                .collect::<Vec<_>>()
                .join("\n")
        })
    }

    /// Hands every further line of output to `listener`.
    pub fn on_line(&self, listener: impl Fn(&str) + Send + 'static) {
        self.output
            .lock(|lines| lines.listener = Some(Box::new(listener)));
    }

    /// The process group, for a signal handler that ends it.
    pub fn group(&self) -> i32 {
        self.group
    }
}

impl Drop for Wrangler {
    fn drop(&mut self) {
        leftover::kill_group(self.group);
        // Without this the process would stay as a zombie until this program ends.
        let _ = self.child.wait();
        leftover::wait_for_end(self.group);
        leftover::forget(&self.state);
    }
}

impl Output {
    fn new(state: &State) -> Result<Self> {
        let path = state.path(LOG);
        let log = File::create(&path).with_context(|| format!("cannot write {}", path.display()))?;
        Ok(Self(Arc::new(Mutex::new(Lines {
            last: VecDeque::new(),
            log,
            listener: None,
        }))))
    }

    fn follow(&self, stream: Option<impl Read + Send + 'static>) {
        let Some(stream) = stream else { return };
        let output = self.clone();
        thread::spawn(move || {
            for line in BufReader::new(stream).split(b'\n').map_while(Result::ok) {
                let line = String::from_utf8_lossy(&line);
                output.lock(|lines| lines.push(&line));
            }
        });
    }

    fn lock<T>(&self, action: impl FnOnce(&mut Lines) -> T) -> T {
        action(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Lines {
    fn push(&mut self, line: &str) {
        if self.last.len() == LAST_LINES {
            self.last.pop_front();
        }
        self.last.push_back(line.to_owned());
        // A full disk costs the log, not the platform.
        let _ = self.log.write_all(format!("{line}\n").as_bytes());
        if let Some(listener) = &self.listener {
            listener(line);
        }
    }
}

/// A port that nothing listens on right now.
fn free_port() -> Result<u16> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("no port is free")?;
    Ok(listener.local_addr()?.port())
}
