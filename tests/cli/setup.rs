//! `setup` against the local platform in place of an empty Cloudflare account, on which the deployed Workers run.

use std::fs;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use dotdo_names::{ACCOUNT_ID, Environment};
use end_to_end::{
    Answer, Command, Finished, Options, Platform, Script, processes, repository, typescript_tests,
};
use reqwest::Method;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::program::assert_contains;

/// What a token needs for everything.
const PERMISSIONS: [&str; 2] = ["Workers Scripts Write", "Workers R2 Storage Write"];

/// The files that setup writes.
const FILES: [&str; 5] = [
    "dotdo.jsonc",
    "wrangler.jsonc",
    "deploy-api/wrangler.jsonc",
    "logs/wrangler.jsonc",
    ".env.example",
];

/// How long a run may take: it deploys three Workers.
const LIMIT: Duration = Duration::from_mins(4);

/// An empty account, and a machine with a clone of the repository that belongs to another account.
struct Machine {
    platform: Platform,
    clone: TempDir,
    configuration: TempDir,
}

impl Machine {
    fn new() -> Result<Self> {
        let clone = TempDir::with_prefix("dotdo-clone-")?;
        for file in FILES {
            let text = fs::read_to_string(repository().join(file))?;
            let mut other = text.replace(ACCOUNT_ID, &"0".repeat(32));
            for (index, environment) in Environment::ALL.iter().enumerate() {
                other = other.replace(
                    environment.namespace_id(),
                    &format!("00000000-0000-4000-8000-00000000000{index}"),
                );
            }
            if file == "dotdo.jsonc" {
                // The owner has written the account already.
                other = other.replace(&"0".repeat(32), ACCOUNT_ID);
            }
            ensure!(other != text, "{file} has nothing to write");
            let path = clone.path().join(file);
            fs::create_dir_all(path.parent().context("a folder")?)?;
            fs::write(path, other)?;
        }
        // The build tool of the repository, so that nothing is compiled for this clone.
        let run = match std::env::var("XTASK") {
            Ok(program) => format!("exec \"{program}\" \"$@\"\n"),
            Err(_) => format!(
                "exec sh \"{}\" \"$@\"\n",
                repository().join("xtask/run").display()
            ),
        };
        fs::create_dir(clone.path().join("xtask"))?;
        fs::write(clone.path().join("xtask/run"), run)?;
        Ok(Self {
            platform: Platform::try_start(Options::new().rest_api())?,
            clone,
            configuration: TempDir::with_prefix("dotdo-configuration-")?,
        })
    }

    async fn call(&self, method: Method, path: &str, body: Value) -> Result<Value> {
        let call = self.platform.api(method, &format!("/client/v4{path}"));
        Ok(Answer::read(call.json(&body).send().await?).await?.json())
    }

    /// Empties the account.
    async fn empty(&self, unsubscribed: &[&str]) -> Result<()> {
        let emptied = self
            .call(
                Method::PUT,
                "/local/account",
                json!({ "unsubscribed": unsubscribed }),
            )
            .await?;
        ensure!(emptied["success"] == true, "{emptied}");
        Ok(())
    }

    /// A token with these permissions. `fault` is a call that fails once.
    async fn token(&self, permissions: &[&str], fault: Value) -> Result<String> {
        let body = json!({ "permissions": permissions, "fault": fault });
        let created = self.call(Method::POST, "/local/tokens", body).await?;
        Ok(created["result"]["token"].as_str().context("a token")?.to_owned())
    }

    fn api(&self) -> String {
        format!("http://deploy-api.workers.dev.localhost:{}", self.platform.port())
    }

    fn command(&self, token: &str, configuration: &Path, arguments: &[&str]) -> Result<Command> {
        let api = self.api();
        let always = [
            "setup",
            "--api",
            &api,
            "--administrator",
            "alice",
            "--subdomain",
            "example",
        ];
        let all = [&always, arguments].concat();
        Ok(Command::dotdo(&all)?
            .folder(self.clone.path())
            .variable("CLOUDFLARE_API_BASE_URL", self.platform.base_url())
            .variable("CLOUDFLARE_API_TOKEN", token)
            .variable("XDG_CONFIG_HOME", &configuration.display().to_string())
            .limit(LIMIT))
    }

    async fn setup(&self, token: &str, arguments: &[&str]) -> Result<Finished> {
        let finished = self
            .command(token, self.configuration.path(), arguments)?
            .run()
            .await?;
        ensure!(
            !format!("{}{}", finished.output, finished.errors).contains(token),
            "the output has the token"
        );
        Ok(finished)
    }

    /// Runs setup, which must end with an exit code and name these texts.
    async fn fails(&self, token: &str, code: i32, expected: &[&str]) -> Result<()> {
        let finished = self.setup(token, &["--yes"]).await?;
        ensure!(
            finished.code == Some(code),
            "{:?}\n{}{}",
            finished.code,
            finished.output,
            finished.errors
        );
        assert_contains(&finished.errors, expected);
        Ok(())
    }

    fn texts(&self) -> Result<Vec<String>> {
        FILES
            .iter()
            .map(|file| Ok(fs::read_to_string(self.clone.path().join(file))?))
            .collect()
    }

    /// What the account has: its namespaces, buckets, Workers with their versions, and secrets.
    async fn inventory(&self) -> Result<Vec<Value>> {
        let account = format!("/accounts/{ACCOUNT_ID}");
        let mut found = Vec::new();
        for path in [
            "/workers/dispatch/namespaces",
            "/r2/buckets",
            "/workers/scripts",
            "/workers/subdomain",
            "/workers/scripts/deploy-api/secrets",
            "/workers/scripts/deploy-api/deployments",
        ] {
            let answer = self
                .call(Method::GET, &format!("{account}{path}"), Value::Null)
                .await?;
            found.push(answer["result"].clone());
        }
        Ok(found)
    }
}

#[end_to_end::test]
async fn setup_leads_from_an_empty_account_to_a_platform() -> Result<()> {
    let machine = Machine::new()?;
    typescript_tests(&machine.platform, "local/tests/empty-account/*.test.ts").await?;
    machine.empty(&[]).await?;
    names_what_is_missing(&machine).await?;
    let token = completes_after_failures(&machine).await?;
    changes_nothing_the_second_time(&machine, &token).await
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

    let moment = Duration::from_millis(rand::random_range(0..12_000));
    let mut command = machine
        .command(&token, machine.configuration.path(), &["--yes"])?
        .into_std();
    command
        .stdin(std::process::Stdio::null())
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null());
    let mut killed = command.spawn()?;
    tokio::time::sleep(moment).await;
    processes::kill_tree(killed.id());
    killed.wait()?;

    let completed = machine.setup(&token, &["--yes", "--json"]).await?;
    let context = format!(
        "after a kill at {moment:?}: {}{}",
        completed.output, completed.errors
    );
    assert_eq!(completed.code, Some(0), "{context}");
    let json: Value = serde_json::from_str(&completed.output)?;
    assert_eq!(json["api"], machine.api(), "{context}");
    Ok(token)
}

/// The platform works, and further runs change nothing.
async fn changes_nothing_the_second_time(machine: &Machine, token: &str) -> Result<()> {
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
    Ok(())
}
