//! A file that is replaced as a whole: a program that is killed leaves the old content or the new one.

use std::fs::{self, File, OpenOptions};
use std::io;
#[cfg(unix)]
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

/// Who may read the new file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Only this user. On Windows, the folder of a user is readable only for that user and administrators.
    Private,
    /// As for every new file of this user.
    Usual,
    /// As for the file that is replaced, which must exist.
    Kept,
}

/// Writes a file beside its final place, and moves it there. A link stays, and the file that it names is replaced.
///
/// # Errors
/// If it cannot be written, or the path is not that of a file. The old file, if there is one, is unchanged then.
pub fn replace(
    path: &Path,
    access: Access,
    write: impl FnOnce(&mut File) -> io::Result<()>,
) -> io::Result<()> {
    let path = &fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    // A device or a pipe would become a file.
    if fs::metadata(path).is_ok_and(|found| !found.is_file()) {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is not a file"));
    }
    let folder = path.parent().unwrap_or(Path::new("."));
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let new = folder.join(format!(".{name}-{}", std::process::id()));
    let written = new_file(access)
        .open(&new)
        .and_then(|mut file| {
            if access == Access::Kept {
                file.set_permissions(fs::metadata(path)?.permissions())?;
            }
            write(&mut file)?;
            file.sync_all()
        })
        .and_then(|()| fs::rename(&new, path));
    if written.is_err() {
        let _ = fs::remove_file(&new);
    }
    written
}

#[cfg_attr(not(unix), expect(unused_variables, reason = "only the mode depends on it"))]
fn new_file(access: Access) -> OpenOptions {
    let mut file = OpenOptions::new();
    file.write(true);
    // A process with the id of this one may have been killed while it wrote. Its file may be readable by others.
    if access == Access::Private {
        file.create_new(true);
    } else {
        file.create(true).truncate(true);
    }
    #[cfg(unix)]
    if access == Access::Private {
        file.mode(0o600);
    }
    file
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use tempfile::TempDir;

    use super::*;

    #[cfg(unix)]
    #[test]
    fn a_link_and_what_is_not_a_file_stay() {
        let folder = TempDir::new().unwrap();
        let [file, link] = ["file", "link"].map(|name| folder.path().join(name));
        let written = |path: &Path| replace(path, Access::Usual, |opened| opened.write_all(b"new"));
        written(&file).unwrap();
        fs::write(&file, "old").unwrap();
        std::os::unix::fs::symlink(&file, &link).unwrap();
        written(&link).unwrap();
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(fs::read_to_string(&file).unwrap(), "new");
        let _listener = std::os::unix::net::UnixListener::bind(folder.path().join("socket")).unwrap();
        for path in [folder.path().join("socket"), folder.path().to_owned()] {
            let error = written(&path).unwrap_err().to_string();
            assert_eq!(error, "it is not a file", "{}", path.display());
        }
    }
}
