//! `login`, `logout`, `whoami`, `doctor`, and where credentials come from.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use anyhow::Result;
use end_to_end::{Command, Finished, free_port, repository};
use tempfile::TempDir;

use crate::program::{api, assert_contains, dotdo, dotdo_as, fails, json, platform, succeeds};

/// Runs the program in a folder, with its stored credentials in another one, and without variables.
async fn run_in(folder: &Path, configuration: &Path, arguments: &[&str], input: &str) -> Result<Finished> {
    let mut command = Command::dotdo(arguments)?.into_std();
    command.current_dir(folder);
    let command = Command::of(command).variable("XDG_CONFIG_HOME", &configuration.display().to_string());
    command.input(input).run().await
}

#[end_to_end::test]
async fn a_login_is_stored_for_this_user_only_until_the_logout() -> Result<()> {
    let (folder, configuration) = (TempDir::new()?, TempDir::new()?);
    let run = async |arguments: &[&str], input: &str| {
        run_in(folder.path(), configuration.path(), arguments, input).await
    };
    let nobody = run(&["whoami"], "").await?;
    assert_eq!(nobody.code, Some(2), "{}", nobody.errors);
    assert_contains(&nobody.errors, &["dotdo login", "DOTDO_API", "npm run dev"]);

    let wrong = run(
        &["login", &api()],
        "dotdo_api_000000000000000000000000000000000000000000000000\n",
    )
    .await?;
    assert_eq!(wrong.code, Some(1), "{}", wrong.errors);
    assert_contains(&wrong.errors, &["AUTHENTICATION_FAILED", "dotdo login"]);
    let file = configuration.path().join("dotdo/credentials.json");
    assert!(!file.exists());

    let login = run(
        &["login", &format!("{}/client/v4", api())],
        &format!("{}\n", platform().token()),
    )
    .await?;
    assert_eq!(login.code, Some(0), "{}", login.errors);
    assert_eq!(fs::metadata(&file)?.permissions().mode() & 0o777, 0o600);
    assert!(!(login.output + &login.errors).contains(platform().token()));
    let known = run(&["whoami"], "").await?;
    assert_contains(
        &known.output,
        &[
            "the API token of developer",
            &api(),
            "dotdo login",
            "developer-of-this-machine",
        ],
    );
    assert_eq!(run(&["logout"], "").await?.code, Some(0));
    assert_eq!(run(&["whoami"], "").await?.code, Some(2));
    Ok(())
}

#[end_to_end::test]
async fn the_folder_of_a_worker_needs_no_login_while_its_platform_runs() -> Result<()> {
    let (folder, configuration) = (TempDir::new()?, TempDir::new()?);
    // `npm run dev` writes this file.
    fs::copy(platform().state().join(".env"), folder.path().join(".env"))?;
    let known = run_in(folder.path(), configuration.path(), &["whoami", "--json"], "").await?;
    assert_eq!(known.code, Some(0), "{}", known.errors);
    assert_contains(&known.output, &["developer", "of the platform on this machine"]);
    let env = fs::read_to_string(folder.path().join(".env"))?;
    let stopped = env.replace(&platform().port().to_string(), &free_port()?.to_string());
    fs::write(folder.path().join(".env"), stopped)?;
    let nobody = run_in(folder.path(), configuration.path(), &["whoami"], "").await?;
    assert_eq!(nobody.code, Some(2), "{}", nobody.errors);
    Ok(())
}

#[end_to_end::test]
async fn says_that_the_deploy_api_cannot_be_reached() -> Result<()> {
    let address = format!("http://localhost:{}", free_port()?);
    let command = dotdo(&["status"])?.variable("DOTDO_API", &address);
    let unreachable = command.run().await?;
    assert_eq!(unreachable.code, Some(3), "{}", unreachable.errors);
    assert_contains(&unreachable.errors, &[&address, "npm run dev"]);
    let half = Command::dotdo(&["status"])?
        .variable("DOTDO_API", &address)
        .run()
        .await?;
    assert_eq!(half.code, Some(2), "{}", half.errors);
    assert_contains(&half.errors, &["DOTDO_TOKEN is not"]);
    Ok(())
}

