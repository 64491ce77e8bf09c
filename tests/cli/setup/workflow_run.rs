//! This repository's workflow deploys the Workers of the platform: a GitHub OIDC token is exchanged, and stock wrangler deploys.

use std::fs;

use anyhow::{Context, Result};
use dotdo_names::{DEPLOY_API_WORKER, DISPATCH_WORKER, LOGS_WORKER};
use end_to_end::shell::Shell;
use end_to_end::{Finished, Issuer, Relay, repository};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::machine::LIMIT;
use super::self_deploy::{CALLS, Client, calls};
use crate::program::assert_contains;

const REPOSITORY: &str = "drivly/dispatch.do";

const REPOSITORY_ID: u64 = 1003;

/// `npm`: what the workflow installs, tests and builds is there already.
const NPM: &str = r#"#!/bin/bash
case "$1 $2" in
  "ci " | "test " | "run build") ;;
  "run deploy")
    shift 2
    [ "$1" != deploy-api ] || set -- "$@" OPTIONS
    exec sh RUN deploy "$@"
    ;;
  *) echo "npm $*: not in a test" >&2; exit 127 ;;
esac
"#;

/// The rule of docs/deploy-api.md for the workflow, with the issuer of the test.
pub fn rule(issuer: &Issuer) -> Result<Value> {
    let manual = fs::read_to_string(repository().join("docs/deploy-api.md"))?;
    let (_, section) = manual
        .split_once("## Deploy the platform itself")
        .context("the manual has no section")?;
    let block = section.split("```json").nth(1).context("no policy")?;
    let block = block.split("```").next().context("a block without an end")?;
    let mut policy: Value = serde_json::from_str(block)?;
    let mut rule = policy["rules"][0].take();
    rule["who"]["github"]["issuer"] = json!(issuer.address());
    Ok(rule)
}

/// Runs the workflow: first where the policy refuses it, then as it is meant. `options` are those of the deploy API.
pub async fn deploys_all_workers(
    client: &Client<'_>,
    relay: &Relay,
    issuer: &Issuer,
    options: &[&str],
) -> Result<()> {
    let preview = format!("{REPOSITORY}/.github/workflows/preview.yml@refs/heads/main");
    for (claims, reason) in [
        (
            json!({ "ref": "refs/heads/next" }),
            "expects ref refs/heads/main; the run has refs/heads/next",
        ),
        (
            json!({ "ref": "refs/pull/7/merge", "event_name": "pull_request" }),
            "expects ref refs/heads/main; the run has refs/pull/7/merge",
        ),
        (
            json!({ "workflow_ref": preview }),
            "the run has drivly/dispatch.do/.github/wo…s/preview.yml@refs/heads/main",
        ),
        (
            json!({ "repository_id": "9" }),
            "The policy has no rule for drivly/dispatch.do",
        ),
    ] {
        relay.remove_requests();
        let refused = run(client, relay, issuer, &claims, options).await?;
        assert!(!refused.succeeded, "{claims}: {}", refused.output);
        assert_contains(&refused.output, &["##[error]", reason]);
        assert_eq!(relay.requests("/workers/").len(), 0, "nothing is deployed");
    }

    relay.remove_requests();
    let finished = run(
        client,
        relay,
        issuer,
        &json!({ "event_name": "workflow_dispatch" }),
        options,
    )
    .await?;
    let log = format!("{}{}", finished.output, finished.errors);
    assert!(finished.succeeded, "{log}");
    assert!(!log.contains("dotdo_run_"), "{log}");
    assert_contains(
        &log,
        &["Rules: platform.", "succeeded", "The deploy token is revoked."],
    );
    assert_eq!(calls(relay, DEPLOY_API_WORKER), CALLS);
    assert_eq!(calls(relay, LOGS_WORKER), CALLS);
    for worker in [LOGS_WORKER, DISPATCH_WORKER, DEPLOY_API_WORKER] {
        let records = client.deployments(worker).await?;
        let newest = records
            .first()
            .with_context(|| format!("{worker} has no record"))?;
        let identity = &newest["identity"];
        assert_eq!(
            (&newest["state"], &identity["repository"], &identity["event_name"]),
            (
                &json!("succeeded"),
                &json!(REPOSITORY),
                &json!("workflow_dispatch")
            ),
            "{newest}"
        );
    }
    Ok(())
}

/// Runs the workflow with other claims in place of some.
async fn run(
    client: &Client<'_>,
    relay: &Relay,
    issuer: &Issuer,
    claims: &Value,
    options: &[&str],
) -> Result<Finished> {
    let runner = TempDir::with_prefix("dotdo-runner-")?;
    let text = fs::read_to_string(repository().join(".github/workflows/deploy.yml"))?;
    let workflow = runner.path().join("deploy.yml");
    fs::write(&workflow, text.replace("${{ vars.DEPLOY_API }}", relay.origin()))?;
    let files = runner.path().join("files");
    fs::create_dir(&files)?;
    let quoted: Vec<String> = options.iter().map(|option| format!("'{option}'")).collect();
    let build_tool = client.machine.clone.path().join("xtask/run");
    let shell = Shell::new()?;
    let npm = NPM
        .replace("OPTIONS", &quoted.join(" "))
        .replace("RUN", &build_tool.display().to_string());
    shell.add("npm", &npm)?;
    let request = issuer.request_url("", REPOSITORY, REPOSITORY_ID, claims);
    shell
        .workflow(&workflow, &repository(), &files, None)
        .variable("ACTIONS_ID_TOKEN_REQUEST_URL", &request)
        .variable("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "of the runner")
        .limit(LIMIT)
        .run()
        .await
}
