use std::{
    collections::VecDeque,
    fs::File,
    io::{BufRead, BufReader, Read, Write},
    os::unix::process::CommandExt,
    path::PathBuf,
    process::{Child, ExitStatus, Stdio},
    sync::{Arc, Mutex, PoisonError},
    thread,
};

use anyhow::{Context, Result};

use super::{
    RuntimeReports, State, StateLock,
    console_origin::with_origin,
    processes::{self, ProcessGroup},
};
use crate::{node_tools, workspace};

/// The program that exchanges the file descriptors 1 and 3: the second one is for control messages.
pub const RUNTIME_LAUNCHER: &str = "local/runtime.sh";

/// The environment variable with the path of the program that starts the runtime, for [`RUNTIME_LAUNCHER`].
pub const RUNTIME_PROGRAM: &str = "DOTDO_RUNTIME_PROGRAM";

/// How many lines of wrangler's output an error shows.
const LAST_LINES: usize = 40;
/// The file in the state folder that holds all of wrangler's output since the last start.
const LOG: &str = "wrangler.log";

/// A `wrangler dev` in a separate process group, which is killed when this value is dropped.
pub struct Wrangler {
    child: Child,
    id: i32,
    group: ProcessGroup,
}

/// Receives each line that wrangler and the Workers print.
type Listener = Box<dyn Fn(&str) + Send>;

/// The output of one `wrangler dev` after the other. Clones share it.
#[derive(Clone)]
pub struct Output(Arc<Mutex<Lines>>);

struct Lines {
    last: VecDeque<String>,
    log: File,
    listener: Option<Listener>,
}

impl Wrangler {
    /// Starts wrangler with several configurations. `reports` is where the program that starts the runtime reports its port. wrangler's
    /// own port is not used: the proxy behind it repeats requests, and changes responses.
    ///
    /// # Errors
    /// When wrangler is not installed or cannot be started.
    pub fn spawn(
        lock: &StateLock,
        configurations: &[PathBuf],
        reports: &RuntimeReports,
        output: &Output,
    ) -> Result<Self> {
        let state = lock.state();
        let mut command = node_tools::command("wrangler")?;
        command.arg("dev");
        for configuration in configurations {
            command.arg("--config").arg(configuration);
        }
        command
            .args(["--ip", "127.0.0.1", "--port", "0", "--inspector-port", "0"])
            .arg("--persist-to")
            .arg(state.path("workers"))
            .args(["--show-interactive-dev-session", "false"])
            .env(processes::MARK, lock.process_mark()?)
            // Without a registry of other sessions, the runtime does not open its debug port, through which every program on
            // this machine could call every entrypoint of every Worker.
            .env("WRANGLER_REGISTRY_PATH", "")
            // The program starts the runtime without its inspector. wrangler then must not connect to it.
            .env("MINIFLARE_WORKERD_PATH", workspace::path(RUNTIME_LAUNCHER))
            .env(RUNTIME_PROGRAM, workspace::program()?)
            .env("VSCODE_INSPECTOR_OPTIONS", "off")
            .env("WRANGLER_LOG_PATH", state.path("logs"))
            .env("WRANGLER_HIDE_BANNER", "true")
            // Otherwise wrangler requests `cf` properties from Cloudflare, and prints a warning when it is offline.
            .env("CLOUDFLARE_CF_FETCH_ENABLED", "false")
            // The runtime signals memory pressure with each isolate that it creates, as each upload does. V8 then drops
            // the Wasm code that it has not optimised, and compiles both Workers again.
            .env("MINIFLARE_WORKERD_V8_FLAGS", "--no-flush-liftoff-code")
            // Otherwise wrangler serves an explorer below `/cdn-cgi/` on the platform's port, which reads and writes every
            // database and bucket without a credential, and records each request, which takes half of the time of a request.
            .env("X_LOCAL_EXPLORER", "false")
            .env("X_LOCAL_OBSERVABILITY", "false")
            .env("NO_COLOR", "1")
            .env("CI", "true")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0);
        reports.pass_to(&mut command);
        let mut child = command.spawn().context("cannot start wrangler")?;
        output.follow(child.stdout.take());
        output.follow(child.stderr.take());
        let id = i32::try_from(child.id()).context("the process id is out of range")?;
        let wrangler = Self {
            child,
            id,
            group: lock.group(),
        };
        lock.record_group(id)?;
        Ok(wrangler)
    }

    /// Wrangler's exit status, once it has ended.
    ///
    /// # Errors
    /// When the system does not report it.
    pub fn exited(&mut self) -> Result<Option<ExitStatus>> {
        Ok(self.child.try_wait()?)
    }

    /// The id of the process group.
    pub const fn id(&self) -> i32 {
        self.id
    }
}

impl Drop for Wrangler {
    fn drop(&mut self) {
        self.group.kill();
        // Otherwise the process remains a zombie until this program ends.
        let _ = self.child.wait();
        self.group.wait_for_end();
    }
}

impl Output {
    /// Starts an empty log in the state folder.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn new(state: &State) -> Result<Self> {
        let path = state.path(LOG);
        let log = File::create(&path).with_context(|| format!("cannot write {}", path.display()))?;
        Ok(Self(Arc::new(Mutex::new(Lines {
            last: VecDeque::new(),
            log,
            listener: None,
        }))))
    }

    /// The last lines.
    pub fn last(&self) -> String {
        self.lock(|lines| {
            lines
                .last
                .iter()
                .map(String::as_str)
                .collect::<Vec<_>>()
                .join("\n")
        })
    }

    /// Calls `listener` with every further line of output.
    pub fn on_line(&self, listener: impl Fn(&str) + Send + 'static) {
        self.lock(|lines| lines.listener = Some(Box::new(listener)));
    }

    /// Adds a line of this program to the log.
    pub fn note(&self, line: &str) {
        self.lock(|lines| lines.write(line));
    }

    fn follow(&self, stream: Option<impl Read + Send + 'static>) {
        let Some(stream) = stream else { return };
        let output = self.clone();
        thread::spawn(move || {
            for line in BufReader::new(stream).split(b'\n').map_while(Result::ok) {
                let line = String::from_utf8_lossy(&line);
                output.lock(|lines| lines.push(&with_origin(&line)));
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
        self.write(line);
        if let Some(listener) = &self.listener {
            listener(line);
        }
    }

    fn write(&mut self, line: &str) {
        // With a full disk the log is incomplete, and the platform still runs.
        let _ = self.log.write_all(format!("{line}\n").as_bytes());
    }
}
