//! Changes of a Worker that are made without the deploy API are shown, recorded once, and resolved. Changes through the API
//! are no drift, also when the upstream's answer is lost.

use anyhow::{Result, ensure};
use dotdo_names::Environment::Staging;
use end_to_end::{Answer, Platform, Project, Script, relay::Fault, worker_path, wrangler::Version};
use reqwest::Method;
use serde_json::{Value, json};

use crate::platforms::{behind_relay, put, text};

/// A Worker in the response of `GET …/workers/{w}`.
async fn shown(platform: &Platform, name: &str) -> Result<Value> {
    platform.deploy_api().get(&worker_path(Staging, name)).await
}

/// The same Worker in the response of `GET …/workers`; null if it is not in the list.
async fn listed(platform: &Platform, name: &str) -> Result<Value> {
    let workers = platform
        .deploy_api()
        .get("/v1/namespaces/dotdo-staging/workers")
        .await?;
    let mut items = workers["items"].as_array().into_iter().flatten();
    Ok(items
        .find(|item| item["name"] == name)
        .cloned()
        .unwrap_or_default())
}

/// The entries `drift` of a Worker in the audit log: the kind of each change.
async fn recorded(platform: &Platform, name: &str) -> Result<Vec<Value>> {
    let filter = format!("worker={name}&verb=drift");
    let entries = platform.deploy_api().audit(&filter).await?;
    Ok(entries
        .iter()
        .map(|entry| entry["subject"]["change"].clone())
        .collect())
}

/// Resolves a drift.
async fn resolve(platform: &Platform, name: &str, how: &str) -> Result<Value> {
    let path = format!("{}/drift", worker_path(Staging, name));
    platform
        .deploy_api()
        .post(&path, &json!({ "resolve": how }))
        .await
}

/// Asserts that a Worker has a drift of a kind wherever the API shows it, and returns the Worker.
async fn assert_drift(platform: &Platform, name: &str, kind: &str) -> Result<Value> {
    let worker = shown(platform, name).await?;
    assert_eq!(worker["drift"]["kind"], kind, "{worker}");
    assert_eq!(worker["deployment"], Value::Null, "{worker}");
    assert_ne!(worker["recorded_deployment"], Value::Null, "{worker}");
    let item = listed(platform, name).await?;
    assert_eq!(item["drift"]["kind"], kind, "{item}");
    let path = format!("{}/verify", worker_path(Staging, name));
    let verified = platform.deploy_api().post(&path, &json!({})).await?;
    assert_eq!(verified["verified"], false, "{verified}");
    let reason = verified["reason"].as_str().unwrap_or_default();
    assert!(reason.contains("without the deploy API"), "{verified}");
    for deployment in platform.deploy_api().deployments(Staging, name).await? {
        assert_eq!(deployment["serving"], false, "{deployment}");
    }
    Ok(worker)
}

/// Asserts that a Worker has no drift, and that the audit log has this many entries `drift` of it.
async fn assert_no_drift(platform: &Platform, name: &str, entries: usize, when: &str) -> Result<Value> {
    let worker = shown(platform, name).await?;
    assert_eq!(worker["drift"], Value::Null, "{when}: {worker}");
    assert_ne!(worker["deployment"], Value::Null, "{when}: {worker}");
    let item = listed(platform, name).await?;
    assert_eq!(item["drift"], Value::Null, "{when}: {item}");
    assert_eq!(recorded(platform, name).await?.len(), entries, "{when}");
    Ok(worker)
}

#[end_to_end::test]
async fn a_deploy_with_stock_wrangler_at_the_upstream_is_a_drift() -> Result<()> {
    let relayed = behind_relay();
    let (platform, cloudflare) = (relayed.platform, relayed.cloudflare);
    let name = "drifting";
    Project::new(name)?
        .deploy(platform, Version::V4_152, Staging)
        .await?;
    let first = assert_no_drift(platform, name, 0, "after a deploy").await?;

    let outside = Project::new(name)?.version("outside")?.file(
        "index.js",
        "export default { fetch(request, env) { return new Response(`${env.VERSION} code`); } };",
    )?;
    outside.deploy(cloudflare, Version::V4_152, Staging).await?;
    let drifted = assert_drift(platform, name, "code").await?;
    assert_eq!(drifted["recorded_deployment"], first["deployment"]);
    assert_eq!(recorded(platform, name).await?, ["code"]);

    resolve(platform, name, "overwrite").await?;
    assert_eq!(text(cloudflare, Staging, name).await?, "1");
    assert_no_drift(platform, name, 1, "after overwrite").await?;

    outside.deploy(cloudflare, Version::V4_152, Staging).await?;
    assert_drift(platform, name, "code").await?;
    assert_eq!(recorded(platform, name).await?, ["code", "code"]);
    resolve(platform, name, "adopt").await?;
    assert_eq!(text(cloudflare, Staging, name).await?, "outside code");
    assert_no_drift(platform, name, 2, "after adopt").await?;
    let newest = platform
        .deploy_api()
        .deployments(Staging, name)
        .await?
        .swap_remove(0);
    assert_eq!(
        (&newest["verb"], &newest["serving"]),
        (&json!("adopt"), &json!(true))
    );
    Ok(())
}

