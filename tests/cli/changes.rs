//! Changes: `rollback`, `promote`, `delete`, `lock`, `unlock`, and their confirmation.

use anyhow::Result;
use dotdo_names::Environment::{Development, Production, Staging};
use end_to_end::Script;
use serde_json::{Value, json};

use crate::program::{assert_contains, deploy, fails, json, platform, served, succeeds};

#[end_to_end::test]
async fn rolls_back_in_production_only_after_a_confirmation() -> Result<()> {
    deploy(Production, "backed", &["1", "2"]).await?;
    let rollback = ["rollback", "backed", "--env", "production"];
    let preview = json(&[&rollback[..], &["--dry-run"]].concat()).await?;
    assert_eq!(preview["dry_run"], true, "{preview}");
    let refused = fails(2, &rollback).await?;
    assert_contains(&refused.output, &["production", "by developer"]);
    assert_contains(&refused.errors, &["Roll backed back in production?", "--yes"]);
    assert_eq!(served(Production, "backed").await?, "2");

    let done = json(&[&rollback[..], &["--yes"]].concat()).await?;
    assert_eq!(done["verb"], "rollback", "{done}");
    assert_eq!(done["source"], preview["source"]["id"], "{done}");
    assert_eq!(served(Production, "backed").await?, "1");
    Ok(())
}

#[end_to_end::test]
async fn a_rollback_that_was_made_is_not_repeated() -> Result<()> {
    deploy(Staging, "again", &["1", "2", "3"]).await?;
    let rollback = ["rollback", "again", "--env", "staging"];
    succeeds(&rollback).await?;
    assert_eq!(served(Staging, "again").await?, "2");
    // As if the first command was killed before it printed its result.
    let again = fails(1, &rollback).await?;
    assert_contains(
        &again.errors,
        &["already rolled back", "dotdo rollback again --env staging --to "],
    );
    assert_eq!(served(Staging, "again").await?, "2");
    let command = again.errors.split('`').nth(1).expect("a command");
    let arguments: Vec<&str> = command.split(' ').skip(1).collect();
    succeeds(&arguments).await?;
    assert_eq!(served(Staging, "again").await?, "1");
    let unknown = fails(2, &[&rollback[..], &["--to", "ffffffff"]].concat()).await?;
    assert_contains(&unknown.errors, &["dotdo deployments again --env staging"]);
    Ok(())
}

#[end_to_end::test]
async fn a_promotion_shows_the_difference_and_what_is_missing() -> Result<()> {
    let version = |mode: &str| Script::answering(mode).with_text("MODE", mode);
    platform()
        .deploy(Development, "promoted", &version("new"))
        .await?;
    let promote = ["promote", "promoted", "--env", "staging"];
    let incomplete = fails(1, &promote).await?;
    assert_contains(
        &incomplete.output,
        &[
            "development to staging",
            "modules added",
            "MODE has no value in the target",
        ],
    );
    assert_contains(&incomplete.errors, &["PROMOTION_INCOMPLETE", "--var NAME=VALUE"]);
    fails(1, &[&promote[..], &["--dry-run"]].concat()).await?;

    let promoted = json(&[&promote[..], &["--var", "MODE=of-staging"]].concat()).await?;
    assert_eq!(promoted["verb"], "promote", "{promoted}");
    assert_eq!(
        promoted["difference"]["variables"][0]["from"], "given",
        "{promoted}"
    );
    assert_eq!(served(Staging, "promoted").await?, "new");
    let to_production = [
        "promote",
        "promoted",
        "--env",
        "production",
        "--variables",
        "copy",
    ];
    fails(2, &to_production).await?;
    succeeds(&[&to_production[..], &["--yes"]].concat()).await?;
    assert_eq!(served(Production, "promoted").await?, "new");
    fails(
        2,
        &["promote", "promoted", "--env", "staging", "--from", "staging"],
    )
    .await?;
    let nothing = fails(1, &["promote", "never-promoted", "--env", "staging"]).await?;
    assert_contains(
        &nothing.errors,
        &[
            "Deploy it in development first",
            "--from",
            "dotdo worker never-promoted",
        ],
    );
    Ok(())
}

#[end_to_end::test]
async fn a_deletion_says_what_is_lost() -> Result<()> {
    let script =
        Script::answering("x").with_binding(json!({ "type": "secret_text", "name": "KEY", "text": "v" }));
    platform().deploy(Production, "deleted", &script).await?;
    let delete = ["delete", "deleted", "--env", "production"];
    let preview = json(&[&delete[..], &["--dry-run"]].concat()).await?;
    assert_eq!(preview["secrets"], json!(["KEY"]), "{preview}");
    assert_eq!(preview["problem"], Value::Null);
    let asked = fails(2, &delete).await?;
    assert_contains(&asked.output, &["secrets lost", "KEY"]);
    assert_eq!(served(Production, "deleted").await?, "x");
    assert_eq!(
        json(&[&delete[..], &["-y"]].concat()).await?,
        json!({ "deleted": true })
    );
    let gone = fails(1, &[&delete[..], &["-y"]].concat()).await?;
    assert_contains(&gone.errors, &["WORKER_UNKNOWN", "dotdo workers production"]);
    Ok(())
}

#[end_to_end::test]
async fn a_lock_stops_changes_until_it_is_removed() -> Result<()> {
    deploy(Staging, "stopped", &["1", "2"]).await?;
    let lock = [
        "lock",
        "stopped",
        "--env",
        "staging",
        "--why",
        "audit week",
        "--until",
        "1h",
    ];
    let locked = json(&lock).await?;
    assert_eq!(locked["lock"]["why"], "audit week", "{locked}");
    for change in [
        &["rollback", "stopped", "--env", "staging"][..],
        &["rollback", "stopped", "--env", "staging", "--dry-run"],
        &["delete", "stopped", "--env", "staging"],
    ] {
        let refused = fails(1, change).await?;
        assert_contains(
            &refused.errors,
            &[
                "audit week",
                "dotdo unlock stopped --env staging",
                "WORKER_LOCKED",
            ],
        );
    }
    let error: Value = serde_json::from_str(
        &fails(1, &["delete", "stopped", "--env", "staging", "--json"])
            .await?
            .errors,
    )?;
    assert_eq!(error["code"], "WORKER_LOCKED", "{error}");
    assert_eq!(error["exit_code"], 1);
    assert_contains(
        &succeeds(&["unlock", "stopped", "--env", "staging"]).await?,
        &["audit week", "not locked any more"],
    );
    succeeds(&["unlock", "stopped", "--env", "staging"]).await?;
    succeeds(&["rollback", "stopped", "--env", "staging"]).await?;
    fails(
        2,
        &["lock", "--env", "staging", "--why", "neither a Worker nor --all"],
    )
    .await?;
    fails(
        2,
        &["lock", "--all", "--env", "production", "--why", "not confirmed"],
    )
    .await?;
    Ok(())
}
