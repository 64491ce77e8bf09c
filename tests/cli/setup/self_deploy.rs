//! The deploy API that `setup` deployed deploys the Workers of the platform, and then a new version of itself, with stock wrangler.

use std::collections::BTreeSet;
use std::fs;

use anyhow::{Context, Result, ensure};
use dotdo_names::{ACCOUNT_ID, DEPLOY_API_WORKER};
use end_to_end::{Answer, Command, Finished, Issuer, Relay, until};
use jiff::{SignedDuration, Timestamp};
use reqwest::Method;
use serde_json::{Value, json};

use super::machine::{LIMIT, Machine};
use super::{break_glass, workflow_run};
use crate::program::assert_contains;

/// The calls of wrangler for a Worker that exists, below the account's, in order.
pub const CALLS: [&str; 10] = [
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
pub struct Client<'a> {
    pub machine: &'a Machine,
    pub token: String,
}

impl Client<'_> {
    pub async fn call(&self, method: Method, path: &str, body: &Value) -> Result<Value> {
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

    pub async fn deployments(&self, worker: &str) -> Result<Vec<Value>> {
        let path = format!("/v1/namespaces/account/workers/{worker}/deployments");
        let answer = self.call(Method::GET, &path, &Value::Null).await?;
        Ok(answer["items"].as_array().context("a list")?.clone())
    }

    /// Waits until the newest deployment of the deploy API has an outcome, and returns it.
    pub async fn concluded(&self) -> Result<Value> {
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

/// The requests of wrangler about the Worker, with `NAME` for its name.
pub fn calls(relay: &Relay, worker: &str) -> Vec<String> {
    let base = format!("/client/v4/accounts/{ACCOUNT_ID}");
    let requests = relay.requests("").into_iter();
    requests
        .filter(|request| request.path.starts_with(&base) && request.path.contains(worker))
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

    // An operator lets the deploy API accept the issuer, and lets it conclude lost changes soon.
    let issuers = format!("OIDC_ISSUERS:[\"{}\"]", issuer.address());
    let options = ["--var", &issuers, "--var", "UPSTREAM_TIMEOUT_SECONDS:2"];
    let deployed = client
        .deploy(
            &relay,
            "deploy-api",
            &[&["--message", "first"], &options[..]].concat(),
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

    workflow_run::deploys_all_workers(&client, &relay, &issuer, &options).await?;
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

    break_glass::restores_what_a_deploy_broke(&client).await
}

/// A policy with rules for the account: for this repository's workflow, and for the token of a CI system, which the client uses from now
/// on.
async fn allow(client: &mut Client<'_>, issuer: &Issuer) -> Result<()> {
    let policy = client.call(Method::GET, "/v1/policy", &Value::Null).await?;
    let mut document = policy["document"].clone();
    let actions = ["read", "deploy", "rollback"];
    document["rules"].as_array_mut().context("rules")?.extend([
        json!({
            "name": "platform-ci", "who": { "token": "platform-ci" }, "namespaces": ["account"], "workers": ["*"],
            "actions": actions,
        }),
        workflow_run::rule(issuer)?,
    ]);
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
