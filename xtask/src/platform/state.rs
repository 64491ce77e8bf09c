use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail};

use crate::workspace;

/// The folder that holds everything a local platform keeps: what is deployed, the deploy API's records, its secrets.
#[derive(Clone, Debug)]
pub struct State {
    folder: PathBuf,
}

/// Stands in every state folder, so that `--reset` never empties another one.
const MARK: &str = ".dotdo-state";

impl State {
    /// The folder of `npm run dev`.
    pub fn standard() -> Self {
        Self {
            folder: workspace::path(".wrangler/state"),
        }
    }

    /// Another folder; a relative one is below the current folder.
    ///
    /// # Errors
    /// When the current folder cannot be read.
    pub fn at(folder: &Path) -> Result<Self> {
        let folder = std::path::absolute(folder).context("cannot tell the state folder's path")?;
        Ok(Self { folder })
    }

    /// A path in the folder.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// Makes the folder, for its owner's eyes only.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn create(&self) -> Result<()> {
        fs::create_dir_all(&self.folder)
            .with_context(|| format!("cannot make the state folder {}", self.folder.display()))?;
        restrict(&self.folder, 0o700)?;
        fs::write(self.path(MARK), "")?;
        Ok(())
    }

    /// Removes the folder with everything in it.
    ///
    /// # Errors
    /// When it holds something else than a platform's state, or cannot be removed.
    pub fn reset(&self) -> Result<()> {
        if !self.folder.exists() {
            return Ok(());
        }
        if !self.path(MARK).exists() {
            bail!(
                "{} is not a state folder of this platform, so it is left alone: name another, or remove it yourself",
                self.folder.display()
            );
        }
        fs::remove_dir_all(&self.folder)
            .with_context(|| format!("cannot remove the state folder {}", self.folder.display()))
    }

    /// Writes a file that only its owner may read, whole or not at all.
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

/// Writes a file that only its owner may read, whole or not at all.
///
/// # Errors
/// When it cannot be written.
pub fn write_private(path: &Path, text: &str) -> Result<()> {
    let unfinished = path.with_added_extension("new");
    fs::write(&unfinished, "").with_context(|| format!("cannot write {}", unfinished.display()))?;
    restrict(&unfinished, 0o600)?;
    fs::write(&unfinished, text).with_context(|| format!("cannot write {}", unfinished.display()))?;
    fs::rename(&unfinished, path).with_context(|| format!("cannot write {}", path.display()))
}

#[cfg(unix)]
fn restrict(path: &Path, mode: u32) -> Result<()> {
    use std::os::unix::fs::PermissionsExt;

    fs::set_permissions(path, fs::Permissions::from_mode(mode))
        .with_context(|| format!("cannot restrict {}", path.display()))
}

#[cfg(not(unix))]
fn restrict(_: &Path, _: u32) -> Result<()> {
    Ok(())
}