#[end_to_end::test]
async fn whoami_shows_the_rules_that_apply() -> Result<()> {
    let text = succeeds(&["whoami"]).await?;
    assert_contains(
        &text,
        &[
            "developer-of-this-machine",
            "production, staging, development",
            "rollback",
            "DOTDO_TOKEN",
        ],
    );
    let known = json(&["whoami"]).await?;
    assert_eq!(known["identity"]["subject"], "developer", "{known}");
    assert_eq!(known["rules"][0]["rule"], "developer-of-this-machine");
    let unknown = dotdo_as("dotdo_api_0", &["whoami"])?.run().await?;
    assert_eq!(unknown.code, Some(1), "{}", unknown.errors);
    Ok(())
}

#[end_to_end::test]
async fn the_doctor_checks_everything_in_one_line_each() -> Result<()> {
    let text = succeeds(&["doctor"]).await?;
    assert_contains(
        &text,
        &[
            "credentials",
            "deploy API",
            "clock",
            "token",
            "dispatch Worker",
            "is bound to production, staging, development",
            "wrangler",
        ],
    );
    let checks = json(&["doctor"]).await?;
    let outcome = |name: &str| {
        let checks = checks["checks"].as_array().expect("a list");
        checks
            .iter()
            .find(|check| check["check"] == name)
            .map(|check| check["outcome"].clone())
    };
    for name in [
        "credentials",
        "deploy API",
        "clock",
        "token",
        "dispatch Worker",
        "wrangler",
    ] {
        assert_eq!(outcome(name), Some("ok".into()), "{name}: {checks}");
    }
    let folder = TempDir::new()?;
    fs::copy(platform().state().join(".env"), folder.path().join(".env"))?;
    let mut command = dotdo(&["doctor"])?.into_std();
    command.current_dir(folder.path());
    let there = Command::of(command).run().await?;
    assert_contains(
        &there.output,
        &["wrangler's variables  ok", "is not installed in this folder"],
    );

    let refused = dotdo_as("dotdo_api_0", &["doctor"])?.run().await?;
    assert_eq!(refused.code, Some(1), "{}", refused.output);
    assert_contains(&refused.output, &["token", "failed", "dotdo login"]);
    let address = format!("http://localhost:{}", free_port()?);
    let unreachable = dotdo(&["doctor"])?.variable("DOTDO_API", &address).run().await?;
    assert_eq!(unreachable.code, Some(3), "{}", unreachable.output);
    Ok(())
}

#[end_to_end::test]
async fn help_completions_and_wrong_arguments_need_no_platform() -> Result<()> {
    for shell in ["bash", "zsh", "fish"] {
        let script = succeeds(&["completions", shell]).await?;
        assert_contains(&script, &["rollback"]);
    }
    assert_contains(&succeeds(&["--help"]).await?, &["Exit codes:", "deployments"]);
    fails(2, &["rollback", "agents"]).await?;
    fails(2, &["rollback", "agents", "--env", "qa"]).await?;
    fails(2, &["no-such-command"]).await?;
    let wrong = fails(2, &["logs", "agents", "--json"]).await?;
    let error: serde_json::Value = serde_json::from_str(&wrong.errors)?;
    assert_eq!(error["exit_code"], 2, "{error}");
    assert_contains(&error["error"].to_string(), &["--env <ENV>"]);
    assert_contains(&error["fix"].to_string(), &["Usage: dotdo logs"]);
    let script = fs::read_to_string(repository().join("package.json"))?;
    assert_contains(
        &script,
        &["\"dotdo\": \"sh cli/run\"", "\"route\": \"sh cli/run route\""],
    );
    Ok(())
}
