//! The clone of this repository that contains the current folder.

use std::path::{Path, PathBuf};

/// The top folder of the clone that contains a folder; `None` outside of a clone.
#[must_use]
pub fn root(folder: &Path) -> Option<PathBuf> {
    folder
        .ancestors()
        .find(|folder| folder.join("dotdo.jsonc").is_file() && folder.join("wrangler.jsonc").is_file())
        .map(Path::to_owned)
}
