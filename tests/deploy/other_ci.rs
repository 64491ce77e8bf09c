//! The manual's jobs of GitLab CI and Buildkite, and its script that both run, against a loopback issuer.

use std::{fs, os::unix::fs::PermissionsExt};

use anyhow::{Context, Result, ensure};
use dotdo_names::Environment::Production;
use end_to_end::{
    Command, Finished, Project,
    issuer::{now, tokens},
    shell::Shell,
};
use serde_json::{Value, json};

use crate::{
    markdown::{Block, blocks},
    platforms::{BUILDKITE, GITLAB, issuer, platform, text},
    workflow::{PLACEHOLDER, origin},
};

/// The block of the manual that contains a line.
fn block(line: &str) -> Result<Block> {
    let found = blocks("docs/deploy-api.md")?
        .into_iter()
        .find(|block| block.text.lines().any(|other| other == line));
    found.with_context(|| format!("the manual has no block with {line:?}"))
}

/// The content of a YAML block of the manual, for the deploy API of the test.
async fn yaml(first_line: &str) -> Result<Value> {
    let text = block(first_line)?.text.replace(PLACEHOLDER, origin()?);
    let program = "import { parse } from 'yaml'; console.log(JSON.stringify(parse(process.argv[1])))";
    let parsed = Command::node(&["--input-type=module", "-e", program, "--", &text])
        .run()
        .await?;
    ensure!(parsed.succeeded, "{}", parsed.errors);
    Ok(serde_json::from_str(&parsed.output)?)
}

/// A project with the script of the manual.
fn project(name: &str) -> Result<Project> {
    let script = block("# Needs a CI job.")?;
    let file = script.file().context("the script has no name")?.to_owned();
    let project = Project::new(name)?.file(&file, script.text)?;
    fs::set_permissions(project.path(&file), fs::Permissions::from_mode(0o755))?;
    Ok(project)
}

/// A token for a job, with the times and the id of a new one.
fn token(mut claims: Value, path: &str, audience: &Value) -> String {
    let now = now();
    claims["iss"] = json!(issuer().below(path));
    claims["aud"] = audience.clone();
    claims["jti"] = json!(format!("{path}-{:?}-{now}", std::time::Instant::now()));
    for (name, time) in [("iat", now), ("nbf", now), ("exp", now + 300)] {
        claims[name] = json!(time);
    }
    tokens::signed(&tokens::header(), &claims, tokens::Key::Issuers)
}

/// Allows jobs with these claims to deploy a Worker to production.
async fn allow(provider: &str, path: &str, mut claims: Value, worker: &str) -> Result<()> {
    claims["issuer"] = json!(issuer().below(path));
    let rule = json!({
        "name": worker, "who": { provider: claims }, "namespaces": ["dotdo-production"], "workers": [worker],
        "actions": ["read", "deploy"]
    });
    let bootstrap = platform().secret("bootstrap_token")?;
    platform().deploy_api_as(&bootstrap).allow(rule).await
}

/// Requires that the job deployed, and showed no token.
async fn deployed(run: &Finished, worker: &str) -> Result<()> {
    let output = format!("{}{}", run.output, run.errors);
    ensure!(run.succeeded, "{output}");
    assert!(!output.contains("dotdo_run_"), "{output}");
    assert_eq!(text(platform(), Production, worker).await?, "1");
    Ok(())
}

/// Requires that the job ended before `npm ci`, with this reason.
fn refused(run: &Finished, reason: &str) {
    let output = format!("{}{}", run.output, run.errors);
    assert!(!run.succeeded && output.contains(reason), "{output}");
    assert!(!output.contains("Uploaded"), "{output}");
}

