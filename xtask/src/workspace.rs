//! Where things are in the repository.

use std::{
    env,
    path::{Path, PathBuf},
    sync::LazyLock,
};

use anyhow::{Context, Result};

static PROGRAM: LazyLock<Option<PathBuf>> = LazyLock::new(|| env::current_exe().ok());

/// Finds this program's file. Call it at the start: after a build has replaced the file, the system returns a path that
/// does not exist.
pub fn find_program() {
    LazyLock::force(&PROGRAM);
}

/// This program's file, for a command that runs later.
///
/// # Errors
/// When the system does not report it.
pub fn program() -> Result<&'static Path> {
    PROGRAM.as_deref().context("cannot find this program's path")
}

/// The repository's root folder.
pub fn root() -> &'static Path {
    // xtask/ is a folder of the root.
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .unwrap_or_else(|| Path::new("."))
}

/// A path inside the repository.
pub fn path(relative: impl AsRef<Path>) -> PathBuf {
    root().join(relative)
}

/// The folder of cargo's output: `CARGO_TARGET_DIR`, or `target/`.
pub fn target() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| path("target"), |folder| root().join(folder))
}
