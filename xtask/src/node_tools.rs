//! The programs in `node_modules/.bin`, which npm installs at the versions of `package-lock.json`.

use std::{
    env,
    ffi::OsString,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, bail};

use crate::workspace;

/// A command that runs a program of `node_modules/.bin` with the Node that npm installed there.
///
/// # Errors
/// When the program is not installed.
pub fn command(program: &str) -> Result<Command> {
    let file = workspace::path("node_modules/.bin").join(program);
    if !file.exists() {
        bail!("node_modules/.bin/{program} is missing: run `npm ci` first");
    }
    on_installed_node(Command::new(file))
}

/// A command that runs the system's npm in a folder, with the Node that npm installed in the repository.
///
/// # Errors
/// When the repository's path contains a separator of `PATH`.
pub fn npm(folder: &Path) -> Result<Command> {
    let mut command = on_installed_node(Command::new("npm"))?;
    command.current_dir(folder);
    Ok(command)
}

fn on_installed_node(mut command: Command) -> Result<Command> {
    command
        .current_dir(workspace::root())
        .env("PATH", path_with(&workspace::path("node_modules/.bin"))?)
        .env("WRANGLER_SEND_METRICS", "false");
    Ok(command)
}

/// The path of the runtime that npm installed for this system.
///
/// # Errors
/// When it is not installed.
pub fn workerd() -> Result<PathBuf> {
    let architecture = match env::consts::ARCH {
        "x86_64" => "64",
        "aarch64" => "arm64",
        other => other,
    };
    let system = match env::consts::OS {
        "macos" => "darwin",
        other => other,
    };
    let path = workspace::path(format!(
        "node_modules/@cloudflare/workerd-{system}-{architecture}/bin/workerd"
    ));
    if !path.exists() {
        bail!("{} is missing: run `npm ci` first", path.display());
    }
    Ok(path)
}

fn path_with(folder: &Path) -> Result<OsString> {
    let inherited = env::var_os("PATH").unwrap_or_default();
    let folders = std::iter::once(folder.to_owned()).chain(env::split_paths(&inherited));
    env::join_paths(folders).context("the repository's path cannot be an entry of PATH")
}
