//! Commands that are killed at any moment and run again.

use std::fs::File;
use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Result, ensure};
use dotdo_names::Environment::{Development, Staging};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::program::{assert_contains, deploy, dotdo, dotdo_as, fails, json, served, succeeds};

/// How often a command is killed before it runs to its end.
const KILLS: usize = 3;

/// The latest moment at which a command is killed, in milliseconds. Most commands have ended by then.
const LATEST: u64 = 200;

/// Starts a command and kills it, several times. Returns the moments for the message of a test that fails.
pub async fn killed(arguments: &[&str], input: &str) -> Result<Vec<Duration>> {
    let folder = TempDir::with_prefix("dotdo-killed-")?;
    let file = folder.path().join("input");
    std::fs::write(&file, input)?;
    let mut moments = Vec::new();
    for _ in 0..KILLS {
        // A hash of nothing with random keys.
        let moment = Duration::from_millis(RandomState::new().build_hasher().finish() % LATEST);
        let mut child = dotdo(arguments)?
            .into_std()
            .stdin(File::open(&file)?)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        tokio::time::sleep(moment).await;
        let _ = child.kill();
        child.wait()?;
        moments.push(moment);
    }
    Ok(moments)
}

/// Kills a command several times, and then runs it to its end. It succeeds, or says with this text that nothing is left to do.
async fn repeated(arguments: &[&str], input: &str, done: Option<&str>) -> Result<String> {
    let moments = killed(arguments, input).await?;
    let last = dotdo(arguments)?.input(input).run().await?;
    let is_done = last.code == Some(1) && done.is_some_and(|done| last.errors.contains(done));
    ensure!(
        last.code == Some(0) || is_done,
        "dotdo {arguments:?}, killed after {moments:?}: {:?}\n{}{}",
        last.code,
        last.output,
        last.errors
    );
    Ok(last.output)
}

#[end_to_end::test]
async fn a_deployment_that_is_killed_at_any_moment_can_be_run_again() -> Result<()> {
    deploy(Development, "killed", &["1", "2"]).await?;
    let of_worker = |command: &'static str| [command, "killed", "--env", "development"];
    repeated(&of_worker("rollback"), "", Some("already rolled back")).await?;
    assert_eq!(served(Development, "killed").await?, "1", "not one further back");

    repeated(&["promote", "killed", "--env", "staging"], "", None).await?;
    assert_eq!(served(Staging, "killed").await?, "1");
    assert_eq!(served(Development, "killed").await?, "1");

    repeated(&of_worker("delete"), "", Some("WORKER_UNKNOWN")).await?;
    let state = json(&["worker", "killed"]).await?;
    let deployed: Vec<_> = state["environments"]
        .as_array()
        .expect("environments")
        .iter()
        .map(|found| !found["worker"].is_null())
        .collect();
    assert_eq!(deployed, [false, true, false], "{state:#}");
    // No change is left open.
    for namespace in json(&["status"]).await?["namespaces"]
        .as_array()
        .expect("namespaces")
    {
        let open = namespace["open_intents"].as_array().expect("intents");
        assert!(
            open.iter().all(|open| open["worker"] != "killed"),
            "{namespace:#}"
        );
    }
    Ok(())
}

#[end_to_end::test]
async fn a_setting_that_is_killed_at_any_moment_can_be_run_again() -> Result<()> {
    const WORKER: [&str; 3] = ["set-again", "--env", "staging"];
    deploy(Staging, "set-again", &["1", "2"]).await?;
    let of_worker = |command: &[&'static str], more: &[&'static str]| [command, &WORKER, more].concat();

    repeated(&of_worker(&["secrets", "set"], &["KEY"]), "value", None).await?;
    let names = |secrets: &Value| -> Vec<Value> {
        let items = secrets["items"].as_array().into_iter().flatten();
        items.map(|secret| secret["name"].clone()).collect()
    };
    let listed = of_worker(&["secrets", "list"], &[]);
    assert_eq!(names(&json(&listed).await?), [json!("KEY")]);
    repeated(
        &of_worker(&["secrets", "remove"], &["KEY"]),
        "",
        Some("SECRET_UNKNOWN"),
    )
    .await?;
    assert_eq!(names(&json(&listed).await?), [] as [Value; 0]);

    repeated(&of_worker(&["tags", "set"], &["billing", "eu"]), "", None).await?;
    assert_eq!(
        json(&of_worker(&["tags", "list"], &[])).await?,
        json!({ "tags": ["billing", "eu"] })
    );
    repeated(&of_worker(&["health", "set"], &["--path", "/"]), "", None).await?;
    repeated(&of_worker(&["health", "remove"], &[]), "", None).await?;
    assert_eq!(
        json(&of_worker(&["health", "show"], &[])).await?,
        json!({ "health_check": null })
    );

    repeated(
        &of_worker(&["lock"], &["--why", "audit week", "--until", "1h"]),
        "",
        None,
    )
    .await?;
    let locked = fails(1, &of_worker(&["rollback"], &[])).await?;
    assert_contains(&locked.errors, &["WORKER_LOCKED", "audit week"]);
    repeated(&of_worker(&["unlock"], &[]), "", None).await?;
    succeeds(&of_worker(&["rollback"], &[])).await?;
    assert_eq!(served(Staging, "set-again").await?, "1");
    Ok(())
}

#[end_to_end::test]
async fn a_token_that_is_created_or_revoked_again_is_usable_or_revoked() -> Result<()> {
    let create = [
        "tokens",
        "create",
        "developer",
        "--allow",
        "read",
        "--env",
        "staging",
        "--expires",
        "1h",
    ];
    // A killed command may have created tokens that nobody has seen.
    let token = repeated(&create, "", None).await?;
    let who: Value =
        serde_json::from_str(&dotdo_as(token.trim(), &["whoami", "--json"])?.run().await?.output)?;
    let id = who["token"]["id"].as_str().expect("an id");
    repeated(&["tokens", "revoke", id, "--yes"], "", None).await?;
    assert_eq!(dotdo_as(token.trim(), &["whoami"])?.run().await?.code, Some(1));
    Ok(())
}
