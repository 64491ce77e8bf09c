//! Stock wrangler, unpatched, as a developer runs it.

use std::{env, path::Path, process::Stdio};

use anyhow::{Context, Result};
use tokio::{io::AsyncWriteExt, process::Command};

use crate::{Platform, launch::repository};

/// A version of wrangler that developers have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    /// The last that runs on Node 20.
    V4_86,
    /// The one that this repository pins.
    V4_152,
}

impl Version {
    /// Both.
    pub const ALL: [Self; 2] = [Self::V4_86, Self::V4_152];

    fn program(self) -> &'static str {
        match self {
            Self::V4_86 => "node_modules/wrangler-4-86/bin/wrangler.js",
            Self::V4_152 => "node_modules/wrangler/bin/wrangler.js",
        }
    }
}

/// What a run of wrangler printed, and whether it succeeded.
#[derive(Clone, Debug)]
pub struct Run {
    /// Whether it ended with 0.
    pub succeeded: bool,
    /// Both streams, standard output first.
    pub output: String,
}

/// A run of wrangler to be.
#[derive(Clone, Debug)]
pub struct Call<'a> {
    platform: &'a Platform,
    version: Version,
    folder: &'a Path,
    base_url: &'a str,
    token: &'a str,
    input: &'a str,
}

impl<'a> Call<'a> {
    /// A run in a folder against a platform, with the platform's own token.
    #[must_use]
    pub fn new(platform: &'a Platform, version: Version, folder: &'a Path) -> Self {
        Self {
            platform,
            version,
            folder,
            base_url: platform.base_url(),
            token: platform.token(),
            input: "",
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

    /// With something to read from its standard input.
    #[must_use]
    pub fn with_input(mut self, input: &'a str) -> Self {
        self.input = input;
        self
    }

    /// Runs it to its end.
    ///
    /// # Errors
    /// When it cannot be started.
    pub async fn run(&self, arguments: &[&str]) -> Result<Run> {
        let mut command = command(self.version, self.folder, arguments);
        command
            .env("CLOUDFLARE_API_BASE_URL", self.base_url)
            .env("CLOUDFLARE_API_TOKEN", self.token)
            .env("CLOUDFLARE_ACCOUNT_ID", self.platform.account());
        finish(command, self.input).await
    }
}

/// Runs wrangler in a folder against a platform, with a token.
///
/// # Errors
/// When it cannot be started.
pub async fn run_as(
    platform: &Platform,
    token: &str,
    version: Version,
    folder: &Path,
    arguments: &[&str],
) -> Result<Run> {
    Call::new(platform, version, folder)
        .with_token(token)
        .run(arguments)
        .await
}

/// Runs wrangler in a folder against a platform, with the platform's own token.
///
/// # Errors
/// When it cannot be started.
pub async fn run(platform: &Platform, version: Version, folder: &Path, arguments: &[&str]) -> Result<Run> {
    Call::new(platform, version, folder).run(arguments).await
}

/// Runs wrangler in a folder that says itself whom to speak to, in a `.env` file.
///
/// # Errors
/// When it cannot be started.
pub async fn run_without_variables(version: Version, folder: &Path, arguments: &[&str]) -> Result<Run> {
    let mut command = command(version, folder, arguments);
    for name in [
        "CLOUDFLARE_API_BASE_URL",
        "CLOUDFLARE_API_TOKEN",
        "CLOUDFLARE_ACCOUNT_ID",
    ] {
        command.env_remove(name);
    }
    finish(command, "").await
}

/// Runs wrangler in a folder against nobody.
///
/// # Errors
/// When it cannot be started.
pub async fn run_alone(version: Version, folder: &Path, arguments: &[&str]) -> Result<Run> {
    finish(command(version, folder, arguments), "").await
}

fn command(version: Version, folder: &Path, arguments: &[&str]) -> Command {
    let repository = repository();
    let programs = repository.join("node_modules/.bin");
    let path = env::var("PATH").unwrap_or_default();
    let mut command = Command::new(programs.join("node"));
    command
        .arg(repository.join(version.program()))
        .args(arguments)
        .current_dir(folder)
        .env("PATH", format!("{}:{path}", programs.display()))
        .env("WRANGLER_SEND_METRICS", "false")
        // Nothing of a test's runs is to stand in the home folder.
        .env("WRANGLER_LOG_PATH", env::temp_dir().join("dotdo-wrangler-logs"))
        .env("CI", "true")
        .env("NO_COLOR", "1")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    command
}

async fn finish(mut command: Command, input: &str) -> Result<Run> {
    let mut child = command
        .spawn()
        .context("cannot start wrangler: run `npm ci` first")?;
    if let Some(mut stdin) = child.stdin.take() {
        // Most commands read nothing, and may have ended.
        let _ = stdin.write_all(input.as_bytes()).await;
    }
    let output = child.wait_with_output().await?;
    let mut text = String::from_utf8_lossy(&output.stdout).into_owned();
    text.push_str(&String::from_utf8_lossy(&output.stderr));
    Ok(Run {
        succeeded: output.status.success(),
        output: text,
    })
}
