use std::{
    fs, io,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail};

use crate::workspace;

/// The folder that holds everything a local platform stores: deployed Workers, the deploy API's records, its secrets.
#[derive(Clone, Debug)]
pub struct State {
    folder: PathBuf,
}

/// The file that marks a state folder, so that `--reset` never empties another folder.
const MARK: &str = ".dotdo-state";

impl State {
    /// The folder of `npm run dev`.
    pub fn standard() -> Self {
        Self {
            folder: workspace::path(".wrangler/state"),
        }
    }

    /// Another folder; a relative path starts at the current folder.
    ///
    /// # Errors
    /// When the current folder cannot be read.
    pub fn at(folder: &Path) -> Result<Self> {
        let folder = std::path::absolute(folder).context("cannot read the current folder")?;
        Ok(Self { folder })
    }

    /// The folder itself.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// A path in the folder.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// The path of the file that marks the folder as a platform's, and that is locked while a platform runs on it.
    pub fn mark(&self) -> PathBuf {
        self.path(MARK)
    }

    /// Creates the folder, readable only by its owner.
    ///
    /// # Errors
    /// When it cannot be created.
    pub fn create(&self) -> Result<()> {
        let create = || fs::create_dir_all(&self.folder).and_then(|()| restrict(&self.folder, 0o700));
        // Another platform may delete a temporary folder between the two calls.
        create()
            .or_else(|error| match error.kind() {
                io::ErrorKind::NotFound => create(),
                _ => Err(error),
            })
            .with_context(|| format!("cannot create the state folder {}", self.folder.display()))
    }

    /// Refuses a folder that holds files and is not marked. In the standard folder, plain `wrangler dev` stores files,
    /// too.
    ///
    /// # Errors
    /// When the folder holds other files, or cannot be read.
    pub fn check_ownership(&self) -> Result<()> {
        if self.mark().exists() || !self.folder.exists() || self.folder == Self::standard().folder {
            return Ok(());
        }
        let mut entries = fs::read_dir(&self.folder)
            .with_context(|| format!("cannot read the state folder {}", self.folder.display()))?;
        if entries.next().is_some() {
            bail!(
                "{} holds files that are not a platform's state: choose an empty or a new folder with --state FOLDER",
                self.folder.display()
            );
        }
        Ok(())
    }

    /// Removes the record of requests that the runtime wrote without a limit in earlier versions of the platform.
    ///
    /// # Errors
    /// When it cannot be removed.
    pub fn remove_request_record(&self) -> Result<()> {
        let path = self.path("workers/v3/observability");
        match fs::remove_dir_all(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(error).with_context(|| format!("cannot remove {}", path.display()))
            }
            _ => Ok(()),
        }
    }

    /// Writes a file that only its owner may read, atomically.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write_private(&self, name: &str, text: &str) -> Result<PathBuf> {
        let path = self.path(name);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent)?;
        }
        write_private(&path, text)?;
        Ok(path)
    }
}

/// Writes a file that only its owner may read, atomically.
///
/// # Errors
/// When it cannot be written.
pub fn write_private(path: &Path, text: &str) -> Result<()> {
    let unfinished = path.with_added_extension("new");
    fs::write(&unfinished, "")
        .and_then(|()| restrict(&unfinished, 0o600))
        .and_then(|()| fs::write(&unfinished, text))
        .and_then(|()| fs::rename(&unfinished, path))
        .with_context(|| format!("cannot write {}", path.display()))
}

fn restrict(path: &Path, mode: u32) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt;

    fs::set_permissions(path, fs::Permissions::from_mode(mode))
}
