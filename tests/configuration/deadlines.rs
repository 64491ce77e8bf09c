//! A test that hangs fails by its name and leaves no process.

use std::{
    env, fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context, Result};
use end_to_end::{Command, Finished, Options, Platform, repository, until};
use tempfile::TempDir;

/// Runs ignored tests of this program, with a deadline of five seconds.
async fn run_ignored(tests: &[&str]) -> Result<Finished> {
    let mut command = std::process::Command::new(env::current_exe()?);
    command.args(["--ignored", "--exact"]).args(tests);
    Command::of(command)
        .variable("END_TO_END_TEST_SECONDS", "5")
        .run()
        .await
}

#[end_to_end::test]
#[ignore = "hangs, for a_test_that_hangs_fails_by_its_name"]
async fn hangs_in_an_await() {
    std::future::pending::<()>().await;
}

#[end_to_end::test]
#[ignore = "hangs, for a_test_that_hangs_fails_by_its_name"]
async fn hangs_in_a_blocking_call() {
    std::thread::sleep(Duration::from_hours(1));
}

#[end_to_end::test]
#[ignore = "belongs to a_test_that_hangs_fails_by_its_name"]
async fn does_not_hang() {}

#[end_to_end::test]
async fn a_test_that_hangs_fails_by_its_name() -> Result<()> {
    let hanging = ["hangs_in_an_await", "hangs_in_a_blocking_call"];
    let finished = run_ignored(&[
        "deadlines::hangs_in_an_await",
        "deadlines::hangs_in_a_blocking_call",
        "deadlines::does_not_hang",
    ])
    .await?;
    let output = &finished.output;
    assert!(!finished.succeeded, "{output}");
    for test in hanging {
        let message = format!("the test {test} did not end within 5 s");
        assert!(output.contains(&message), "{message}: {output}");
        let result = format!("test deadlines::{test} ... FAILED");
        assert!(output.contains(&result), "{result}: {output}");
    }
    assert!(output.contains("1 passed; 2 failed"), "{output}");
    Ok(())
}

/// The file in which a program that hangs stores its process id.
const PROCESS_ID: &str = "DEADLINES_PROCESS_ID";

fn program_that_hangs(folder: &Path) -> Result<PathBuf> {
    let path = folder.join("hangs");
    fs::write(
        &path,
        format!("#!/bin/sh\necho $$ > \"${PROCESS_ID}\"\necho 'the reason' >&2\nexec sleep 3600\n"),
    )?;
    fs::set_permissions(&path, fs::Permissions::from_mode(0o700))?;
    Ok(path)
}

#[end_to_end::test]
#[ignore = "fails, for a_platform_that_does_not_start_fails_the_test"]
async fn starts_a_platform_that_hangs() -> Result<()> {
    let folder = TempDir::with_prefix("dotdo-hangs-")?;
    Platform::try_start(Options::new().program(&program_that_hangs(folder.path())?))?;
    Ok(())
}

#[end_to_end::test]
async fn a_platform_that_does_not_start_fails_the_test() -> Result<()> {
    let folder = TempDir::with_prefix("dotdo-hangs-")?;
    let file = folder.path().join("id");
    let mut command = std::process::Command::new(env::current_exe()?);
    command
        .args(["--ignored", "--exact", "deadlines::starts_a_platform_that_hangs"])
        .env(PROCESS_ID, &file)
        .env("END_TO_END_PLATFORM_SECONDS", "1");
    let finished = Command::of(command).run().await?;
    let output = &finished.output;
    assert!(!finished.succeeded, "{output}");
    for expected in [
        "starts_a_platform_that_hangs",
        "not ready within 1 s",
        "the reason",
    ] {
        assert!(output.contains(expected), "{expected}: {output}");
    }
    assert_ended(&file).await
}

#[end_to_end::test]
async fn a_command_that_hangs_is_killed_and_its_output_is_shown() -> Result<()> {
    let folder = TempDir::with_prefix("dotdo-hangs-")?;
    let file = folder.path().join("id");
    let mut command = std::process::Command::new("sh");
    // The shell waits for a child, which has to be killed, too.
    command
        .args(["-c", "\"$0\" & wait"])
        .arg(program_that_hangs(folder.path())?)
        .env(PROCESS_ID, &file);
    let error = Command::of(command)
        .limit(Duration::from_secs(2))
        .run()
        .await
        .err()
        .context("the command did not fail")?
        .to_string();
    assert!(
        error.contains("within 2 s") && error.contains("the reason"),
        "{error}"
    );
    assert_ended(&file).await
}

/// Asserts that the process whose id is in a file ends.
async fn assert_ended(file: &Path) -> Result<()> {
    let id = fs::read_to_string(file)?;
    let process = PathBuf::from(format!("/proc/{}/exe", id.trim()));
    until("the program that hangs is killed", async || {
        Ok(fs::read_link(&process).is_err().then_some(()))
    })
    .await
}

#[end_to_end::test]
async fn every_test_has_a_deadline() -> Result<()> {
    let mut count = 0;
    for folder in fs::read_dir(repository().join("tests"))? {
        let folder = folder?;
        if !folder.file_type()?.is_dir() {
            continue;
        }
        for file in fs::read_dir(folder.path())? {
            let path = file?.path();
            if path.extension().is_some_and(|extension| extension == "rs") {
                let text = fs::read_to_string(&path)?;
                for line in text
                    .lines()
                    .filter(|line| line.starts_with("#[") && line.contains("test"))
                {
                    let other = ["#[test]", "#[tokio::test"]
                        .iter()
                        .find(|other| line.starts_with(*other));
                    assert_eq!(other, None, "{}", path.display());
                    count += usize::from(line == "#[end_to_end::test]");
                }
            }
        }
    }
    assert!(count > 150, "found {count} tests");
    Ok(())
}
