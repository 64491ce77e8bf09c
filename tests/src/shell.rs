//! Runs the shell blocks of a document, as a reader pastes them into one shell, and workflows, as GitHub runs them.

use std::{
    env, fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, ensure};
use tempfile::TempDir;

use crate::{
    command::{Command, Finished},
    programs::{dotdo, repository},
    wrangler::Version,
};

/// A folder with programs that take the place of those that would compile, or that report an HTTP error with exit code 0.
#[derive(Debug)]
pub struct Shell {
    programs: TempDir,
}

/// `curl` that fails on a status of 400 or more, so that a test notices it.
const CURL: &str = r#"#!/bin/bash
for argument in "$@"; do
  case $argument in -*f | -f* | --fail*) exec REAL "$@" ;; esac
done
exec REAL --fail-with-body "$@"
"#;

/// `npx wrangler` of this repository, which says in a file that it ran.
const NPX: &str = r#"#!/bin/bash
[ "$1" != --no-install ] || shift
[ "$1" = wrangler ] || { echo "npx $*: only wrangler is installed" >&2; exit 127; }
shift
echo "npx wrangler $*" >> "$(dirname "$0")/calls"
exec NODE WRANGLER "$@"
"#;

/// `npm`: the commands of the project run without a build, and `npm ci` only says in a file that it ran.
const NPM: &str = r#"#!/bin/bash
echo "npm $*" >> "$(dirname "$0")/calls"
case "$1 $2" in
  "ci " | "run build") ;;
  "run check")
    shift 2
    [ "$1" != -- ] || shift
    exec XTASK check "$@"
    ;;
  "run route" | "run dotdo" | "run --silent")
    [ "$2" = route ] && command=route
    while [ "$1" != -- ]; do shift; done
    shift
    exec DOTDO $command "$@"
    ;;
  *) echo "npm $*: not in a test" >&2; exit 127 ;;
esac
"#;

impl Shell {
    /// Writes the programs.
    ///
    /// # Errors
    /// When a file cannot be written, or `curl` is not installed.
    pub fn new() -> Result<Self> {
        let shell = Self {
            programs: TempDir::with_prefix("dotdo-shell-")?,
        };
        let node = repository().join("node_modules/.bin/node");
        let wrangler = repository().join(Version::V4_152.program());
        let xtask = env::var("XTASK").unwrap_or_else(|_| format!("sh {}/xtask/run", repository().display()));
        let dotdo = dotdo()?.display().to_string();
        for (name, text) in [
            (
                "curl",
                CURL.replace("REAL", &installed("curl")?.display().to_string()),
            ),
            (
                "npx",
                NPX.replace("NODE", &node.display().to_string())
                    .replace("WRANGLER", &wrangler.display().to_string()),
            ),
            ("npm", NPM.replace("XTASK", &xtask).replace("DOTDO", &dotdo)),
            ("dotdo", format!("#!/bin/bash\nexec {dotdo} \"$@\"\n")),
        ] {
            shell.add(name, &text)?;
        }
        Ok(shell)
    }

    /// A run of `bash` with options and a script, in a folder.
    ///
    /// # Errors
    /// When the script cannot be written.
    pub fn bash(&self, folder: &Path, options: &[&str], script: &str) -> Result<Command> {
        let file = self.programs.path().join("script.sh");
        fs::write(&file, script)?;
        let mut command = std::process::Command::new("bash");
        command.args(options).arg(&file).current_dir(folder);
        Ok(self.with_programs(command))
    }

    /// Writes another program, or replaces one.
    ///
    /// # Errors
    /// When its file cannot be written.
    pub fn add(&self, name: &str, text: &str) -> Result<()> {
        let path = self.programs.path().join(name);
        fs::write(&path, text)?;
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755))?;
        Ok(())
    }

    /// The jobs of a workflow in a file, as GitHub runs them, in a folder with its checkout. The files of the runner are left in
    /// another, empty folder. `github` is a file with the event and with what GitHub stores: `actions/tests/run-workflow.ts`.
    #[must_use]
    pub fn workflow(
        &self,
        workflow: &Path,
        folder: &Path,
        temporary: &Path,
        github: Option<&Path>,
    ) -> Command {
        let mut command = std::process::Command::new(repository().join("node_modules/.bin/node"));
        command
            .arg(repository().join("actions/tests/run-workflow.ts"))
            .args([workflow, folder, temporary])
            .args(github)
            .current_dir(folder);
        self.with_programs(command)
    }

    fn with_programs(&self, mut command: std::process::Command) -> Command {
        let path = format!(
            "{}:{}",
            self.programs.path().display(),
            env::var("PATH").unwrap_or_default()
        );
        for name in [
            "CLOUDFLARE_API_BASE_URL",
            "CLOUDFLARE_API_TOKEN",
            "CLOUDFLARE_ACCOUNT_ID",
        ] {
            command.env_remove(name);
        }
        Command::of(command)
            .variable("PATH", &path)
            .variable("WRANGLER_SEND_METRICS", "false")
    }

    /// The commands of `npm` and `npx` that ran, one a line.
    #[must_use]
    pub fn calls(&self) -> String {
        fs::read_to_string(self.programs.path().join("calls")).unwrap_or_default()
    }
}

/// Requires that a run succeeded.
///
/// # Errors
/// Its output, if it did not.
pub fn succeeded(run: &Finished) -> Result<()> {
    ensure!(run.succeeded, "{}\n{}", run.output, run.errors);
    Ok(())
}

/// The path of a program of the system.
fn installed(name: &str) -> Result<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path)
        .map(|folder| folder.join(name))
        .find(|program| program.is_file())
        .with_context(|| format!("{name} is not installed"))
}
