//! The GitHub workflow of the manual: its steps run as GitHub runs them, with `bash -e`.

use anyhow::{Context, Result, ensure};
use dotdo_names::Environment::Production;
use end_to_end::{Finished, Project};

use crate::{
    keyless::allow,
    markdown::blocks,
    platforms::{issuer, platform, text},
    shell::Shell,
};

/// The address in the workflow that its author replaces.
const PLACEHOLDER: &str = "https://deploy-api.SUBDOMAIN.workers.dev";

/// The scripts of the steps with `run`, in order.
fn steps(workflow: &str) -> Vec<String> {
    let mut steps: Vec<String> = Vec::new();
    let mut is_inside = false;
    for line in workflow.lines() {
        let trimmed = line.trim_start();
        if let Some(command) = trimmed.strip_prefix("- run: ") {
            is_inside = command == "|";
            steps.push(if is_inside {
                String::new()
            } else {
                command.to_owned()
            });
        } else if trimmed.starts_with("- ") {
            is_inside = false;
        } else if is_inside && let Some(step) = steps.last_mut() {
            step.push_str(trimmed);
            step.push('\n');
        }
    }
    steps
}

/// The value of a variable in the `env` of the workflow.
fn variable<'a>(workflow: &'a str, name: &str) -> Result<&'a str> {
    let start = format!("{name}: ");
    let mut lines = workflow.lines().map(str::trim_start);
    lines
        .find_map(|line| line.strip_prefix(&start))
        .with_context(|| format!("the workflow does not set {name}"))
}

/// Runs the steps for a repository until one fails, and returns the last run, and the commands of npm and npx.
async fn run(project: &Project, request: &str) -> Result<(Finished, String)> {
    let workflow = blocks("docs/deploy-api.md")?
        .into_iter()
        .find(|block| block.language == "yaml")
        .context("the manual has no workflow")?
        .text;
    let origin = platform()
        .base_url()
        .strip_suffix("/client/v4")
        .context("the base URL has another path")?;
    ensure!(variable(&workflow, "API")? == PLACEHOLDER);
    let account = variable(&workflow, "CLOUDFLARE_ACCOUNT_ID")?;
    let shell = Shell::new()?;
    let mut last = None;
    for step in steps(&workflow) {
        let run = shell
            .bash(project.folder(), &["-e"], &step)?
            .variable("API", origin)
            .variable("CLOUDFLARE_ACCOUNT_ID", account)
            .variable("ACTIONS_ID_TOKEN_REQUEST_URL", request)
            .variable("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "of the runner")
            .run()
            .await?;
        let is_over = !run.succeeded;
        last = Some(run);
        if is_over {
            break;
        }
    }
    Ok((last.context("the workflow has no steps")?, shell.calls()))
}

#[end_to_end::test]
async fn the_workflow_installs_exchanges_and_deploys() -> Result<()> {
    let name = "workflow-agents";
    allow(&format!("drivly/{name}"), 5901, Production.namespace(), name).await?;
    let project = Project::new(name)?;
    let request = issuer().request_url(&format!("drivly/{name}"), 5901);
    let (run, calls) = run(&project, &request).await?;
    ensure!(run.succeeded, "{}{}", run.output, run.errors);
    assert!(run.output.contains("::add-mask::dotdo_run_"), "{}", run.output);
    let calls: Vec<_> = calls.lines().collect();
    assert_eq!(
        calls,
        [
            "npm ci",
            "npx wrangler deploy --dispatch-namespace dotdo-production"
        ]
    );
    assert_eq!(text(platform(), Production, name).await?, "1");
    Ok(())
}

#[end_to_end::test]
async fn a_refused_exchange_ends_the_workflow_and_prints_the_reason() -> Result<()> {
    let project = Project::new("workflow-refused")?;
    let refused = issuer().request_url("drivly/unknown", 5902);
    // An exchange that is not possible, because GitHub issues no token.
    let tokenless = format!("{}/nothing?", issuer().address());
    for (request, reason) in [
        (refused, "::error::The policy does not allow this"),
        (tokenless, "404"),
    ] {
        let (run, calls) = run(&project, &request).await?;
        let output = format!("{}{}", run.output, run.errors);
        assert!(!run.succeeded, "{output}");
        assert!(output.contains(reason), "{output}");
        assert!(!output.contains("null"), "{output}");
        assert!(!output.contains("::add-mask::"), "{output}");
        assert_eq!(calls, "npm ci\n", "{output}");
    }
    Ok(())
}
