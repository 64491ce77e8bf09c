//! The deploy API that `setup` deployed deploys the Workers of the platform, and then a new version of itself, with stock wrangler.

use std::collections::BTreeSet;
use std::fs;

use anyhow::{Context, Result, ensure};
use dotdo_names::{ACCOUNT_ID, DEPLOY_API_WORKER, DISPATCH_WORKER};
use end_to_end::{Answer, Command, Finished, Relay, until};
use jiff::{SignedDuration, Timestamp};
use reqwest::Method;
use serde_json::{Value, json};

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

    /// `npm run deploy WORKER` with this client's token and a message.
    async fn deploy(&self, relay: &Relay, worker: &str, message: &str) -> Result<Finished> {
        relay.remove_requests();
        Command::new(&["deploy", worker, "--message", message])
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
    allow(&mut client).await?;
    let relay = Relay::start(&machine.api())?;
    let secrets = secrets(machine).await?;

    let deployed = client.deploy(&relay, "dispatcher", "first").await?;
    assert!(deployed.succeeded, "{}{}", deployed.output, deployed.errors);
    let records = client.deployments(DISPATCH_WORKER).await?;
    assert_eq!(records[0]["state"], "succeeded", "{records:?}");
    assert_eq!(records[0]["identity"]["subject"], "platform-ci");

    let deployed = client.deploy(&relay, "deploy-api", "first").await?;
    let output = format!("{}{}", deployed.output, deployed.errors);
    assert!(deployed.succeeded, "{output}");
    assert_eq!(calls(&relay, DEPLOY_API_WORKER), CALLS);
    let newest = client.concluded().await?;
    assert_eq!(newest["state"], "succeeded", "{newest}");
    let id = newest["id"].as_str().context("an id")?;
    assert!(output.contains(id), "wrangler prints the id {id}: {output}");
    assert_eq!(self::secrets(machine).await?, secrets, "the secrets stay");
    let second = client.deploy(&relay, "deploy-api", "second").await?;
    assert!(second.succeeded, "{}{}", second.output, second.errors);
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

/// A policy with a rule for the account, and the token of a CI system that it allows. The client uses this token from now on.
async fn allow(client: &mut Client<'_>) -> Result<()> {
    let policy = client.call(Method::GET, "/v1/policy", &Value::Null).await?;
    let mut document = policy["document"].clone();
    let actions = ["read", "deploy", "rollback"];
    document["rules"].as_array_mut().context("rules")?.push(json!({
        "name": "platform", "who": { "token": "platform-ci" }, "namespaces": ["account"], "workers": ["*"], "actions": actions,
    }));
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
