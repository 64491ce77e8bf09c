use std::{
    env,
    io::{BufRead, BufReader},
    net::{Ipv4Addr, TcpListener},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{Mutex, MutexGuard, PoisonError},
};

use anyhow::{Context, Result, bail};
use serde::Deserialize;

/// How a platform is started, beside what every test shares.
#[derive(Clone, Debug, Default)]
pub struct Options {
    arguments: Vec<String>,
}

impl Options {
    /// As `npm run dev` starts it.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// With the local REST API itself at `/client/v4`, in place of the deploy API.
    #[must_use]
    pub fn rest_api(self) -> Self {
        self.with("--api", "rest")
    }

    /// With a variable of the dispatch Worker.
    #[must_use]
    pub fn dispatcher_variable(self, name: &str, value: &str) -> Self {
        self.with("--dispatcher-var", &format!("{name}={value}"))
    }

    /// With a variable of the deploy API.
    #[must_use]
    pub fn deploy_api_variable(self, name: &str, value: &str) -> Self {
        self.with("--deploy-api-var", &format!("{name}={value}"))
    }

    /// Without a binding of the dispatch Worker.
    #[must_use]
    pub fn without_binding(self, name: &str) -> Self {
        self.with("--without-binding", name)
    }

    /// With another build of the dispatch Worker.
    #[must_use]
    pub fn dispatcher_build(self, folder: &Path) -> Self {
        self.with("--dispatcher-build", &folder.display().to_string())
    }

    /// With another build of the deploy API.
    #[must_use]
    pub fn deploy_api_build(self, folder: &Path) -> Self {
        self.with("--deploy-api-build", &folder.display().to_string())
    }

    /// Without the state folder afterwards: nothing is dropped when a test program ends.
    pub(crate) fn temporary(mut self) -> Self {
        self.arguments.push("--temporary".to_owned());
        self
    }

    /// With nothing deployed, whatever the state folder holds.
    #[must_use]
    pub fn reset(mut self) -> Self {
        self.arguments.push("--reset".to_owned());
        self
    }

    /// With another upstream of the deploy API than the local REST API.
    #[must_use]
    pub fn upstream(self, address: &str) -> Self {
        self.with("--upstream", address)
    }

    fn with(mut self, flag: &str, value: &str) -> Self {
        self.arguments.push(format!("{flag}={value}"));
        self
    }
}

/// What a platform says when it serves.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Ready {
    pub port: u16,
    pub base_url: String,
    pub token: String,
    pub account: String,
    pub group: i32,
    pub watcher: u32,
}

/// A started platform. It ends when its standard input does, and so with this program in any case.
#[derive(Debug)]
pub(crate) struct Launched {
    child: Child,
    pub ready: Ready,
}

impl Launched {
    /// Starts a platform on a state folder and waits until it serves.
    pub fn start(options: &Options, state: &Path) -> Result<Self> {
        let _turn = turn();
        let mut command = xtask();
        command
            .args(["dev", "--json", "--until-stdin-ends"])
            .args(["--port", &free_port()?.to_string()])
            .arg("--state")
            .arg(state)
            .args(&options.arguments)
            .current_dir(repository())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped());
        let mut child = command.spawn().context("cannot start the platform")?;
        let output = child.stdout.take().context("no standard output")?;
        let mut line = String::new();
        BufReader::new(output).read_line(&mut line)?;
        match serde_json::from_str(&line) {
            Ok(ready) => Ok(Self { child, ready }),
            Err(_) => bail!(
                "the platform did not start; its own output says why ({})",
                child.wait()?
            ),
        }
    }

    /// Stops the platform in an orderly way and waits for its end.
    pub fn stop(mut self) -> Result<()> {
        drop(self.child.stdin.take());
        self.child.wait()?;
        Ok(())
    }

    /// Kills the runtime as a power cut would, and waits until it is gone.
    pub fn kill(mut self) -> Result<()> {
        kill(&format!("-{}", self.ready.group))?;
        self.child.wait()?;
        Ok(())
    }

    /// Kills the program that watches over the runtime, and nothing else.
    pub fn kill_watcher(mut self) -> Result<()> {
        kill(&self.ready.watcher.to_string())?;
        self.child.wait()?;
        Ok(())
    }
}

/// Ends a process, or with a minus a group of them, without a chance to clean up.
fn kill(process: &str) -> Result<()> {
    let status = Command::new("kill").args(["-9", "--", process]).status()?;
    if !status.success() {
        bail!("cannot kill {process}");
    }
    Ok(())
}

/// Builds the dispatch Worker, unless it is built, and gives the folder.
///
/// # Errors
/// When it does not compile; its own output says why.
pub fn dispatcher_build() -> Result<PathBuf> {
    build("dispatcher")?;
    Ok(repository().join("build"))
}

/// Builds the deploy API, unless it is built, and gives the folder.
///
/// # Errors
/// When it does not compile; its own output says why.
pub fn deploy_api_build() -> Result<PathBuf> {
    build("deploy-api")?;
    Ok(repository().join("deploy-api/build"))
}

fn build(worker: &str) -> Result<()> {
    let _turn = turn();
    let status = xtask()
        .args(["build", worker, "--quiet"])
        .current_dir(repository())
        .status()?;
    if !status.success() {
        bail!("{worker} is not built ({status})");
    }
    Ok(())
}

/// Two platforms that start at once would find the same ports free, and two builds would replace each other's.
fn turn() -> MutexGuard<'static, ()> {
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
    ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The project's own command, as `npm run` runs it: `npm test` names the built program.
pub(crate) fn xtask() -> Command {
    if let Some(program) = env::var_os("XTASK") {
        return Command::new(program);
    }
    let mut cargo = Command::new("cargo");
    cargo.args(["run", "--quiet", "--locked", "--package", "xtask", "--"]);
    cargo
}

/// The repository's root.
#[must_use]
pub fn repository() -> PathBuf {
    let own = Path::new(env!("CARGO_MANIFEST_DIR"));
    own.parent().unwrap_or(own).to_owned()
}

fn free_port() -> Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}
