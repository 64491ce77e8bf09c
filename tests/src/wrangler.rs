//! Stock wrangler, unpatched, as a developer runs it.

use std::{env, path::Path};

use anyhow::Result;

use crate::{
    Command, Platform,
    programs::{node, repository},
};

/// A version of wrangler that developers use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    /// The last version that runs on Node 20.
    V4_86,
    /// The version that this repository pins.
    V4_152,
}

impl Version {
    /// Both versions.
    pub const ALL: [Self; 2] = [Self::V4_86, Self::V4_152];

    /// The path of its program, relative to the root of the repository.
    #[must_use]
    pub fn program(self) -> &'static str {
        match self {
            Self::V4_86 => "node_modules/wrangler-4-86/bin/wrangler.js",
            Self::V4_152 => "node_modules/wrangler/bin/wrangler.js",
        }
    }
}

/// The output of wrangler, and whether it succeeded.
#[derive(Clone, Debug)]
pub struct Run {
    /// Whether its exit code is 0.
    pub succeeded: bool,
    /// Standard output, then standard error.
    pub output: String,
}

/// A prepared run of wrangler.
#[derive(Clone, Debug)]
pub struct Call<'a> {
    platform: &'a Platform,
    program: &'a str,
    folder: &'a Path,
    base_url: &'a str,
    token: &'a str,
    input: &'a str,
    variables: Vec<(&'a str, &'a str)>,
}

impl<'a> Call<'a> {
    /// A run in a folder against a platform, with the platform's own token.
    #[must_use]
    pub fn new(platform: &'a Platform, version: Version, folder: &'a Path) -> Self {
        Self {
            platform,
            program: version.program(),
            folder,
            base_url: platform.base_url(),
            token: platform.token(),
            input: "",
            variables: Vec::new(),
        }
    }

    /// With another token.
    #[must_use]
    pub fn with_token(mut self, token: &'a str) -> Self {
        self.token = token;
        self
    }

    /// With another address of the platform's API.
    #[must_use]
    pub fn at(mut self, base_url: &'a str) -> Self {
        self.base_url = base_url;
        self
    }

    /// With text on its standard input.
    #[must_use]
    pub fn with_input(mut self, input: &'a str) -> Self {
        self.input = input;
        self
    }

    /// With another copy of wrangler. `path` is relative to the root of the repository.
    #[must_use]
    pub fn with_program(mut self, path: &'a str) -> Self {
        self.program = path;
        self
    }

    /// With a variable in its environment.
    #[must_use]
    pub fn with_variable(mut self, name: &'a str, value: &'a str) -> Self {
        self.variables.push((name, value));
        self
    }

    /// Runs it to its end.
    ///
    /// # Errors
    /// When it cannot be started or does not end before its deadline.
    pub async fn run(&self, arguments: &[&str]) -> Result<Run> {
        let mut command = command(self.program, self.folder, arguments);
        command
            .env("CLOUDFLARE_API_BASE_URL", self.base_url)
            .env("CLOUDFLARE_API_TOKEN", self.token)
            .env("CLOUDFLARE_ACCOUNT_ID", self.platform.account())
            .envs(self.variables.iter().copied());
        finish(command, self.input).await
    }
}

/// Runs wrangler in a folder against a platform, with the platform's own token.
///
/// # Errors
/// When it cannot be started or does not end before its deadline.
pub async fn run(platform: &Platform, version: Version, folder: &Path, arguments: &[&str]) -> Result<Run> {
    Call::new(platform, version, folder).run(arguments).await
}

/// Runs wrangler in a folder whose `.env` file has the API's address and token.
///
/// # Errors
/// When it cannot be started or does not end before its deadline.
pub async fn run_without_variables(version: Version, folder: &Path, arguments: &[&str]) -> Result<Run> {
    let mut command = command(version.program(), folder, arguments);
    for name in [
        "CLOUDFLARE_API_BASE_URL",
        "CLOUDFLARE_API_TOKEN",
        "CLOUDFLARE_ACCOUNT_ID",
    ] {
        command.env_remove(name);
    }
    finish(command, "").await
}

fn command(program: &str, folder: &Path, arguments: &[&str]) -> std::process::Command {
    let mut command = node();
    command
        .arg(repository().join(program))
        .args(arguments)
        .current_dir(folder)
        .env("WRANGLER_SEND_METRICS", "false")
        // Not in the home folder.
        .env("WRANGLER_LOG_PATH", env::temp_dir().join("dotdo-wrangler-logs"));
    command
}

async fn finish(command: std::process::Command, input: &str) -> Result<Run> {
    let finished = Command::of(command).input(input).run().await?;
    Ok(Run {
        succeeded: finished.succeeded,
        output: finished.output + &finished.errors,
    })
}
