//! An operator of the account restores what a deploy broke without the deploy API, with the commands of the runbook.

use std::fs;

use anyhow::{Context, Result, ensure};
use dotdo_names::{ACCOUNT_ID, DEPLOY_API_WORKER, DISPATCH_WORKER};
use end_to_end::shell::Shell;
use end_to_end::{Finished, Script, repository, until};
use reqwest::Method;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::self_deploy::Client;
use crate::program::assert_contains;

/// A deploy API that answers nothing.
const BROKEN: &str = "import { DurableObject, WorkerEntrypoint } from 'cloudflare:workers';
export class Ledger extends DurableObject { fetch() { throw new Error('broken'); } }
export class Reconciler extends WorkerEntrypoint {}
export default { fetch() { throw new Error('broken'); } };";

pub async fn restores_what_a_deploy_broke(client: &Client<'_>) -> Result<()> {
    let good = client.concluded().await?;
    let broken = deploy_broken(client).await?;
    // The address answers, but not the deploy API.
    let failing = client.deployments(DEPLOY_API_WORKER).await;
    assert!(failing.is_err(), "{failing:?}");
    let rolled_back = run(client, &block("npx wrangler rollback --name deploy-api")?).await?;
    ensure!(
        rolled_back.succeeded,
        "{}{}",
        rolled_back.output,
        rolled_back.errors
    );
    let newest = client.concluded().await?;
    assert_eq!(
        (&newest["id"], &newest["state"]),
        (&json!(broken), &json!("failed")),
        "{newest}"
    );
    let worker = worker(client, DEPLOY_API_WORKER).await?;
    assert_eq!(worker["recorded_deployment"], good["id"], "{worker}");
    assert_ne!(worker["drift"], Value::Null, "{worker}");

    restores_a_stored_bundle(client).await
}

/// The dispatch Worker, whose bundle has a key that the records name.
async fn restores_a_stored_bundle(client: &Client<'_>) -> Result<()> {
    let records = client.deployments(DISPATCH_WORKER).await?;
    let digest = records[0]["bundle"]["digest"].as_str().context("a digest")?;
    let text = block("npx wrangler r2 object get dotdo-bundles/KEY")?
        .replace("KEY", &format!("bundles/{digest}"))
        .replace(" DIGEST\n", &format!(" {digest}\n"))
        .replace("deploy-api/wrangler.jsonc", "wrangler.jsonc")
        .replace("MAIN_MODULE", "entry.js");
    let restored = run(client, &text).await?;
    let output = format!("{}{}", restored.output, restored.errors);
    ensure!(restored.succeeded, "{output}");
    assert!(!output.contains("custom build"), "{output}");
    let visited = client.machine.platform.get("staging.first.do", "/").await?;
    assert_eq!(visited.text(), "deployed", "the dispatch Worker serves");

    let wrong = run(client, &text.replace(&format!("' {digest}"), "' 0")).await?;
    assert!(!wrong.succeeded);
    assert_contains(&wrong.errors, &[&format!("this is the bundle {digest}")]);
    until("the drift of the dispatch Worker", async || {
        Ok((worker(client, DISPATCH_WORKER).await?["drift"] != Value::Null).then_some(()))
    })
    .await
}

async fn worker(client: &Client<'_>, worker: &str) -> Result<Value> {
    let path = format!("/v1/namespaces/account/workers/{worker}");
    client.call(Method::GET, &path, &Value::Null).await
}

/// Deploys a deploy API that does not work through the deploy API, as wrangler does. Returns the id of the deployment.
async fn deploy_broken(client: &Client<'_>) -> Result<String> {
    let ledger = json!({ "type": "durable_object_namespace", "name": "LEDGER", "class_name": "Ledger" });
    let form = Script::module(BROKEN)
        .with("keep_bindings", json!(["secret_text", "secret_key"]))
        .with_binding(ledger)
        .to_form();
    let platform = &client.machine.platform;
    let host = format!("{DEPLOY_API_WORKER}.workers.dev.localhost:{}", platform.port());
    let script = format!("/client/v4/accounts/{ACCOUNT_ID}/workers/scripts/{DEPLOY_API_WORKER}");
    let call = platform.request(Method::POST, &host, &format!("{script}/versions"));
    let uploaded = call.bearer_auth(&client.token).multipart(form).send().await?;
    let uploaded: Value = uploaded.json().await?;
    let id = uploaded["result"]["id"].as_str().context(uploaded.to_string())?;
    let versions = json!({ "versions": [{ "version_id": id, "percentage": 100 }] });
    client
        .call(Method::POST, &format!("{script}/deployments"), &versions)
        .await?;
    Ok(id.to_owned())
}

/// The block of the runbook with a command.
fn block(command: &str) -> Result<String> {
    let runbook = fs::read_to_string(repository().join("docs/runbook.md"))?;
    let mut blocks = runbook
        .split("```sh\n")
        .filter_map(|rest| rest.split("```").next());
    let found = blocks.find(|block| block.contains(command));
    Ok(found
        .with_context(|| format!("the runbook has no {command}"))?
        .to_owned())
}

/// Runs commands of the runbook in a checkout, with a Cloudflare login.
async fn run(client: &Client<'_>, commands: &str) -> Result<Finished> {
    let checkout = TempDir::with_prefix("dotdo-checkout-")?;
    for file in ["wrangler.jsonc", "deploy-api/wrangler.jsonc"] {
        let path = checkout.path().join(file);
        fs::create_dir_all(path.parent().context("a folder")?)?;
        fs::copy(repository().join(file), path)?;
    }
    // The operator is logged in to the stand-in for Cloudflare.
    let script = commands
        .replace("npx wrangler login\n", "")
        .replace("unset CLOUDFLARE_API_BASE_URL CLOUDFLARE_API_TOKEN\n", "");
    let platform = &client.machine.platform;
    Shell::new()?
        .bash(checkout.path(), &["-e"], &script)?
        .variable("CLOUDFLARE_API_BASE_URL", platform.base_url())
        .variable("CLOUDFLARE_API_TOKEN", platform.token())
        .variable("CLOUDFLARE_ACCOUNT_ID", ACCOUNT_ID)
        .run()
        .await
}
