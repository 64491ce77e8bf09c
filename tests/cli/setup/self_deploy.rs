//! The deploy API that `setup` deployed deploys the Workers of the platform, and then a new version of itself, with stock wrangler:
//! from a terminal, and in this repository's workflow, which has no stored token.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use dotdo_names::{ACCOUNT_ID, DEPLOY_API_WORKER, DISPATCH_WORKER, LOGS_WORKER};
use end_to_end::{Answer, Command, Finished, Issuer, Relay, repository, shell::Shell, until};
use jiff::{SignedDuration, Timestamp};
use reqwest::Method;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::machine::{LIMIT, Machine};
use crate::program::assert_contains;

/// The calls of wrangler for a Worker that exists, below the account's, in order.
const CALLS: [&str; 10] = [
    "GET /workers/services/NAME",
    "GET /workers/scripts/NAME/secrets",
    "GET /workers/scripts/NAME/deployments",
    "GET /workers/services/NAME",
    "GET /workers/scripts/NAME/settings",
    "POST /workers/scripts/NAME/versions?bindings_inherit=strict",
    "POST /workers/scripts/NAME/deployments",
    "PATCH /workers/scripts/NAME/script-settings",
    "GET /workers/workers/NAME",
    "POST /workers/scripts/NAME/subdomain",
];

/// A client of the deployed deploy API.
struct Client<'a> {
    machine: &'a Machine,
    token: String,
}

impl Client<'_> {
    async fn call(&self, method: Method, path: &str, body: &Value) -> Result<Value> {
        let platform = &self.machine.platform;
        let host = format!("{DEPLOY_API_WORKER}.workers.dev.localhost:{}", platform.port());
        let mut request = platform.request(method, &host, path).bearer_auth(&self.token);
        if !body.is_null() {
            request = request.json(body);
        }
        let answer = Answer::read(request.send().await?).await?;
        ensure!(answer.status.is_success(), "{path}: {}", answer.text());
        Ok(answer.json())
    }

    async fn deployments(&self, worker: &str) -> Result<Vec<Value>> {
        let path = format!("/v1/namespaces/account/workers/{worker}/deployments");
        let answer = self.call(Method::GET, &path, &Value::Null).await?;
        Ok(answer["items"].as_array().context("a list")?.clone())
    }

    /// Waits until the newest deployment of the deploy API has an outcome, and returns it.
    async fn concluded(&self) -> Result<Value> {
        until("an outcome of the deployment", async || {
            // While the new version starts, a call may fail.
            let newest = self.deployments(DEPLOY_API_WORKER).await.unwrap_or_default();
            Ok(newest
                .into_iter()
                .next()
                .filter(|newest| newest["state"] != "pending"))
        })
        .await
    }

    /// `npm run deploy WORKER` with this client's token and options of wrangler.
    async fn deploy(&self, relay: &Relay, worker: &str, options: &[&str]) -> Result<Finished> {
        relay.remove_requests();
        Command::new(&[&["deploy", worker], options].concat())
            .variable(
                "CLOUDFLARE_API_BASE_URL",
                &format!("{}/client/v4", relay.origin()),
            )
            .variable("CLOUDFLARE_API_TOKEN", &self.token)
            .variable("CLOUDFLARE_ACCOUNT_ID", ACCOUNT_ID)
            .limit(LIMIT)
            .run()
            .await
    }
}

/// The requests of wrangler, with `NAME` for the name of the Worker.
fn calls(relay: &Relay, worker: &str) -> Vec<String> {
    let base = format!("/client/v4/accounts/{ACCOUNT_ID}");
    let requests = relay.requests("").into_iter();
    requests
        .map(|request| {
            format!(
                "{} {}",
                request.method,
                request.path.replace(&base, "").replace(worker, "NAME")
            )
        })
        .collect()
}

