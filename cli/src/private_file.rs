//! A file that only this user can read.
//!
//! On Windows, the folder of a user is readable only for that user and administrators, so a file there needs no permissions of its own.

use std::fs::{DirBuilder, Metadata};
use std::io::{self, Write as _};
#[cfg(unix)]
use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _};
use std::path::Path;

use crate::replaced_file::{Access, replace};

/// Whether other users may read a file.
#[cfg(unix)]
pub fn is_readable_by_others(metadata: &Metadata) -> bool {
    metadata.permissions().mode() & 0o077 != 0
}

/// Whether other users may read a file.
#[cfg(not(unix))]
pub fn is_readable_by_others(_: &Metadata) -> bool {
    false
}

/// Writes a file, with its folder. It is [replaced](crate::replaced_file) as a whole.
///
/// # Errors
/// If it cannot be written.
pub fn write(file: &Path, text: &str) -> io::Result<()> {
    let folder = file.parent().unwrap_or(Path::new("."));
    new_folder().recursive(true).create(folder)?;
    replace(file, Access::Private, |opened| opened.write_all(text.as_bytes()))
}

fn new_folder() -> DirBuilder {
    #[cfg_attr(not(unix), expect(unused_mut, reason = "only the mode changes it"))]
    let mut folder = DirBuilder::new();
    #[cfg(unix)]
    folder.mode(0o700);
    folder
}
