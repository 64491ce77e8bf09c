//! `setup` against the local platform in place of an empty Cloudflare account, on which the deployed Workers run.

mod break_glass;
mod machine;
mod self_deploy;
mod workflow_run;
mod zones;

use std::fs;
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use dotdo_names::{ACCOUNT_ID, Environment};
use end_to_end::{Answer, Command, Script, processes, repository, typescript_tests, until};
use reqwest::Method;
use serde_json::{Value, json};
use tempfile::TempDir;

use self::machine::{FILES, Machine};
use crate::program::assert_contains;

/// What a token needs for everything.
pub const PERMISSIONS: [&str; 2] = ["Workers Scripts Write", "Workers R2 Storage Write"];

#[end_to_end::test]
async fn setup_leads_from_an_empty_account_to_a_platform() -> Result<()> {
    let machine = Machine::new()?;
    typescript_tests(&machine.platform, "local/tests/empty-account/*.test.ts").await?;
    machine.empty(&[]).await?;
    names_what_is_missing(&machine).await?;
    let token = completes_after_failures(&machine).await?;
    let administrator = changes_nothing_the_second_time(&machine, &token).await?;
    an_inventory_names_what_its_token_may_not_read(&machine, &administrator).await?;
    self_deploy::deploys_itself(&machine).await?;
    zones::zones_need_permissions_routes_and_records(&machine).await
}

/// Runs that change nothing: `--dry-run`, and tokens and accounts with which setup cannot begin.
async fn names_what_is_missing(machine: &Machine) -> Result<()> {
    let before = (machine.texts()?, machine.inventory().await?);
    let all = machine.token(&PERMISSIONS, Value::Null).await?;
    let planned = machine.setup(&all, &["--dry-run"]).await?;
    assert_eq!(planned.code, Some(0), "{}{}", planned.output, planned.errors);
    assert_contains(
        &planned.output,
        &[
            "register the subdomain example.workers.dev",
            "create the dispatch namespace dotdo-production",
            "create the R2 bucket dotdo-bundles",
            "namespaces.staging.id: the id of the new namespace",
            &format!("account_id: {ACCOUNT_ID}"),
            "deploy the deploy API, the Worker deploy-api, with the secrets",
            "create the first policy",
            "Write your domains to \"zones\" in dotdo.jsonc",
            "Nothing was changed",
        ],
    );
    let json = machine.setup(&all, &["--dry-run", "--json"]).await?;
    let json: Value = serde_json::from_str(&json.output)?;
    assert_eq!(json["changes"].as_array().map(Vec::len), Some(14), "{json}");
    // Without a terminal, the changes must be confirmed.
    let unconfirmed = machine.setup(&all, &[]).await?;
    assert_eq!(unconfirmed.code, Some(2), "{}", unconfirmed.errors);
    assert_contains(&unconfirmed.errors, &["--yes"]);

    machine
        .fails("unknown", 2, &["does not accept the token"])
        .await?;
    let nothing = machine.token(&[], Value::Null).await?;
    let lacks = [
        "Account, Workers Scripts, Edit",
        "Account, Workers R2 Storage, Edit",
    ];
    machine.fails(&nothing, 1, &lacks).await?;
    for (permission, name) in PERMISSIONS.iter().zip(lacks) {
        let others: Vec<&str> = PERMISSIONS
            .iter()
            .copied()
            .filter(|other| other != permission)
            .collect();
        let without = machine.token(&others, Value::Null).await?;
        machine
            .fails(&without, 1, &[name, "code: 10000", "api-tokens"])
            .await?;
    }
    // A Worker of somebody else has the name of one of the platform's.
    let script = format!("/client/v4/accounts/{ACCOUNT_ID}/workers/scripts/logs");
    let form = Script::answering("other").to_form();
    let other = machine.platform.api(Method::PUT, &script).multipart(form);
    let other = Answer::read(other.send().await?).await?;
    assert_eq!(other.status, 200, "{}", other.text());
    machine
        .fails(&all, 1, &["which is not the logs Worker", "workers.logs"])
        .await?;
    machine.empty(&[]).await?;
    let reader = machine
        .token(&["Workers Scripts Read", "Workers R2 Storage Read"], Value::Null)
        .await?;
    machine
        .fails(
            &reader,
            1,
            &[
                "Account, Workers Scripts, Edit",
                "PUT /accounts/",
                "/workers/subdomain",
            ],
        )
        .await?;
    assert_eq!((machine.texts()?, machine.inventory().await?), before);

    machine.empty(&["workers_for_platforms"]).await?;
    machine
        .fails(
            &all,
            1,
            &["no subscription of Workers for Platforms", "Subscribe"],
        )
        .await?;
    machine.empty(&["r2"]).await?;
    machine
        .fails(&all, 1, &["R2 is not enabled", "Enable it"])
        .await?;
    machine.empty(&[]).await?;
    assert_eq!((machine.texts()?, machine.inventory().await?), before);
    Ok(())
}

