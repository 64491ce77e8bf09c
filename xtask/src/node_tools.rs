//! The programs that npm installed: `node_modules/.bin`, at the versions of `package-lock.json`.

use std::{env, ffi::OsString, path::Path, process::Command};

use anyhow::{Context, Result, bail};

use crate::workspace;

/// A command for a program of `node_modules/.bin`, run with the Node that npm installed there.
///
/// # Errors
/// When `npm ci` has not been run, with that advice.
pub fn command(program: &str) -> Result<Command> {
    let folder = workspace::path("node_modules/.bin");
    let file = folder.join(program);
    if !file.exists() {
        bail!("node_modules/.bin/{program} is missing: run `npm ci` first");
    }
    let mut command = Command::new(file);
    command
        .current_dir(workspace::root())
        .env("PATH", path_with(&folder)?)
        .env("WRANGLER_SEND_METRICS", "false");
    Ok(command)
}

fn path_with(folder: &Path) -> Result<OsString> {
    let inherited = env::var_os("PATH").unwrap_or_default();
    let folders = std::iter::once(folder.to_owned()).chain(env::split_paths(&inherited));
    env::join_paths(folders).context("the repository's path cannot stand in PATH")
}