#[end_to_end::test]
async fn a_secret_that_is_set_at_the_upstream_is_a_drift() -> Result<()> {
    const NAME: &str = "drifting-secret";
    let relayed = behind_relay();
    let (platform, cloudflare) = (relayed.platform, relayed.cloudflare);
    put(platform, NAME, &Script::answering("1")).await?;
    let path = format!("{}/secrets", cloudflare.script_path(Staging, NAME));
    let secret = json!({ "name": "KEY", "text": "x", "type": "secret_text" });
    let set = Answer::read(cloudflare.api(Method::PUT, &path).json(&secret).send().await?).await?;
    ensure!(set.status.is_success(), "{}", set.text());
    assert_drift(platform, NAME, "settings").await?;
    assert_eq!(recorded(platform, NAME).await?, ["settings"]);
    // A deploy ends the drift.
    put(platform, NAME, &Script::answering("2")).await?;
    assert_no_drift(platform, NAME, 1, "after a deploy").await?;
    cloudflare.delete(Staging, NAME).await?;
    let worker = shown(platform, NAME).await?;
    assert_eq!(worker["drift"]["kind"], "deleted", "{worker}");
    Ok(())
}

#[end_to_end::test]
async fn a_secret_whose_answer_is_lost_is_determined_and_is_no_drift() -> Result<()> {
    const NAME: &str = "lost-secret";
    let relayed = behind_relay();
    let (platform, cloudflare) = (relayed.platform, relayed.cloudflare);
    put(platform, NAME, &Script::answering("1")).await?;
    let script = format!("/scripts/{NAME}");
    relayed
        .relay
        .plan("PUT", &format!("{script}/secrets"), 1, Fault::LoseAnswer);
    let path = format!("{}/secrets/KEY", worker_path(Staging, NAME));
    platform
        .deploy_api()
        .call(Method::PUT, &path, Some(&json!({ "text": "x" })))
        .await?;
    relayed.relay.wait_for_faults(&script).await;
    let filter = format!("worker={NAME}&verb=secret_put");
    let entries = platform.deploy_api().audit(&filter).await?;
    let outcomes: Vec<_> = entries.iter().map(|entry| &entry["outcome"]).collect();
    assert_eq!(outcomes, ["intent", "succeeded"], "{entries:?}");
    assert_no_drift(platform, NAME, 0, "after the lost answer").await?;
    // The Worker is not blocked.
    let answer = put(platform, NAME, &Script::answering("2")).await?;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(text(cloudflare, Staging, NAME).await?, "2");
    assert_no_drift(platform, NAME, 0, "after a deploy").await?;
    Ok(())
}

#[end_to_end::test]
async fn changes_through_the_api_are_no_drift() -> Result<()> {
    const NAME: &str = "undrifting";
    let relayed = behind_relay();
    let platform = relayed.platform;
    let api = platform.deploy_api();
    let path = worker_path(Staging, NAME);
    put(platform, NAME, &Script::answering("1")).await?;
    assert_no_drift(platform, NAME, 0, "after a deploy").await?;
    let secret = format!("{path}/secrets/KEY");
    api.call(Method::PUT, &secret, Some(&json!({ "text": "x" })))
        .await?;
    assert_no_drift(platform, NAME, 0, "after a secret").await?;
    api.call(Method::PUT, &format!("{path}/tags"), Some(&json!(["a"])))
        .await?;
    assert_no_drift(platform, NAME, 0, "after tags").await?;
    api.call(Method::DELETE, &secret, None).await?;
    assert_no_drift(platform, NAME, 0, "after the removal of a secret").await?;
    put(platform, NAME, &Script::answering("2")).await?;
    api.post(&format!("{path}/rollback"), &json!({})).await?;
    assert_no_drift(platform, NAME, 0, "after a rollback").await?;
    assert_eq!(text(relayed.cloudflare, Staging, NAME).await?, "1");
    api.call(Method::DELETE, &path, None).await?;
    assert_eq!(api.send(Method::GET, &path, None).await?.status, 404);
    assert_eq!(listed(platform, NAME).await?, Value::Null);
    assert_eq!(recorded(platform, NAME).await?.len(), 0);
    Ok(())
}
