use std::collections::{BTreeMap, BTreeSet, HashMap};

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;

use super::traffic::{Acknowledged, ENVIRONMENT};
use crate::{Platform, until};

/// What the clients know.
pub(super) struct Known<'a> {
    pub platform: &'a Platform,
    pub cloudflare: &'a Platform,
    pub answers: &'a HashMap<String, String>,
    pub acknowledged: &'a [Acknowledged],
}

/// Checks that the records are correct and complete. `closed` is the sequence number up to which all intents are known
/// to be closed, and is advanced.
pub(super) async fn everything(known: &Known<'_>, closed: &mut u64) -> Result<()> {
    *closed = no_intent_stays_open(known.platform, *closed).await?;
    let walked = known.platform.deploy_api().get("/v1/audit/verify").await?;
    ensure!(
        text(&walked, "whole").is_none() && walked.get("whole") == Some(&Value::Bool(true)),
        "the chain is broken: {walked}"
    );
    let workers: BTreeSet<_> = known
        .acknowledged
        .iter()
        .map(|acknowledged| acknowledged.worker.as_str())
        .collect();
    for worker in workers {
        let deployments = known
            .platform
            .deploy_api()
            .deployments(ENVIRONMENT, worker)
            .await?;
        acknowledged_deployments_are_recorded_once(known, worker, &deployments)?;
        recorded_deployment_is_served(known, worker, &deployments).await?;
    }
    Ok(())
}

/// Waits until every intent after the entry `from` is closed, and returns the sequence number of the last entry.
async fn no_intent_stays_open(platform: &Platform, from: u64) -> Result<u64> {
    until("an intent stays open", async || {
        let path = if from == 0 {
            "/v1/audit?order=oldest".to_owned()
        } else {
            format!("/v1/audit?order=oldest&cursor={from}")
        };
        let entries = entries_after(platform, &path).await?;
        let mut outcomes: BTreeMap<u64, usize> = BTreeMap::new();
        let mut last = from;
        for entry in &entries {
            let sequence = number(entry, "sequence").context("an entry has no sequence number")?;
            last = last.max(sequence);
            if text(entry, "outcome") == Some("intent") {
                outcomes.entry(sequence).or_default();
            }
            if let Some(intent) = number(entry, "intent") {
                *outcomes.entry(intent).or_default() += 1;
            }
        }
        if let Some((intent, count)) = outcomes.iter().find(|(_, count)| **count > 1) {
            bail!("intent {intent} has {count} outcomes");
        }
        Ok(outcomes.values().all(|count| *count == 1).then_some(last))
    })
    .await
}

async fn entries_after(platform: &Platform, path: &str) -> Result<Vec<Value>> {
    let page = platform.deploy_api().get(&format!("{path}&limit=1000")).await?;
    let items = page.get("items").and_then(Value::as_array).context("no items")?;
    ensure!(
        page.get("cursor").is_none_or(Value::is_null),
        "more than one page since the last kill"
    );
    Ok(items
        .iter()
        .filter_map(|link| link.get("entry").cloned())
        .collect())
}

fn acknowledged_deployments_are_recorded_once(
    known: &Known<'_>,
    worker: &str,
    deployments: &[Value],
) -> Result<()> {
    let mut states: HashMap<&str, Vec<&str>> = HashMap::new();
    for deployment in deployments {
        let id = text(deployment, "id").context("a deployment has no id")?;
        states
            .entry(id)
            .or_default()
            .push(text(deployment, "state").unwrap_or_default());
    }
    for acknowledged in known.acknowledged.iter().filter(|one| one.worker == worker) {
        let found = states.get(acknowledged.deployment.as_str());
        ensure!(
            found.is_some_and(|found| found.as_slice() == ["succeeded"]),
            "the acknowledged deployment {} of {worker} is recorded as {found:?}",
            acknowledged.deployment
        );
    }
    ensure!(
        !states.values().flatten().any(|state| *state == "pending"),
        "a deployment of {worker} is pending, but no intent is open"
    );
    Ok(())
}

async fn recorded_deployment_is_served(known: &Known<'_>, worker: &str, deployments: &[Value]) -> Result<()> {
    let newest = deployments
        .iter()
        .find(|deployment| text(deployment, "state") == Some("succeeded"));
    let served = known.cloudflare.get(&format!("staging.{worker}.do"), "/").await?;
    let Some(newest) = newest else {
        ensure!(
            served.status == 404,
            "{worker} is served, but no deployment of it is recorded"
        );
        return Ok(());
    };
    let digest = newest.pointer("/bundle/modules/0/sha256").and_then(Value::as_str);
    let expected = known.answers.get(digest.context("a bundle has no module")?);
    ensure!(
        expected == Some(&served.text()),
        "{worker} serves {:?}, but {expected:?} is recorded: {newest}",
        served.text()
    );
    Ok(())
}

/// How many changes the reconciler found made, and how many not made.
pub(super) async fn reconciled(platform: &Platform) -> Result<(usize, usize)> {
    let entries = platform.deploy_api().audit("request_id=sweeper").await?;
    let done = entries
        .iter()
        .filter(|entry| text(entry, "outcome") == Some("succeeded"))
        .count();
    Ok((done, entries.len() - done))
}

fn text<'a>(value: &'a Value, name: &str) -> Option<&'a str> {
    value.get(name).and_then(Value::as_str)
}

fn number(value: &Value, name: &str) -> Option<u64> {
    value.get(name).and_then(Value::as_u64)
}
