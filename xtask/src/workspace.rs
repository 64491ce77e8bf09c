//! Where things are in the repository.

use std::path::{Path, PathBuf};

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
