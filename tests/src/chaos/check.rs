use std::collections::{BTreeMap, BTreeSet, HashMap};

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;

use super::traffic::{Acknowledged, ENVIRONMENT};
use crate::{Platform, until};

/// The platforms, and what the records of the deploy API must agree with.
pub(super) struct Expected<'a> {
    pub platform: &'a Platform,
    pub cloudflare: &'a Platform,
    pub answers: &'a HashMap<String, String>,
    pub acknowledged: &'a [Acknowledged],
}

/// Checks that the records are correct and complete. `closed` is the sequence number up to which all intents are known
/// to be closed, and is advanced.
pub(super) async fn everything(expected: &Expected<'_>, closed: &mut u64) -> Result<()> {
    *closed = wait_until_intents_are_closed(expected.platform, *closed).await?;
    hash_chain_is_whole(expected.platform).await?;
    let workers: BTreeSet<_> = expected
        .acknowledged
        .iter()
        .map(|acknowledged| acknowledged.worker.as_str())
        .collect();
    for worker in workers {
        let deployments = expected
            .platform
            .deploy_api()
            .deployments(ENVIRONMENT, worker)
            .await?;
        acknowledged_deployments_are_recorded_once(expected, worker, &deployments)?;
        recorded_deployment_is_served(expected, worker, &deployments).await?;
    }
    Ok(())
}

/// Verifies the hash chain of the audit log, step by step.
async fn hash_chain_is_whole(platform: &Platform) -> Result<()> {
    let mut path = "/v1/audit/verify".to_owned();
    loop {
        let step = platform.deploy_api().get(&path).await?;
        ensure!(
            step.get("whole") == Some(&Value::Bool(true)),
            "the hash chain is broken: {step}"
        );
        let Some(cursor) = text(&step, "cursor") else {
            return Ok(());
        };
        path = format!("/v1/audit/verify?cursor={cursor}");
    }
}

/// Waits until every intent after the entry `from` is closed, and returns the sequence number of the last entry.
async fn wait_until_intents_are_closed(platform: &Platform, from: u64) -> Result<u64> {
    until("every intent is closed", async || {
        let entries = entries_after(platform, from).await?;
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

/// The entries after the entry `from`, oldest first. The newest page of the log must contain all of them.
async fn entries_after(platform: &Platform, from: u64) -> Result<Vec<Value>> {
    let page = platform.deploy_api().get("/v1/audit?limit=1000").await?;
    let items = page
        .get("items")
        .and_then(Value::as_array)
        .context("the page has no items")?;
    let is_last_page = page.get("cursor").is_none_or(Value::is_null);
    let oldest = items.last().and_then(|link| number(link, "sequence"));
    ensure!(
        is_last_page || oldest.is_some_and(|oldest| oldest <= from + 1),
        "more than one page since the last kill"
    );
    Ok(items
        .iter()
        .rev()
        .filter(|link| number(link, "sequence") > Some(from))
        .filter_map(|link| link.get("entry").cloned())
        .collect())
}

fn acknowledged_deployments_are_recorded_once(
    expected: &Expected<'_>,
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
    for acknowledged in expected.acknowledged.iter().filter(|one| one.worker == worker) {
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

async fn recorded_deployment_is_served(
    expected: &Expected<'_>,
    worker: &str,
    deployments: &[Value],
) -> Result<()> {
    let newest = deployments
        .iter()
        .find(|deployment| text(deployment, "state") == Some("succeeded"));
    let served = expected
        .cloudflare
        .get(&format!("staging.{worker}.do"), "/")
        .await?;
    let Some(newest) = newest else {
        ensure!(
            served.status == 404,
            "{worker} is served, but no deployment of it is recorded"
        );
        return Ok(());
    };
    let digest = newest.pointer("/bundle/modules/0/sha256").and_then(Value::as_str);
    let text_of_bundle = expected.answers.get(digest.context("a bundle has no module")?);
    ensure!(
        text_of_bundle == Some(&served.text()),
        "{worker} serves {:?}, but {text_of_bundle:?} is recorded: {newest}",
        served.text()
    );
    Ok(())
}

/// How many changes the reconciler found made, and how many not made.
pub(super) async fn reconciled(platform: &Platform) -> Result<(usize, usize)> {
    let entries = platform.deploy_api().audit("request_id=reconciler").await?;
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
