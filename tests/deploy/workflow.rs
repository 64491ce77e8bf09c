//! The action `login`, and the GitHub workflow of the manual: jobs run as GitHub runs them, against a loopback issuer.

use std::{fs, path::Path};

use anyhow::{Context, Result, ensure};
use dotdo_names::Environment::Production;
use end_to_end::{Finished, Project, issuer::OWNER_ID, shell::Shell};
use reqwest::Method;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::{
    keyless::allow,
    markdown::blocks,
    platforms::{ENTERPRISE, issuer, platform, text},
};

/// The address in the manual that its reader replaces.
pub const PLACEHOLDER: &str = "https://deploy-api.SUBDOMAIN.workers.dev";

/// The address of the deploy API.
pub fn origin() -> Result<&'static str> {
    let base = platform().base_url().strip_suffix("/client/v4");
    base.context("the base URL has another path")
}

/// The workflow of the manual.
fn workflow() -> Result<String> {
    let mut blocks = blocks("docs/deploy-api.md")?.into_iter();
    let found = blocks.find(|block| block.language == "yaml");
    Ok(found.context("the manual has no workflow")?.text)
}

/// A job that ran.
struct Job {
    finished: Finished,
    /// The commands of npm and npx.
    calls: String,
    /// The folder with the workflow and the files of the runner.
    runner: TempDir,
}

/// Runs a workflow for the deploy API of the test.
async fn run(workflow: &str, project: &Project, request: &str) -> Result<Job> {
    let runner = TempDir::with_prefix("dotdo-runner-")?;
    let file = runner.path().join("workflow.yml");
    fs::write(&file, workflow.replace(PLACEHOLDER, origin()?))?;
    let files = runner.path().join("files");
    fs::create_dir(&files)?;
    let shell = Shell::new()?;
    let finished = shell
        .workflow(&file, project.folder(), &files, None)
        .variable("ACTIONS_ID_TOKEN_REQUEST_URL", request)
        .variable("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "of the runner")
        .run()
        .await?;
    Ok(Job {
        finished,
        calls: shell.calls(),
        runner,
    })
}

/// The names of the files in a folder that contain a text, and the text from its last match to the end of the line.
pub fn files_with(folder: &Path, text: &str, found: &mut Vec<(String, String)>) -> Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            files_with(&entry.path(), text, found)?;
        } else if let Ok(content) = fs::read_to_string(entry.path())
            && let Some(start) = content.rfind(text)
        {
            let line = content[start..].lines().next().unwrap_or_default();
            found.push((entry.file_name().to_string_lossy().into_owned(), line.to_owned()));
        }
    }
    found.sort();
    Ok(())
}

#[end_to_end::test]
async fn the_workflow_installs_logs_in_deploys_and_revokes_the_token() -> Result<()> {
    let name = "workflow-agents";
    let repository = format!("drivly/{name}");
    allow(&repository, 5901, Production.namespace(), name).await?;
    let project = Project::new(name)?;
    let request = issuer().request_url("", &repository, 5901, &json!({}));
    let job = run(&workflow()?, &project, &request).await?;
    let log = format!("{}{}", job.finished.output, job.finished.errors);
    ensure!(job.finished.succeeded, "{log}");
    let calls: Vec<_> = job.calls.lines().collect();
    assert_eq!(
        calls,
        [
            "npm ci",
            "npx wrangler deploy --dispatch-namespace dotdo-production"
        ],
        "{log}"
    );
    assert_eq!(text(platform(), Production, name).await?, "1");

    // The token is in no log, and in no file but those two of the runner.
    assert!(!log.contains("dotdo_run_"), "{log}");
    let mut found = Vec::new();
    files_with(job.runner.path(), "dotdo_run_", &mut found)?;
    files_with(project.folder(), "dotdo_run_", &mut found)?;
    let names: Vec<_> = found.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["GITHUB_ENV", "GITHUB_STATE"]);
    let holder = platform().deploy_api_as(&found[0].1);
    let refused = holder.call(Method::GET, "/v1/whoami", None).await.unwrap_err();
    assert!(refused.to_string().contains("AUTHENTICATION_FAILED"), "{refused}");
    assert!(log.contains("The deploy token is revoked."), "{log}");
    Ok(())
}

