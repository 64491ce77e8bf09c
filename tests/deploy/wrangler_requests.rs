//! The requests of stock wrangler to the deploy API, in golden files. A version that sends other requests fails here.
//!
//! `GOLDEN=record npm test wrangler_requests` writes the files.

use std::{env, fmt::Write, fs, path::PathBuf};

use anyhow::{Context, Result};
use dotdo_names::Environment::Staging;
use end_to_end::{Project, Relay, wrangler::Version};
use serde_json::json;

use crate::platforms::platform;

/// The Worker of all projects.
const NAME: &str = "overheard";

fn golden(version: Version) -> PathBuf {
    let file = match version {
        Version::V4_86 => "wrangler-4.86.txt",
        Version::V4_152 => "wrangler-4.152.txt",
    };
    end_to_end::repository().join("tests/deploy/golden").join(file)
}

/// The commands whose requests are recorded, in order, each with its project.
fn sessions(project: Project) -> Result<Vec<(Project, Vec<&'static str>)>> {
    let deploy = vec!["deploy", "--dispatch-namespace", Staging.namespace()];
    let mut with_secrets = deploy.clone();
    with_secrets.extend(["--secrets-file", "secrets.json"]);
    let mut with_env = deploy.clone();
    with_env.extend(["--env", "staging"]);
    let new = || Project::new(NAME);
    Ok(vec![
        (project, deploy.clone()),
        (
            new()?.file("secrets.json", json!({ "KEY": "value" }).to_string())?,
            with_secrets,
        ),
        (
            new()?
                .file("public/index.html", "<h1>front page</h1>")?
                .setting("assets", json!({ "directory": "public" }))?,
            deploy.clone(),
        ),
        (
            new()?
                .file(
                    "index.js",
                    "import { DurableObject } from 'cloudflare:workers';
                    export class Room extends DurableObject {}
                    export default { fetch() { return new Response('x'); } };",
                )?
                .setting(
                    "durable_objects",
                    json!({ "bindings": [{ "name": "ROOM", "class_name": "Room" }] }),
                )?
                .setting(
                    "migrations",
                    json!([{ "tag": "v1", "new_sqlite_classes": ["Room"] }]),
                )?,
            deploy.clone(),
        ),
        (new()?.setting("env", json!({ "staging": {} }))?, with_env),
        (new()?, vec!["deploy"]),
        (new()?, vec!["secret", "list"]),
        (new()?, vec!["secret", "delete", "KEY"]),
        (new()?, vec!["dispatch-namespace", "list"]),
        (new()?, vec!["dispatch-namespace", "get", "dotdo-staging"]),
        (new()?, vec!["whoami"]),
        (new()?, vec!["delete", "--force"]),
        (new()?, vec!["tail"]),
        (new()?, vec!["versions", "list"]),
        (new()?, vec!["rollback", "--yes"]),
    ])
}

/// The commands and their requests, as in the golden file.
async fn record(version: Version) -> Result<String> {
    let platform = platform();
    let origin = platform
        .base_url()
        .strip_suffix("/client/v4")
        .context("the base URL has another path")?;
    let relay = Relay::start(origin)?;
    let base_url = format!("{}/client/v4", relay.origin());
    let mut text = String::new();
    for (project, arguments) in sessions(Project::new(NAME)?)? {
        relay.remove_requests();
        project
            .call(platform, version)
            .at(&base_url)
            .run(&arguments)
            .await?;
        writeln!(text, "$ wrangler {}", arguments.join(" "))?;
        for request in relay.requests("") {
            let path = request.path.replace(platform.account(), "{account}");
            let path = path.strip_prefix("/client/v4").unwrap_or(&path);
            writeln!(text, "{} {path}", request.method)?;
        }
        text.push('\n');
    }
    Ok(text)
}

async fn assert_equals_golden_file(version: Version) -> Result<()> {
    let text = record(version).await?;
    let file = golden(version);
    if env::var("GOLDEN").is_ok_and(|value| value == "record") {
        fs::write(&file, &text)?;
    }
    let expected = fs::read_to_string(&file).with_context(|| file.display().to_string())?;
    assert_eq!(text, expected, "{} differs", file.display());
    Ok(())
}

#[end_to_end::test]
async fn every_version_sends_the_recorded_requests() -> Result<()> {
    // Not at the same time, because the versions deploy the same Worker.
    for version in Version::ALL {
        assert_equals_golden_file(version).await?;
    }
    Ok(())
}
