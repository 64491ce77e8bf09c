use std::process::Stdio;

use anyhow::{Context, Result};

use crate::launch::{repository, xtask};

/// One of the project's own commands, as `npm run` runs it.
#[derive(Debug)]
pub struct Command(tokio::process::Command);

/// What a command printed, and whether it succeeded.
#[derive(Clone, Debug)]
pub struct Finished {
    /// Whether it ended with 0.
    pub succeeded: bool,
    /// Its standard output.
    pub output: String,
    /// Its standard error.
    pub errors: String,
}

impl Command {
    /// What stands behind `npm run` in `package.json`: `route`, with its arguments.
    #[must_use]
    pub fn new(arguments: &[&str]) -> Self {
        let mut command = tokio::process::Command::from(xtask());
        command
            .args(arguments)
            .current_dir(repository())
            .env("NO_COLOR", "1")
            .env("CI", "true")
            .stdin(Stdio::null())
            .kill_on_drop(true);
        Self(command)
    }

    /// With a variable in its environment.
    #[must_use]
    pub fn variable(mut self, name: &str, value: &str) -> Self {
        self.0.env(name, value);
        self
    }

    /// The command itself, to be started otherwise.
    #[must_use]
    pub fn into_std(self) -> std::process::Command {
        self.0.into_std()
    }

    /// Runs it to its end.
    ///
    /// # Errors
    /// When it cannot be started.
    pub async fn run(mut self) -> Result<Finished> {
        let output = self.0.output().await.context("cannot start the command")?;
        Ok(Finished {
            succeeded: output.status.success(),
            output: String::from_utf8_lossy(&output.stdout).into_owned(),
            errors: String::from_utf8_lossy(&output.stderr).into_owned(),
        })
    }
}
