//! Stock wrangler, unpatched, as a developer runs it.

use std::{env, path::Path, process::Stdio};

use anyhow::{Context, Result};
use tokio::process::Command;

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
    let mut command = command(version, folder, arguments);
    command
        .env("CLOUDFLARE_API_BASE_URL", platform.base_url())
        .env("CLOUDFLARE_API_TOKEN", token)
        .env("CLOUDFLARE_ACCOUNT_ID", platform.account());
    finish(command).await
}

/// Runs wrangler in a folder against a platform, with the platform's own token.
///
/// # Errors
/// When it cannot be started.
pub async fn run(platform: &Platform, version: Version, folder: &Path, arguments: &[&str]) -> Result<Run> {
    run_as(platform, platform.token(), version, folder, arguments).await
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
    finish(command).await
}

/// Runs wrangler in a folder against nobody.
///
/// # Errors
/// When it cannot be started.
pub async fn run_alone(version: Version, folder: &Path, arguments: &[&str]) -> Result<Run> {
    finish(command(version, folder, arguments)).await
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
        .stdin(Stdio::null());
    command
}

async fn finish(mut command: Command) -> Result<Run> {
    let output = command
        .output()
        .await
        .context("cannot start wrangler: run `npm ci` first")?;
    let mut text = String::from_utf8_lossy(&output.stdout).into_owned();
    text.push_str(&String::from_utf8_lossy(&output.stderr));
    Ok(Run {
        succeeded: output.status.success(),
        output: text,
    })
}
