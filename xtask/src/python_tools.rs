//! Programs from `PyPI`, which are installed into the folder of cargo's output at the versions of a file with requirements.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, bail};

use crate::workspace;

/// Installs a program, unless it is installed with these requirements, and returns its path.
///
/// `requirements` is a path in the repository: a file of pip, with hashes where the package has no dependencies.
///
/// # Errors
/// When there is no Python 3.10 or later, or a package cannot be installed.
pub fn program(name: &str, requirements: &str) -> Result<PathBuf> {
    let folder = workspace::target().join("python").join(name);
    let program = folder.join("bin").join(name);
    let file = workspace::path(requirements);
    let wanted = fs::read_to_string(&file).with_context(|| format!("cannot read {requirements}"))?;
    // The programs of a virtual environment contain its path, so it does not work after the folder was moved.
    let wanted = format!("# {}\n{wanted}", folder.display());
    let stamp = folder.join("installed-requirements.txt");
    if program.exists() && fs::read_to_string(&stamp).is_ok_and(|installed| installed == wanted) {
        return Ok(program);
    }
    step(
        Path::new("python3"),
        &["-m", "venv", "--clear", &folder.display().to_string()],
    )?;
    step(
        &folder.join("bin/pip"),
        &[
            "install",
            "--quiet",
            "--disable-pip-version-check",
            "--requirement",
            &file.display().to_string(),
        ],
    )?;
    fs::write(&stamp, wanted).with_context(|| format!("cannot write {}", stamp.display()))?;
    Ok(program)
}

fn step(program: &Path, arguments: &[&str]) -> Result<()> {
    let status = Command::new(program)
        .args(arguments)
        .status()
        .with_context(|| format!("cannot run {}: it needs Python 3.10 or later", program.display()))?;
    if !status.success() {
        bail!(
            "{} {} ended with {status}",
            program.display(),
            arguments.join(" ")
        );
    }
    Ok(())
}
