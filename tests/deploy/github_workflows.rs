//! The workflows of `docs/github-actions.md`: previews of pull requests and of forks, and a promotion.

use anyhow::{Context, Result};
use dotdo_names::Environment::{Development, Production, Staging};
use end_to_end::{Project, issuer::OWNER_ID, wrangler::Version};
use serde_json::{Value, json};

use crate::{
    github::{GitHub, HEAD, REPOSITORY, pull_request},
    platforms::{issuer, platform, served, text},
    workflow::files_with,
};

/// A fork, and its id.
const FORK: (&str, u64) = ("someone/agents", 7777);

/// Adds a rule for the runs of an event of a repository.
async fn allow(
    name: &str,
    id: u64,
    event: &str,
    (namespaces, worker, actions): (Value, &str, Value),
) -> Result<()> {
    let who = json!({
        "issuer": issuer().address(), "repository_id": id.to_string(), "repository_owner_id": OWNER_ID,
        "event_name": event, "environment": "production"
    });
    let rule = json!({
        "name": name, "who": { "github": who }, "namespaces": namespaces, "workers": [worker], "actions": actions
    });
    let bootstrap = platform().secret("bootstrap_token")?;
    platform().deploy_api_as(&bootstrap).allow(rule).await
}

fn previews(worker: &str) -> (Value, &str, Value) {
    (
        json!(["dotdo-development"]),
        worker,
        json!(["read", "deploy", "delete"]),
    )
}

#[end_to_end::test]
async fn a_preview_is_deployed_with_each_push_and_deleted_with_its_pull_request() -> Result<()> {
    allow("previews", 6001, "pull_request", previews("previewed-pr-*")).await?;
    let mut github = GitHub::new(6001)?;
    let own = (REPOSITORY, 6001);
    let project = Project::new("previewed")?;
    let opened = github
        .run(
            "preview.yml",
            "pull_request",
            &pull_request("opened", own),
            &project,
        )
        .await?
        .success()?;
    assert_eq!(text(platform(), Development, "previewed-pr-12").await?, "1");
    let permissions =
        json!({ "contents": "read", "deployments": "write", "id-token": "write", "pull-requests": "write" });
    assert_eq!(
        opened.jobs,
        json!([{ "job": "preview", "permissions": permissions, "environment": "" }])
    );
    let url = format!("http://dev.previewed-pr-12.localhost:{}", platform().port());
    for part in [
        url.as_str(),
        HEAD,
        "<b>deployed</b>",
        "VERSION (plain_text)",
        " kB",
        " ms",
    ] {
        assert!(github.comment()?.contains(part), "{part}: {}", github.comment()?);
    }
    assert_eq!(
        github.stored["deployments"][0]["statuses"][1]["environment_url"],
        url
    );
    // The token is in no file but the state of the action.
    let mut found = Vec::new();
    files_with(&opened.files, "dotdo_run_", &mut found)?;
    files_with(project.folder(), "dotdo_run_", &mut found)?;
    let names: Vec<_> = found.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["GITHUB_STATE"]);

    let project = project.setting("vars", json!({ "VERSION": "2", "NEW": "x" }))?;
    github
        .run(
            "preview.yml",
            "pull_request",
            &pull_request("synchronize", own),
            &project,
        )
        .await?
        .success()?;
    assert_eq!(text(platform(), Development, "previewed-pr-12").await?, "2");
    assert!(
        github.comment()?.contains("added <code>NEW (plain_text)</code>"),
        "{}",
        github.comment()?
    );
    assert_eq!(github.states(), ["inactive", "success"]);

    // A Worker that no rule names.
    let renamed = Project::new("renamed")?;
    let refused = github
        .run(
            "preview.yml",
            "pull_request",
            &pull_request("synchronize", own),
            &renamed,
        )
        .await?
        .failure()?;
    assert!(
        refused.contains("[code: 740103]") && refused.contains("previewed-pr-*"),
        "{refused}"
    );
    let comments = github.stored["comments"].to_string();
    assert!(
        comments.contains("<b>failed</b>") && comments.contains("740103"),
        "{comments}"
    );
    github.stored["comments"]
        .as_array_mut()
        .context("no comments")?
        .pop();

    github
        .run(
            "preview.yml",
            "pull_request",
            &pull_request("closed", own),
            &project,
        )
        .await?
        .success()?;
    let gone = served(platform(), Development, "previewed-pr-12").await?;
    assert_eq!(gone.header("x-dispatch-error"), "WORKER_NOT_DEPLOYED");
    assert!(
        github.comment()?.contains("<b>deleted</b>"),
        "{}",
        github.comment()?
    );
    assert_eq!(github.states(), ["inactive", "inactive", "failure"]);
    Ok(())
}

