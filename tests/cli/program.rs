//! Runs of the program against the platform that all tests share.

use anyhow::{Context, Result, ensure};
use dotdo_names::Environment::{self, Development, Production, Staging};
use end_to_end::{Command, Finished, Options, Platform, Script, Shared};
use serde_json::Value;

/// The platform that all tests of this program share. Each test has Workers with their own names.
pub fn platform() -> &'static Platform {
    static SHARED: Shared = Shared::new(|| {
        Options::new().deploy_api_variable(
            "CHECKPOINT_KEY",
            "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",
        )
    });
    SHARED.get()
}

/// The program with the developer's token.
pub fn dotdo(arguments: &[&str]) -> Result<Command> {
    dotdo_as(platform().token(), arguments)
}

/// The program with another token.
pub fn dotdo_as(token: &str, arguments: &[&str]) -> Result<Command> {
    Ok(Command::dotdo(arguments)?
        .variable("DOTDO_API", &api())
        .variable("DOTDO_TOKEN", token))
}

/// The address of the platform's deploy API.
pub fn api() -> String {
    format!("http://localhost:{}", platform().port())
}

/// Runs the program, which must succeed, and returns its output.
pub async fn succeeds(arguments: &[&str]) -> Result<String> {
    let finished = dotdo(arguments)?.run().await?;
    ensure!(
        finished.code == Some(0),
        "dotdo {arguments:?}: {:?}\n{}{}",
        finished.code,
        finished.output,
        finished.errors
    );
    Ok(finished.output)
}

/// Runs the program with `--json`, which must succeed, and returns its output.
pub async fn json(arguments: &[&str]) -> Result<Value> {
    let output = succeeds(&[arguments, &["--json"]].concat()).await?;
    serde_json::from_str(&output).with_context(|| format!("dotdo {arguments:?}: {output}"))
}

/// Runs the program, which must end with an exit code, and returns what it wrote.
pub async fn fails(code: i32, arguments: &[&str]) -> Result<Finished> {
    let finished = dotdo(arguments)?.run().await?;
    ensure!(
        finished.code == Some(code),
        "dotdo {arguments:?}: {:?}\n{}{}",
        finished.code,
        finished.output,
        finished.errors
    );
    Ok(finished)
}

/// Deploys versions of a Worker, one after the other.
pub async fn deploy(environment: Environment, worker: &str, versions: &[&str]) -> Result<()> {
    for version in versions {
        platform()
            .deploy(environment, worker, &Script::answering(version))
            .await?;
    }
    Ok(())
}

/// What a Worker in an environment responds.
pub async fn served(environment: Environment, worker: &str) -> Result<String> {
    let host = match environment {
        Production => format!("{worker}.do"),
        Staging => format!("staging.{worker}.do"),
        Development => format!("dev.{worker}.do"),
    };
    Ok(platform().get(&host, "/").await?.text())
}

/// Asserts that a text contains others.
pub fn assert_contains(text: &str, expected: &[&str]) {
    for expected in expected {
        assert!(text.contains(expected), "{expected:?} is missing in:\n{text}");
    }
}