pub async fn deploys_itself(machine: &Machine) -> Result<()> {
    let administrator = stored_token(machine)?;
    let mut client = Client {
        machine,
        token: administrator,
    };
    let issuer = Issuer::start()?;
    allow(&mut client, &issuer).await?;
    let relay = Relay::start(&machine.api())?;
    let secrets = secrets(machine).await?;

    // The deploy API trusts GitHub only. From here on it trusts the issuer of this test, until the workflow deploys it.
    let issuers = format!("OIDC_ISSUERS:{}", json!([issuer.address()]));
    let deployed = client
        .deploy(
            &relay,
            DEPLOY_API_WORKER,
            &["--message", "first", "--var", &issuers],
        )
        .await?;
    let output = format!("{}{}", deployed.output, deployed.errors);
    assert!(deployed.succeeded, "{output}");
    assert_eq!(calls(&relay, DEPLOY_API_WORKER), CALLS);
    let newest = client.concluded().await?;
    assert_eq!(newest["state"], "succeeded", "{newest}");
    assert_eq!(newest["identity"]["subject"], "platform-ci");
    let id = newest["id"].as_str().context("an id")?;
    assert!(output.contains(id), "wrangler prints the id {id}: {output}");
    assert_eq!(self::secrets(machine).await?, secrets, "the secrets stay");

    other_runs_are_refused(&client, &issuer, &relay).await?;
    the_workflow_deploys_the_platform(&client, &issuer, &relay).await?;
    assert_eq!(self::secrets(machine).await?, secrets, "the secrets stay");
    let newest = client.concluded().await?;
    assert_eq!(
        (&newest["state"], &newest["previous"]),
        (&json!("succeeded"), &json!(id))
    );

    // The same through the command line.
    let rolled_back = dotdo(
        &client,
        &["rollback", DEPLOY_API_WORKER, "--env", "account", "--yes"],
    )
    .await?;
    assert_eq!(
        rolled_back.code,
        Some(0),
        "{}{}",
        rolled_back.output,
        rolled_back.errors
    );
    let newest = client.concluded().await?;
    assert_eq!(
        (&newest["verb"], &newest["source"]),
        (&json!("rollback"), &json!(id))
    );
    assert_eq!(newest["state"], "succeeded", "{newest}");
    let status = dotdo(&client, &["status"]).await?;
    assert_contains(&status.output, &["account"]);
    let listed = dotdo(&client, &["audit", "list", "--env", "account"]).await?;
    assert_contains(&listed.output, &["rollback", "deploy-api in account", "platform"]);

    let other = machine.platform.request(
        Method::PUT,
        &format!(
            "{DEPLOY_API_WORKER}.workers.dev.localhost:{}",
            machine.platform.port()
        ),
        &format!("/client/v4/accounts/{ACCOUNT_ID}/workers/scripts/other"),
    );
    let form = end_to_end::Script::answering("other").to_form();
    let other = Answer::read(other.bearer_auth(&client.token).multipart(form).send().await?).await?;
    assert_eq!(other.status, 403, "{}", other.text());
    Ok(())
}

/// The repository of the platform, and its id, as in the manual.
const REPOSITORY: (&str, u64) = ("drivly/dispatch.do", 1003);