/// A run in which a call fails, one that is killed, and one that completes. Returns the token.
async fn completes_after_failures(machine: &Machine) -> Result<String> {
    let fault = json!({ "method": "PUT", "path": "/workers/scripts/dispatcher", "status": 400 });
    let token = machine.token(&PERMISSIONS, fault).await?;
    machine
        .fails(
            &token,
            1,
            &[
                "the dispatch Worker was not deployed",
                "code: 10002",
                "type the same command again",
            ],
        )
        .await?;
    let after_failure = machine.setup(&token, &["--dry-run"]).await?;
    assert!(
        !after_failure.output.contains("namespace dotdo-") && !after_failure.output.contains("logs Worker"),
        "{}",
        after_failure.output
    );

    // Killed alone as soon as it has keys: the wrangler that it started may upload the deploy API at any later moment.
    let keys = machine
        .configuration
        .path()
        .join(format!("dotdo/setup-{ACCOUNT_ID}.json"));
    let mut killed = started(machine, &token)?;
    until("setup has keys", async || Ok(keys.exists().then_some(()))).await?;
    killed.kill()?;
    killed.wait()?;
    let stored = fs::read_to_string(&keys)?;

    let moment = Duration::from_millis(rand::random_range(0..12_000));
    let mut killed = started(machine, &token)?;
    tokio::time::sleep(moment).await;
    processes::kill_tree(killed.id());
    killed.wait()?;
    if let Ok(kept) = fs::read_to_string(&keys) {
        assert_eq!(kept, stored, "the next run has other keys");
    }

    // The upload of the first run can collide with that of this one.
    let begin = Instant::now();
    let mut completed = machine.setup(&token, &["--yes", "--json"]).await?;
    while completed.code != Some(0) && begin.elapsed() < Duration::from_mins(1) {
        completed = machine.setup(&token, &["--yes", "--json"]).await?;
    }
    assert!(
        !keys.exists(),
        "the keys are stored for longer than they are needed"
    );
    let context = format!(
        "after a kill at {moment:?}: {}{}",
        completed.output, completed.errors
    );
    assert_eq!(completed.code, Some(0), "{context}");
    let json: Value = serde_json::from_str(&completed.output)?;
    assert_eq!(json["api"], machine.api(), "{context}");
    Ok(token)
}

/// Starts a run, which writes nothing.
fn started(machine: &Machine, token: &str) -> Result<std::process::Child> {
    let mut command = machine
        .command(token, machine.configuration.path(), &["--yes"])?
        .into_std();
    Ok(command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()?)
}