/// A job that only logs in.
const LOGIN: &str = "
on: push
permissions: { id-token: write }
jobs:
  login:
    runs-on: ubuntu-latest
    steps:
      - uses: drivly/dispatch.do/actions/login@v1
        with: { api: https://deploy-api.SUBDOMAIN.workers.dev }
";

#[end_to_end::test]
async fn every_kind_of_run_logs_in_if_a_rule_names_it() -> Result<()> {
    let caller = "drivly/kinds/.github/workflows/release.yml@refs/heads/main";
    let reusable = "drivly/dispatch.do/.github/workflows/worker.yml@refs/tags/v1";
    let queue = "refs/heads/gh-readonly-queue/main/pr-7-0f9f3a6c3b4a1d2e5f60718293a4b5c6d7e8f901";
    let enterprise = issuer().below(ENTERPRISE);
    let kinds = [
        (
            "merge-queue",
            "",
            json!({ "event_name": "merge_group", "ref": queue }),
            json!({ "event_name": "merge_group", "ref": "refs/heads/gh-readonly-queue/main/*" }),
        ),
        (
            "reusable-workflow",
            "",
            json!({ "workflow_ref": caller, "job_workflow_ref": reusable }),
            json!({ "job_workflow_ref": reusable, "ref": "refs/heads/main" }),
        ),
        (
            "environment-with-slashes",
            "",
            json!({ "environment": "preview/pr-12" }),
            json!({ "environment": "preview/pr-12", "ref": "refs/heads/main" }),
        ),
        (
            "enterprise-server",
            ENTERPRISE,
            json!({}),
            json!({ "issuer": enterprise, "ref": "refs/heads/main" }),
        ),
    ];
    let api = platform().deploy_api_as(&platform().secret("bootstrap_token")?);
    let project = Project::new("kinds")?;
    for (number, (name, path, claims, expected)) in (5911..).zip(kinds) {
        let mut who = json!({
            "issuer": issuer().address(), "repository_id": number.to_string(), "repository_owner_id": OWNER_ID
        });
        for (claim, value) in expected.as_object().into_iter().flatten() {
            who[claim] = value.clone();
        }
        let rule: Value = json!({
            "name": name, "who": { "github": who }, "namespaces": ["dotdo-production"], "workers": ["kinds"],
            "actions": ["deploy"]
        });
        api.allow(rule).await?;
        let request = issuer().request_url(path, "drivly/kinds", number, &claims);
        let job = run(LOGIN, &project, &request).await?;
        ensure!(
            job.finished.succeeded && job.finished.output.contains(&format!("Rules: {name}.")),
            "{name}: {}",
            job.finished.output
        );
    }

    // The same run with another ref is refused, with the rule and the claim in the log and in the summary.
    let claims = json!({ "event_name": "merge_group", "ref": "refs/heads/gh-readonly-queue/next/pr-7" });
    let request = issuer().request_url("", "drivly/kinds", 5911, &claims);
    let job = run(LOGIN, &project, &request).await?;
    assert!(!job.finished.succeeded);
    let (log, summary) = job
        .finished
        .output
        .split_once("== summary\n")
        .context("the job has no summary")?;
    let reason = "expects ref refs/heads/gh-readonly-queue/main/*; the run has refs/heads/gh-readonly-queue/next/pr-7.";
    assert!(log.contains("##[error]") && log.contains(reason), "{log}");
    assert!(
        summary.contains(reason) && summary.contains("<code>merge_group</code>"),
        "{summary}"
    );
    Ok(())
}

#[end_to_end::test]
async fn a_refused_login_ends_the_workflow_before_the_deploy() -> Result<()> {
    let project = Project::new("workflow-refused")?;
    let refused = issuer().request_url("", "drivly/unknown", 5902, &json!({}));
    // An issuer that is not configured, and a server that issues no token.
    let foreign = issuer().request_url("/other", "drivly/unknown", 5902, &json!({}));
    let tokenless = format!("{}/nothing?", issuer().address());
    for (request, reason) in [
        (refused, "The policy has no rule for drivly/unknown.".to_owned()),
        (foreign, format!("has the issuer {}", issuer().below("/other"))),
        (tokenless, "answered with the status 404".to_owned()),
    ] {
        let job = run(&workflow()?, &project, &request).await?;
        let output = format!("{}{}", job.finished.output, job.finished.errors);
        assert!(!job.finished.succeeded, "{output}");
        assert!(output.contains(&reason), "{output}");
        assert_eq!(job.calls, "npm ci\n", "{output}");
    }
    Ok(())
}
