//! The dispatch Worker of an earlier commit, built with that commit's own `xtask`.

use std::{
    fs, io,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, bail};

use super::bundle_dispatcher;
use crate::workspace;

/// A commit of this repository.
pub struct Commit {
    /// All 40 hexadecimal digits.
    pub id: String,
}

impl Commit {
    /// Finds the commit that `name` (an id, its beginning, a tag or a branch) refers to.
    ///
    /// # Errors
    /// When this clone does not have it.
    pub fn find(name: &str) -> Result<Self> {
        let revision = format!("{name}^{{commit}}");
        match git(&["rev-parse", "--verify", "--quiet", "--end-of-options", &revision]) {
            Ok(id) => Ok(Self { id }),
            Err(_) if git(&["rev-parse", "--is-shallow-repository"])? == "true" => {
                bail!("this shallow clone does not have the commit `{name}`: run `git fetch --unshallow`")
            }
            Err(_) => bail!("this clone does not have the commit `{name}`: check its id, or run `git fetch`"),
        }
    }

    /// Bundles the dispatch Worker of the commit into `out`. The build is kept in `target/bench/baselines/` for the next
    /// run.
    ///
    /// # Errors
    /// When the commit cannot be checked out, or its Worker does not build.
    pub fn bundle(&self, out: &Path) -> Result<()> {
        let folder = workspace::target().join("bench/baselines");
        let built = folder.join(&self.id);
        let short = self.id.get(..10).unwrap_or(&self.id);
        if built.exists() {
            eprintln!("[bench] baseline {short}: already built");
        } else {
            let worktree = Worktree::add(&self.id, folder.join(format!("{short}-source")))?;
            eprintln!("[bench] baseline {short}: building (minutes, once per commit)");
            worktree.build(&folder.join("target"))?;
            // The rename at the end marks a complete build; an interrupted build keeps the other name.
            let staging = folder.join(format!("{short}-bundle"));
            bundle_dispatcher(&worktree.folder.join("build"), &staging)
                .with_context(|| format!("the build of commit {short} is not what this benchmark expects"))?;
            fs::rename(&staging, &built)?;
        }
        fs::create_dir_all(out)?;
        for name in ["index.js", "index_bg.wasm"] {
            fs::copy(built.join(name), out.join(name)).with_context(|| format!("cannot copy {name}"))?;
        }
        Ok(())
    }
}

/// A checkout of a commit in a separate folder, which is removed when the value is dropped.
struct Worktree {
    folder: PathBuf,
}

impl Worktree {
    fn add(id: &str, folder: PathBuf) -> Result<Self> {
        // An interrupted run may have left one.
        let worktree = Self { folder };
        worktree.remove();
        let path = worktree.folder.to_string_lossy();
        git(&["worktree", "add", "--quiet", "--force", "--detach", &path, id])?;
        symlink(
            workspace::path("node_modules"),
            worktree.folder.join("node_modules"),
        )
        .or_else(|error| match error.kind() {
            io::ErrorKind::AlreadyExists => Ok(()),
            _ => Err(error),
        })?;
        Ok(worktree)
    }

    /// Runs the commit's own build. `target` is not this checkout's: cargo would replace the program that is running.
    fn build(&self, target: &Path) -> Result<()> {
        let status = Command::new("cargo")
            .current_dir(&self.folder)
            .args([
                "run",
                "--locked",
                "--package",
                "xtask",
                "--",
                "build",
                "dispatcher",
            ])
            .env("CARGO_TARGET_DIR", target)
            .status()
            .context("cannot run cargo")?;
        if !status.success() {
            bail!("the dispatch Worker of the baseline commit does not build");
        }
        Ok(())
    }

    fn remove(&self) {
        // Neither fails the benchmark: the next run tries again.
        let _ = fs::remove_dir_all(&self.folder);
        let _ = git(&["worktree", "prune"]);
    }
}

impl Drop for Worktree {
    fn drop(&mut self) {
        self.remove();
    }
}

fn git(arguments: &[&str]) -> Result<String> {
    let output = Command::new("git")
        .current_dir(workspace::root())
        .args(arguments)
        .output()
        .context("cannot run git")?;
    if !output.status.success() {
        bail!(
            "git {} failed: {}",
            arguments.join(" "),
            String::from_utf8_lossy(&output.stderr).trim()
        );
    }
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_current_commit_is_found_by_the_beginning_of_its_id() {
        let head = Commit::find("HEAD").unwrap().id;
        assert_eq!(head.len(), 40);
        assert_eq!(Commit::find(&head[..12]).unwrap().id, head);
    }

    #[test]
    fn an_unknown_commit_is_named_in_the_error_with_what_to_run() {
        for name in ["0123456789012345678901234567890123456789", "--all", ""] {
            let error = Commit::find(name).err().unwrap().to_string();
            assert!(error.contains(&format!("`{name}`")), "{error}");
            assert!(error.contains("run `git fetch"), "{error}");
        }
    }
}
