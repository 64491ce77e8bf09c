use std::{
    path::Path,
    process::Stdio,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use anyhow::{Context, Result, bail};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWriteExt},
    process::Child,
    task::JoinHandle,
};

use crate::{
    deadline, processes,
    programs::{dotdo, node, repository, xtask},
};

/// A command that a test runs to its end, with a deadline.
#[derive(Debug)]
pub struct Command {
    inner: tokio::process::Command,
    input: String,
    limit: Duration,
}

/// The output of a command, and whether it succeeded.
#[derive(Clone, Debug)]
pub struct Finished {
    /// Whether its exit code is 0.
    pub succeeded: bool,
    /// Its exit code; `None` if a signal ended it.
    pub code: Option<i32>,
    /// Its standard output.
    pub output: String,
    /// Its standard error.
    pub errors: String,
}

impl Command {
    /// One of the project's own commands with its arguments, as `npm run` runs it: `["check"]`.
    #[must_use]
    pub fn new(arguments: &[&str]) -> Self {
        let mut command = xtask();
        command.args(arguments).current_dir(repository());
        Self::of(command)
    }

    /// `npm run dev` with the REST API of the local platform on a port and a state folder, and with more arguments.
    #[must_use]
    pub fn dev(port: u16, state: &Path, more: &[&str]) -> Self {
        let (port, state) = (port.to_string(), state.display().to_string());
        let arguments = ["dev", "--api", "rest", "--port", &port, "--state", &state];
        Self::new(&[&arguments, more].concat())
    }

    /// `dotdo` with its arguments, in the repository's root. It finds no credentials, except in the variables that the test sets.
    ///
    /// # Errors
    /// When it does not compile.
    pub fn dotdo(arguments: &[&str]) -> Result<Self> {
        let mut command = std::process::Command::new(dotdo()?);
        command
            .args(arguments)
            .current_dir(repository())
            .env("XDG_CONFIG_HOME", "/does/not/exist");
        for name in ["DOTDO_API", "DOTDO_TOKEN"] {
            command.env_remove(name);
        }
        Ok(Self::of(command))
    }

    /// The Node that npm installed, with its arguments, in the repository's root.
    #[must_use]
    pub fn node(arguments: &[&str]) -> Self {
        let mut command = node();
        command.args(arguments).current_dir(repository());
        Self::of(command)
    }

    /// Another program.
    #[must_use]
    pub fn of(command: std::process::Command) -> Self {
        let mut command = tokio::process::Command::from(command);
        command.env("NO_COLOR", "1").env("CI", "true").kill_on_drop(true);
        Self {
            inner: command,
            input: String::new(),
            limit: deadline::command(),
        }
    }

    /// In another folder.
    #[must_use]
    pub fn folder(mut self, folder: &Path) -> Self {
        self.inner.current_dir(folder);
        self
    }

    /// With a variable in its environment.
    #[must_use]
    pub fn variable(mut self, name: &str, value: &str) -> Self {
        self.inner.env(name, value);
        self
    }

    /// With text on its standard input, which is empty by default.
    #[must_use]
    pub fn input(mut self, input: &str) -> Self {
        input.clone_into(&mut self.input);
        self
    }

    /// With another deadline than [`deadline::command`].
    #[must_use]
    pub fn limit(mut self, limit: Duration) -> Self {
        self.limit = limit;
        self
    }

    /// The command itself, to start it in another way.
    #[must_use]
    pub fn into_std(self) -> std::process::Command {
        self.inner.into_std()
    }

    /// Runs it to its end.
    ///
    /// # Errors
    /// When it cannot be started, or does not end before its deadline; its processes are killed then, and the error
    /// contains their output.
    pub async fn run(mut self) -> Result<Finished> {
        self.inner
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = self
            .inner
            .spawn()
            .with_context(|| format!("cannot start {:?}", self.inner.as_std()))?;
        let mut output = Collected::new(child.stdout.take());
        let mut errors = Collected::new(child.stderr.take());
        let ended = tokio::time::timeout(self.limit, async {
            if let Some(mut stdin) = child.stdin.take() {
                // A command that reads nothing may have ended.
                let _ = stdin.write_all(self.input.as_bytes()).await;
            }
            output.end().await;
            errors.end().await;
            child.wait().await
        });
        if let Ok(status) = ended.await {
            let status = status?;
            return Ok(Finished {
                succeeded: status.success(),
                code: status.code(),
                output: output.text(),
                errors: errors.text(),
            });
        }
        kill(&mut child).await;
        bail!(
            "{:?} did not end within {} s; its output:\n{}{}",
            self.inner.as_std(),
            self.limit.as_secs_f32(),
            output.text(),
            errors.text()
        );
    }
}

/// Kills a process with all its descendants.
async fn kill(child: &mut Child) {
    if let Some(id) = child.id() {
        processes::kill_tree(id);
    }
    let _ = child.wait().await;
}

/// The bytes of a stream so far.
struct Collected {
    bytes: Arc<Mutex<Vec<u8>>>,
    reading: Option<JoinHandle<()>>,
}

impl Collected {
    fn new(stream: Option<impl AsyncRead + Unpin + Send + 'static>) -> Self {
        let bytes = Arc::<Mutex<Vec<u8>>>::default();
        let collected = Arc::clone(&bytes);
        let reading = stream.map(|mut stream| {
            tokio::spawn(async move {
                let mut buffer = vec![0; 16 * 1024];
                while let Ok(length @ 1..) = stream.read(&mut buffer).await {
                    let read = buffer.get(..length).unwrap_or_default();
                    lock(&collected).extend_from_slice(read);
                }
            })
        });
        Self { bytes, reading }
    }

    /// Waits for the end of the stream.
    async fn end(&mut self) {
        if let Some(reading) = &mut self.reading {
            let _ = reading.await;
        }
        self.reading = None;
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&lock(&self.bytes)).into_owned()
    }
}

fn lock(bytes: &Mutex<Vec<u8>>) -> MutexGuard<'_, Vec<u8>> {
    bytes.lock().unwrap_or_else(PoisonError::into_inner)
}
