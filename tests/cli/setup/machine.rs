//! An empty account, and a machine that sets it up.

use std::fs;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use dotdo_names::{ACCOUNT_ID, Environment};
use end_to_end::{Answer, Command, Finished, Options, Platform, repository};
use reqwest::Method;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::program::assert_contains;

/// The files that setup writes.
pub const FILES: [&str; 5] = [
    "dotdo.jsonc",
    "wrangler.jsonc",
    "deploy-api/wrangler.jsonc",
    "logs/wrangler.jsonc",
    ".env.example",
];

/// How long a run may take: it deploys three Workers.
pub const LIMIT: Duration = Duration::from_mins(4);

/// An empty account, and a machine with a clone of the repository that belongs to another account.
pub struct Machine {
    /// The account.
    pub platform: Platform,
    /// The clone.
    pub clone: TempDir,
    /// The folder of this user's configuration.
    pub configuration: TempDir,
}

impl Machine {
    /// Starts the platform, and writes the clone.
    pub fn new() -> Result<Self> {
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

    /// The answer of a call of Cloudflare's API.
    pub async fn call(&self, method: Method, path: &str, body: Value) -> Result<Value> {
        let call = self.platform.api(method, &format!("/client/v4{path}"));
        Ok(Answer::read(call.json(&body).send().await?).await?.json())
    }

    /// Empties the account.
    pub async fn empty(&self, unsubscribed: &[&str]) -> Result<()> {
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
    pub async fn token(&self, permissions: &[&str], fault: Value) -> Result<String> {
        let body = json!({ "permissions": permissions, "fault": fault });
        let created = self.call(Method::POST, "/local/tokens", body).await?;
        Ok(created["result"]["token"].as_str().context("a token")?.to_owned())
    }

    /// The address of the deploy API that setup deploys.
    pub fn api(&self) -> String {
        format!("http://deploy-api.workers.dev.localhost:{}", self.platform.port())
    }

    /// `dotdo setup` with a token and the configuration of a user.
    pub fn command(&self, token: &str, configuration: &Path, arguments: &[&str]) -> Result<Command> {
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

    /// Runs setup as this user. The output never has the token.
    pub async fn setup(&self, token: &str, arguments: &[&str]) -> Result<Finished> {
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
    pub async fn fails(&self, token: &str, code: i32, expected: &[&str]) -> Result<()> {
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

    /// The texts of the files that setup writes.
    pub fn texts(&self) -> Result<Vec<String>> {
        FILES
            .iter()
            .map(|file| Ok(fs::read_to_string(self.clone.path().join(file))?))
            .collect()
    }

    /// What the account has: its namespaces, buckets, Workers with their versions, and secrets.
    pub async fn inventory(&self) -> Result<Vec<Value>> {
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