#[end_to_end::test]
async fn a_job_of_gitlab_deploys_from_a_protected_branch() -> Result<()> {
    let name = "gitlab-agents";
    let claims = json!({
        "project_id": "20", "namespace_id": "72", "ref": "refs/heads/main", "ref_protected": "true",
        "environment": "production"
    });
    allow("gitlab", GITLAB, claims, name).await?;
    let job = yaml("# .gitlab-ci.yml").await?["deploy"].clone();
    let script: Vec<_> = job["script"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    let project = project(name)?;
    for (protected, is_allowed) in [("true", true), ("false", false)] {
        let claims = json!({
            "sub": "project_path:acme/agents:ref_type:branch:ref:main", "project_id": "20", "project_path": "acme/agents",
            "namespace_id": "72", "namespace_path": "acme", "user_id": "1", "user_login": "octocat", "pipeline_id": "574",
            "pipeline_source": "push", "job_id": "302", "ref": "main", "ref_type": "branch",
            "ref_path": "refs/heads/main", "ref_protected": protected, "environment": job["environment"],
            "runner_id": 1, "sha": "714a629c0b401fdce83e847fc9589983fc6f46bc",
        });
        let shell = Shell::new()?;
        let mut command = shell.bash(project.folder(), &["-eo", "pipefail"], &script.join("\n"))?;
        for (variable, value) in job["variables"].as_object().into_iter().flatten() {
            command = command.variable(variable, value.as_str().context("a variable is not a text")?);
        }
        for (variable, described) in job["id_tokens"].as_object().into_iter().flatten() {
            command = command.variable(variable, &token(claims.clone(), GITLAB, &described["aud"]));
        }
        let run = command.run().await?;
        if is_allowed {
            deployed(&run, name).await?;
        } else {
            refused(
                &run,
                "Rule \"gitlab-agents\" expects ref_protected true; the run has false.",
            );
        }
    }
    let entry = &platform().deploy_api().deployments(Production, name).await?[0];
    assert_eq!(entry["identity"]["kind"], "gitlab_job");
    assert_eq!(entry["identity"]["project_path"], "acme/agents");
    Ok(())
}

/// The agent of Buildkite: prints the token of a file, if it is asked as Buildkite requires.
const AGENT: &str = r#"#!/bin/bash
[ "$*" = "oidc request-token --audience dotdo-deploy --claim organization_id" ] || { echo "buildkite-agent $*" >&2; exit 1; }
cat "$(dirname "$0")/token"
"#;

#[end_to_end::test]
async fn a_job_of_buildkite_deploys_from_its_pipeline() -> Result<()> {
    let name = "buildkite-agents";
    let organization = "0184990a-4777-4d55-a16c-0b5a1a2b3c4d";
    let claims =
        json!({ "organization_id": organization, "pipeline_slug": "agents", "ref": "refs/heads/main" });
    allow("buildkite", BUILDKITE, claims, name).await?;
    let pipeline = yaml("# .buildkite/pipeline.yml").await?;
    let step = &pipeline["steps"][0];
    // Buildkite replaces `$$` by `$` when the pipeline is uploaded.
    let script = step["command"]
        .as_str()
        .context("the step has no command")?
        .replace("$$", "$");
    let project = project(name)?;
    for (slug, is_allowed) in [("agents", true), ("agents-fork", false)] {
        let claims = json!({
            "sub": "organization:acme:pipeline:agents:ref:refs/heads/main:commit:b5ff:step:",
            "organization_id": organization, "organization_slug": "acme", "pipeline_slug": slug, "build_number": 5,
            "build_branch": "main", "build_tag": null, "build_commit": "b5ffe3aeea51cec6c41aef16e45ee6bce47d8810",
            "step_key": null, "build_source": "webhook", "job_id": "01945ecf-80f0-41e8-9b83-a2970a9305a1",
            "agent_id": "01945ecf-8bcf-40a6-9d70-a765db9a0928", "runner_environment": "self-hosted",
        });
        let shell = Shell::new()?;
        shell.add("buildkite-agent", AGENT)?;
        shell.add("token", &token(claims, BUILDKITE, &json!("dotdo-deploy")))?;
        let mut command = shell.bash(project.folder(), &["-e"], &script)?;
        for (variable, value) in step["env"].as_object().into_iter().flatten() {
            command = command.variable(variable, value.as_str().context("a variable is not a text")?);
        }
        let run = command.run().await?;
        if is_allowed {
            deployed(&run, name).await?;
        } else {
            refused(&run, "The policy has no rule for acme/agents-fork.");
        }
    }
    Ok(())
}
