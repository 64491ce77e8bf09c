//! What `actions/deploy` adds to a deploy with wrangler.

use std::{fs, os::unix::fs::symlink, time::Instant};

use anyhow::{Context, Result, ensure};
use dotdo_names::Environment::Staging;
use end_to_end::{Command, Issuer, Options, Platform, Project, dotdo, issuer::OWNER_ID, repository};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::figure::{Figure, median};

const REPOSITORY: &str = "drivly/bench-action";
const REPOSITORY_ID: u64 = 9;
const WORKER: &str = "bench-action";

/// The time from the start of the action to the end of its post step, beyond that of the same `wrangler deploy`. GitHub's API is a stand-in on
/// this machine.
pub async fn beyond_wrangler(issuer: &Issuer, rounds: usize) -> Result<Figure> {
    let issuers = json!([issuer.address()]).to_string();
    let platform = Platform::try_start(Options::new().deploy_api_variable("OIDC_ISSUERS", &issuers))?;
    let who = json!({ "issuer": issuer.address(), "repository_id": REPOSITORY_ID.to_string(), "repository_owner_id": OWNER_ID });
    let rule = json!({
        "name": WORKER, "who": { "github": who }, "namespaces": [Staging.namespace()], "workers": [WORKER],
        "actions": ["read", "deploy"],
    });
    platform.deploy_api().allow(rule).await?;
    let origin = platform.base_url().strip_suffix("/client/v4");
    let origin = origin.context("the base URL has another path")?;
    let wrangler = json!({
        "run": format!("npx --no-install wrangler deploy --dispatch-namespace {}", Staging.namespace()),
        "env": {
            "CLOUDFLARE_API_BASE_URL": platform.base_url(),
            "CLOUDFLARE_API_TOKEN": platform.token(),
            "CLOUDFLARE_ACCOUNT_ID": platform.account(),
        },
    });
    let action = json!({
        "uses": "drivly/dispatch.do/actions/deploy@v1",
        "with": { "api": origin, "environment": "staging", "dotdo": dotdo()? },
    });
    let project = Project::new(WORKER)?;
    symlink(repository().join("node_modules"), project.path("node_modules"))?;
    let mut differences = Vec::new();
    for round in 0..=rounds {
        let plain = milliseconds(&wrangler, &project, issuer).await?;
        let whole = milliseconds(&action, &project, issuer).await?;
        // The first round fills caches.
        if round > 0 {
            differences.push(whole - plain);
            eprintln!("action: round {round} of {rounds}");
        }
    }
    let what = "actions/deploy beyond wrangler deploy";
    Ok(Figure::new(what, median(differences), "ms", Some("at most 1000")))
}

/// The duration of a job with one step.
async fn milliseconds(step: &Value, project: &Project, issuer: &Issuer) -> Result<f64> {
    let runner = TempDir::with_prefix("dotdo-runner-")?;
    let permissions = json!({ "contents": "read", "deployments": "write", "id-token": "write" });
    let job = json!({ "runs-on": "ubuntu-latest", "steps": [step] });
    let workflow = json!({ "on": "push", "permissions": permissions, "jobs": { "deploy": job } });
    let file = runner.path().join("workflow.yml");
    fs::write(&file, workflow.to_string())?;
    let paths = [file.as_path(), project.folder(), runner.path()].map(|path| path.display().to_string());
    let [file, folder, files] = paths.each_ref().map(String::as_str);
    let request = issuer.request_url("", REPOSITORY, REPOSITORY_ID, &json!({}));
    let command = Command::node(&["actions/tests/run-workflow.ts", file, folder, files])
        .variable("ACTIONS_ID_TOKEN_REQUEST_URL", &request)
        .variable("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "of the runner")
        .variable("WRANGLER_SEND_METRICS", "false");
    let begin = Instant::now();
    let finished = command.run().await?;
    let elapsed = begin.elapsed();
    ensure!(finished.succeeded, "{}{}", finished.output, finished.errors);
    Ok(elapsed.as_secs_f64() * 1000.0)
}
