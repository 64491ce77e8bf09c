//! Where things are in the repository.

use std::{
    env,
    path::{Path, PathBuf},
    sync::LazyLock,
};

use anyhow::{Context, Result};

static PROGRAM: LazyLock<Option<PathBuf>> = LazyLock::new(|| env::current_exe().ok());

/// Looks up this program's file. To be called at the start: a later build replaces the file, and the system then names the
/// old one, which is gone.
pub fn find_program() {
    LazyLock::force(&PROGRAM);
}

/// This program's file, for a command that is run later.
///
/// # Errors
/// When the system does not tell it.
pub fn program() -> Result<&'static Path> {
    PROGRAM.as_deref().context("cannot tell this program's path")
}

/// The repository's root folder.
pub fn root() -> &'static Path {
    // xtask/ stands directly in the root.
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .unwrap_or_else(|| Path::new("."))
}

/// A path inside the repository.
pub fn path(relative: impl AsRef<Path>) -> PathBuf {
    root().join(relative)
}

/// Where cargo puts what it builds: `CARGO_TARGET_DIR`, or `target/`.
pub fn target() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| path("target"), |folder| root().join(folder))
}
