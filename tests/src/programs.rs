//! The programs that tests run, and the builds of both Workers.

use std::{
    env,
    ffi::OsString,
    fs, io,
    path::{Path, PathBuf},
    process::Command,
    sync::{Mutex, MutexGuard, OnceLock, PoisonError},
};

use anyhow::{Result, anyhow, bail};

use crate::{deadline, processes};

/// The repository's root folder.
#[must_use]
pub fn repository() -> PathBuf {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    package.parent().unwrap_or(package).to_owned()
}

/// The project's build tool, as `npm run` runs it. `npm test` passes the path of the compiled program.
pub(crate) fn xtask() -> Command {
    if let Some(program) = env::var_os("XTASK") {
        return Command::new(program);
    }
    let mut shell = Command::new("sh");
    shell.arg(repository().join("xtask/run"));
    shell
}

/// The Node that npm installed, which finds the programs that npm installed. It keeps compiled code: each start of wrangler takes a
/// quarter less CPU time.
pub(crate) fn node() -> Command {
    let folder = repository().join("node_modules/.bin");
    let inherited = env::var_os("PATH").unwrap_or_default();
    let folders = std::iter::once(folder.clone()).chain(env::split_paths(&inherited));
    let path = env::join_paths(folders).unwrap_or_else(|_| OsString::from(&folder));
    let mut node = Command::new(folder.join("node"));
    node.env("PATH", path)
        .env("NODE_COMPILE_CACHE", target().join("node-compile-cache"));
    node
}

/// The folder of cargo's output.
fn target() -> PathBuf {
    let folder = env::var_os("CARGO_TARGET_DIR").unwrap_or_else(|| "target".into());
    repository().join(folder)
}

/// Builds another program of the workspace, and returns its path.
///
/// # Errors
/// When it does not compile; cargo's own output says why.
pub fn workspace_program(name: &str) -> Result<PathBuf> {
    // The selection of xtask/run: another one would compile shared dependencies again.
    let mut cargo = Command::new("cargo");
    cargo
        .args(["build", "--quiet", "--locked", "--bin", name])
        .args(["--workspace", "--test", "npm_scripts"])
        .current_dir(repository());
    build(name, cargo)?;
    Ok(target().join("debug").join(name))
}

/// The program `dotdo`, which is built once for each test program.
///
/// # Errors
/// When it does not compile; cargo's own output says why.
pub fn dotdo() -> Result<PathBuf> {
    static PROGRAM: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    let program = PROGRAM.get_or_init(|| workspace_program("dotdo").map_err(|error| format!("{error:#}")));
    program.clone().map_err(|error| anyhow!(error))
}

/// Builds the dispatch Worker, unless it is built, and returns its folder.
///
/// # Errors
/// When it does not compile; the build's own output says why.
pub fn dispatcher_build() -> Result<PathBuf> {
    build_worker("dispatcher")?;
    Ok(repository().join("build"))
}

/// Builds the dispatch Worker with traps that a request can ask for, unless it is built, and returns its folder.
///
/// # Errors
/// When it does not compile; the build's own output says why.
pub fn trapping_dispatcher_build() -> Result<PathBuf> {
    let folder = target().join("trapping-dispatcher");
    let mut xtask = xtask();
    xtask
        .args(["build", "dispatcher", "--quiet", "--test-traps"])
        .arg(&folder)
        .current_dir(repository());
    build("the trapping dispatcher", xtask)?;
    Ok(folder)
}

/// Builds the deploy API, unless it is built, and returns its folder.
///
/// # Errors
/// When it does not compile; the build's own output says why.
pub fn deploy_api_build() -> Result<PathBuf> {
    build_worker("deploy-api")?;
    Ok(repository().join("deploy-api/build"))
}

fn build_worker(worker: &str) -> Result<()> {
    let mut xtask = xtask();
    xtask.args(["build", worker, "--quiet"]).current_dir(repository());
    build(worker, xtask)
}

fn build(what: &str, mut command: Command) -> Result<()> {
    let _guard = start_lock();
    let mut child = command.spawn()?;
    let status = deadline::wait(&mut child, &format!("the build of {what}"), deadline::build());
    if status.is_err() {
        processes::kill_tree(child.id());
    }
    let status = status?;
    if !status.success() {
        bail!("{what} does not build ({status})");
    }
    Ok(())
}

/// The lock for builds and for starts of platforms: two starts at once choose the same free ports, and two builds
/// replace each other's files.
pub(crate) fn start_lock() -> MutexGuard<'static, ()> {
    static LOCK: Mutex<()> = Mutex::new(());
    LOCK.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Copies a build of a Worker to a folder, with another `entry.js`. The entry of the build gets another name, so that the new
/// one can import it.
///
/// # Errors
/// When a file cannot be read or written.
pub fn copy_with_entry(build: &Path, folder: &Path, entry: &str, renamed: &str) -> io::Result<()> {
    copy(build, folder)?;
    fs::rename(folder.join("entry.js"), folder.join(renamed))?;
    fs::write(folder.join("entry.js"), entry)
}

fn copy(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}