/// Runs this repository's workflow `deploy.yml` as GitHub does, with other claims in place of some. Returns the run and the commands
/// of npm.
async fn run_workflow(
    issuer: &Issuer,
    relay: &Relay,
    claims: &Value,
    files: &Path,
) -> Result<(Finished, String)> {
    let workflow = fs::read_to_string(repository().join(".github/workflows/deploy.yml"))?;
    let variable = "${{ vars.DEPLOY_API }}";
    ensure!(workflow.contains(variable), "{workflow}");
    let file = files.join("deploy.yml");
    fs::write(&file, workflow.replace(variable, relay.origin()))?;
    let (name, id) = REPOSITORY;
    let shell = Shell::new()?;
    relay.remove_requests();
    let finished = shell
        .workflow(&file, &repository(), files, None)
        .variable(
            "ACTIONS_ID_TOKEN_REQUEST_URL",
            &issuer.request_url("", name, id, claims),
        )
        .variable("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "of the runner")
        .limit(LIMIT)
        .run()
        .await?;
    Ok((finished, shell.calls()))
}

/// The rule names one workflow on one branch in one environment. Any other run ends at the login, before wrangler.
async fn other_runs_are_refused(client: &Client<'_>, issuer: &Issuer, relay: &Relay) -> Result<()> {
    for (claim, value, reason) in [
        ("ref", "refs/pull/7/merge", "expects ref refs/heads/main"),
        ("environment", "preview", "expects environment production"),
        (
            "workflow_ref",
            "drivly/dispatch.do/.github/workflows/ci.yml@refs/heads/main",
            "expects workflow_ref drivly/dispatch.do/",
        ),
        ("repository_id", "1004", "no rule for drivly/dispatch.do"),
    ] {
        let files = TempDir::with_prefix("dotdo-runner-")?;
        let (run, npm) = run_workflow(issuer, relay, &json!({ claim: value }), files.path()).await?;
        let log = format!("{}{}", run.output, run.errors);
        ensure!(!run.succeeded, "{claim}: {log}");
        ensure!(log.contains(reason), "no {reason:?} in {log}");
        ensure!(!npm.contains("run deploy"), "{claim}: {npm}");
    }
    assert_eq!(client.deployments(DISPATCH_WORKER).await?, Vec::<Value>::new());
    Ok(())
}

async fn the_workflow_deploys_the_platform(
    client: &Client<'_>,
    issuer: &Issuer,
    relay: &Relay,
) -> Result<()> {
    let files = TempDir::with_prefix("dotdo-runner-")?;
    let (run, npm) = run_workflow(issuer, relay, &json!({}), files.path()).await?;
    let log = format!("{}{}", run.output, run.errors);
    ensure!(run.succeeded, "{log}");
    let npm: Vec<_> = npm.lines().collect();
    assert_eq!(
        npm,
        [
            "npm ci",
            "npm test",
            "npm run build dispatcher",
            "npm run build deploy-api",
            "npm run deploy logs",
            "npm run deploy dispatcher",
            "npm run deploy deploy-api",
        ]
    );
    ensure!(!log.contains("dotdo_run_"), "the log has the token");
    ensure!(log.contains("The deploy token is revoked."), "{log}");
    for worker in [LOGS_WORKER, DISPATCH_WORKER, DEPLOY_API_WORKER] {
        let newest = client.deployments(worker).await?.swap_remove(0);
        assert_eq!(newest["state"], "succeeded", "{newest}");
        let identity = newest["identity"].to_string();
        ensure!(identity.contains(REPOSITORY.0), "{identity}");
    }
    Ok(())
}

/// A policy with a rule for the account, and the token of a CI system that it allows. The client uses this token from now on.
async fn allow(client: &mut Client<'_>, issuer: &Issuer) -> Result<()> {
    let policy = client.call(Method::GET, "/v1/policy", &Value::Null).await?;
    let mut document = policy["document"].clone();
    let actions = ["read", "deploy", "rollback"];
    let rules = document["rules"].as_array_mut().context("rules")?;
    rules.push(json!({
        "name": "terminal", "who": { "token": "platform-ci" }, "namespaces": ["account"], "workers": ["*"], "actions": actions,
    }));
    let mut documented = documented_rule()?;
    documented["who"]["github"]["issuer"] = json!(issuer.address());
    rules.push(documented);
    client.call(Method::PUT, "/v1/policy", &document).await?;
    let tomorrow = Timestamp::now() + SignedDuration::from_hours(24);
    let request = json!({
        "subject": "platform-ci", "expires": tomorrow.to_string(),
        "grants": [{ "namespaces": ["account"], "workers": ["*"], "actions": actions }],
    });
    let created = client.call(Method::POST, "/v1/tokens", &request).await?;
    let token = created["token"].as_str().context("a token")?;
    token.clone_into(&mut client.token);
    Ok(())
}

/// The rule of the manual for this repository's workflow.
fn documented_rule() -> Result<Value> {
    let manual = fs::read_to_string(repository().join("docs/deploy-api.md"))?;
    let (_, section) = manual
        .split_once("## Deploy the platform itself")
        .context("the manual has no section")?;
    let (_, block) = section.split_once("```json").context("no policy")?;
    let (block, _) = block.split_once("```").context("a block without an end")?;
    let policy: Value = serde_json::from_str(block)?;
    Ok(policy["rules"][0].clone())
}

async fn dotdo(client: &Client<'_>, arguments: &[&str]) -> Result<Finished> {
    let api = client.machine.api();
    Command::dotdo(arguments)?
        .variable("DOTDO_API", &api)
        .variable("DOTDO_TOKEN", &client.token)
        .limit(LIMIT)
        .run()
        .await
}

/// The names of the secrets of the deploy API.
async fn secrets(machine: &Machine) -> Result<BTreeSet<String>> {
    let listed = machine.inventory().await?[4].clone();
    let names = listed.as_array().context("a list")?.iter();
    Ok(names
        .filter_map(|secret| Some(secret["name"].as_str()?.to_owned()))
        .collect())
}

/// The token that `setup` stored.
fn stored_token(machine: &Machine) -> Result<String> {
    let stored = fs::read_to_string(machine.configuration.path().join("dotdo/credentials.json"))?;
    let stored: Value = serde_json::from_str(&stored)?;
    Ok(stored["token"].as_str().context("a token")?.to_owned())
}