/// The platform works, and further runs change nothing. Returns the token of the administrator.
async fn changes_nothing_the_second_time(machine: &Machine, token: &str) -> Result<String> {
    let originals: Vec<String> = FILES
        .iter()
        .map(|file| Ok(fs::read_to_string(repository().join(file))?))
        .collect::<Result<_>>()?;
    assert_eq!(
        machine.texts()?,
        originals,
        "the local platform has the ids of the repository"
    );
    let before = machine.inventory().await?;
    let secrets: Vec<&str> = before[4]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|secret| secret["name"].as_str())
        .collect();
    for expected in ["CLOUDFLARE_API_TOKEN", "CHECKPOINT_KEY", "UPLOAD_KEY"] {
        assert!(secrets.contains(&expected), "{secrets:?}");
    }
    assert!(!secrets.contains(&"BOOTSTRAP_TOKEN"), "{secrets:?}");

    let again = machine.setup(token, &["--yes"]).await?;
    assert_eq!(again.code, Some(0), "{}{}", again.output, again.errors);
    assert_contains(
        &again.output,
        &["Everything is in place", "The platform answers at", "\"zones\""],
    );
    assert_eq!(machine.inventory().await?, before);

    // What somebody removed is made again, and nothing else is changed.
    let script = format!("/accounts/{ACCOUNT_ID}/workers/scripts/deploy-api");
    let secret = json!({ "name": "BOOTSTRAP_TOKEN", "text": "left", "type": "secret_text" });
    machine
        .call(Method::PUT, &format!("{script}/secrets"), secret)
        .await?;
    machine
        .call(
            Method::DELETE,
            &format!("{script}/secrets/UPLOAD_KEY"),
            Value::Null,
        )
        .await?;
    let repaired = machine.setup(token, &["--yes", "--json"]).await?;
    let repaired: Value = serde_json::from_str(&repaired.output)?;
    let made: Vec<&str> = repaired["changes"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|change| change["change"].as_str())
        .collect();
    assert_eq!(made, ["set_secret", "remove_secret"], "{repaired}");
    assert_eq!(machine.inventory().await?[4], before[4]);

    // The stored token deploys through the deployed deploy API.
    let stored = fs::read_to_string(machine.configuration.path().join("dotdo/credentials.json"))?;
    let stored: Value = serde_json::from_str(&stored)?;
    let administrator = stored["token"].as_str().context("a token")?;
    let script = machine.platform.script_path(Environment::Staging, "first");
    let host = format!("deploy-api.workers.dev.localhost:{}", machine.platform.port());
    let call = machine
        .platform
        .request(Method::PUT, &host, &script)
        .bearer_auth(administrator)
        .multipart(Script::answering("deployed").to_form());
    let deployed = Answer::read(call.send().await?).await?;
    assert_eq!(deployed.status, 200, "{}", deployed.text());
    let visited = machine.platform.get("staging.first.do", "/").await?;
    assert_eq!(visited.text(), "deployed");

    // Another machine has no token. It finds out that somebody administers the platform.
    let other = TempDir::with_prefix("dotdo-configuration-")?;
    let found = machine.command(token, other.path(), &["--yes"])?.run().await?;
    assert_eq!(found.code, Some(0), "{}{}", found.output, found.errors);
    assert_contains(&found.output, &["Somebody administers the platform already"]);
    assert!(!other.path().join("dotdo/credentials.json").exists());
    let after = machine.inventory().await?;
    assert_eq!(after[4], before[4], "the bootstrap secret is removed");
    Ok(administrator.to_owned())
}

/// The token of the deploy API lacks permissions: the plan of a migration says which, and moves no Worker that could be wrong because of it.
async fn an_inventory_names_what_its_token_may_not_read(
    machine: &Machine,
    administrator: &str,
) -> Result<()> {
    let zone = machine
        .call(Method::POST, "/zones", json!({ "name": "limited.example" }))
        .await?;
    ensure!(zone["success"] == true, "{zone}");
    let account = format!("/accounts/{ACCOUNT_ID}/workers/scripts");
    let consumer = Script::module("export default { fetch() { return new Response('x'); }, queue() {} };");
    let upload = machine
        .platform
        .api(Method::PUT, &format!("/client/v4{account}/jobs"));
    let uploaded = Answer::read(upload.multipart(consumer.to_form()).send().await?).await?;
    ensure!(uploaded.status == 200, "{}", uploaded.text());

    let limited = machine
        .token(&["Workers Scripts Write", "Zone Read"], Value::Null)
        .await?;
    let secret = json!({ "name": "CLOUDFLARE_API_TOKEN", "text": limited, "type": "secret_text" });
    machine
        .call(Method::PUT, &format!("{account}/deploy-api/secrets"), secret)
        .await?;
    let plan = |arguments: &[&str]| -> Result<Command> {
        Ok(Command::dotdo(&[&["migrate", "plan"], arguments].concat())?
            .variable("DOTDO_API", &machine.api())
            .variable("DOTDO_TOKEN", administrator))
    };
    let shown = plan(&[])?.run().await?;
    assert_eq!(shown.code, Some(0), "{}{}", shown.output, shown.errors);
    assert_contains(
        &shown.output,
        &[
            "Not known: routes of the zone limited.example. The deploy API's token lacks \"Workers Routes: Read\".",
            "Not known: queue consumers. The deploy API's token lacks \"Queues: Read\".",
        ],
    );
    let json: Value = serde_json::from_str(&plan(&["--json"])?.run().await?.output)?;
    let jobs = json["workers"]
        .as_array()
        .into_iter()
        .flatten()
        .find(|worker| worker["from"] == "jobs")
        .context("the Worker")?;
    assert_eq!(
        (&jobs["verdict"], &jobs["by"]),
        (&json!("needs"), &json!("none")),
        "{jobs}"
    );
    assert_contains(&jobs["needs"].to_string(), &["Queues: Read", "permission"]);
    Ok(())
}