#[end_to_end::test]
async fn a_fork_is_previewed_from_its_artifact_after_a_label_for_its_commit() -> Result<()> {
    allow("forks", 6002, "pull_request_target", previews("forked-pr-*")).await?;
    let mut github = GitHub::new(6002)?;
    // The fork changes the code, the configuration, and what wrangler runs for a build.
    let hostile = json!({ "command": "touch built" });
    let fork = Project::new("forked")?
        .file("index.js", "import data from './data.txt'; export default { fetch(request, env) { return new Response(`${data} ${env.VERSION}`); } };")?
        .file("data.txt", "fork")?
        .version("of the fork")?
        .setting("build", hostile)?;
    let base = Project::new("forked")?.version("of the base")?;

    // Neither workflow does the work of the other one.
    let skipped = github
        .run(
            "preview.yml",
            "pull_request",
            &pull_request("opened", FORK),
            &fork,
        )
        .await?
        .success()?;
    assert_eq!(skipped.jobs, json!([]));
    let built = github
        .run(
            "fork-build.yml",
            "pull_request",
            &pull_request("opened", FORK),
            &fork,
        )
        .await?
        .success()?;
    assert_eq!(built.jobs[0]["permissions"], json!({ "contents": "read" }));
    assert!(
        built.finished.output.contains(&format!("Built commit `{HEAD}`.")),
        "{}",
        built.finished.output
    );
    assert_eq!(github.stored["artifacts"][0]["name"], "preview-modules");

    let labeled = |label: &str| {
        let mut event = pull_request("labeled", FORK);
        event["label"] = json!({ "name": label });
        event
    };
    let other = labeled(&format!("preview {}", HEAD.replace('0', "1")));
    let refused = github
        .run("fork-preview.yml", "pull_request_target", &other, &base)
        .await?
        .failure()?;
    assert!(
        refused.contains("No label allows the preview of this commit"),
        "{refused}"
    );
    assert!(
        github.stored["comments"] == json!([]),
        "{}",
        github.stored["comments"]
    );

    let label = format!("preview {HEAD}");
    let run = github
        .run("fork-preview.yml", "pull_request_target", &labeled(&label), &base)
        .await?
        .success()?;
    assert_eq!(
        text(platform(), Development, "forked-pr-12").await?,
        "fork of the base"
    );
    assert!(!base.path("built").exists(), "the build of the fork ran");
    assert!(
        github.comment()?.contains("<b>deployed</b>"),
        "{}",
        github.comment()?
    );
    let permissions = &run.jobs[0]["permissions"];
    assert_eq!(
        (&permissions["contents"], &permissions["actions"]),
        (&json!("read"), &json!("read"))
    );
    let calls = github.shell.calls();
    let last: Vec<_> = calls.lines().rev().take(3).collect();
    assert_eq!(last[0], format!("gh label delete {label} --yes"), "{calls}");
    assert!(last[1].contains("/index.js --no-bundle --config "), "{calls}");
    assert_eq!(last[2], "npm ci", "{calls}");

    github
        .run(
            "fork-preview.yml",
            "pull_request_target",
            &pull_request("closed", FORK),
            &base,
        )
        .await?
        .success()?;
    let gone = served(platform(), Development, "forked-pr-12").await?;
    assert_eq!(gone.header("x-dispatch-error"), "WORKER_NOT_DEPLOYED");
    Ok(())
}

#[end_to_end::test]
async fn a_worker_is_deployed_to_staging_and_promoted_after_the_approval() -> Result<()> {
    let (staging, both) = (
        json!(["dotdo-staging"]),
        json!(["dotdo-staging", "dotdo-production"]),
    );
    allow(
        "to-staging",
        6003,
        "push",
        (staging, "promoted", json!(["read", "deploy"])),
    )
    .await?;
    let mut github = GitHub::new(6003)?;
    let project = Project::new("promoted")?;
    project.deploy(platform(), Version::V4_152, Production).await?;
    let project = project
        .file(
            "index.js",
            "export default { fetch(request, env) { return new Response(`new ${env.VERSION}`); } };",
        )?
        .version("2")?;

    // The rule allows staging only.
    let refused = github
        .run("worker.yml", "push", &json!({}), &project)
        .await?
        .failure()?;
    assert!(
        refused.contains("The promotion failed") && refused.contains("promote"),
        "{refused}"
    );
    assert_eq!(text(platform(), Staging, "promoted").await?, "new 2");
    assert_eq!(text(platform(), Production, "promoted").await?, "1");

    allow(
        "to-production",
        6003,
        "push",
        (both, "promoted", json!(["read", "promote"])),
    )
    .await?;
    let run = github
        .run("worker.yml", "push", &json!({}), &project)
        .await?
        .success()?;
    // The code of staging, with the variables of production.
    assert_eq!(text(platform(), Production, "promoted").await?, "new 1");
    let jobs = json!([
        {
            "job": "staging",
            "permissions": { "contents": "read", "deployments": "write", "id-token": "write" },
            "environment": ""
        },
        { "job": "production", "permissions": { "id-token": "write" }, "environment": "production" },
    ]);
    assert_eq!(run.jobs, jobs);
    // GitHub itself creates the deployment of a job with an environment.
    assert_eq!(github.states(), ["success", "success"]);
    assert_eq!(github.stored["deployments"][1]["environment"], "staging/promoted");
    let deployments = platform()
        .deploy_api()
        .deployments(Production, "promoted")
        .await?;
    assert_eq!(deployments[0]["verb"], "promote");
    assert!(
        run.finished.output.contains(&format!(
            "promoted is promoted: deployment {}",
            deployments[0]["id"].as_str().unwrap_or_default()
        )),
        "{}",
        run.finished.output
    );

    // The workflow with the action alone.
    let run = github
        .run("deploy.yml", "push", &json!({}), &project)
        .await?
        .success()?;
    assert!(run.finished.output.contains("new 2"), "{}", run.finished.output);
    Ok(())
}
