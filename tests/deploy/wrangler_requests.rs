//! What stock wrangler asks the deploy API for, as golden files: a version that speaks differently fails here.
//!
//! `GOLDEN=record npm test wrangler_requests` writes them anew.

use std::{env, fmt::Write, fs, path::PathBuf};

use anyhow::{Context, Result};
use dotdo_names::Environment::Staging;
use end_to_end::{Project, Relay, wrangler::Version};
use serde_json::json;

use crate::platforms::platform;

/// The Worker of the projects here.
const NAME: &str = "overheard";

fn golden(version: Version) -> PathBuf {
    let file = match version {
        Version::V4_86 => "wrangler-4.86.txt",
        Version::V4_152 => "wrangler-4.152.txt",
    };
    end_to_end::repository().join("tests/deploy/golden").join(file)
}

/// The commands whose requests are noted, in order.
fn sessions(project: Project) -> Result<Vec<(Project, Vec<&'static str>)>> {
    let deploy = vec!["deploy", "--dispatch-namespace", Staging.namespace()];
    let mut with_secrets = deploy.clone();
    with_secrets.extend(["--secrets-file", "secrets.json"]);
    let mut of_environment = deploy.clone();
    of_environment.extend(["--env", "staging"]);
    let fresh = || Project::new(NAME);
    Ok(vec![
        (project, deploy.clone()),
        (
            fresh()?.file("secrets.json", json!({ "KEY": "value" }).to_string())?,
            with_secrets,
        ),
        (
            fresh()?
                .file("public/index.html", "<h1>front page</h1>")?
                .setting("assets", json!({ "directory": "public" }))?,
            deploy.clone(),
        ),
        (
            fresh()?
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
        (fresh()?.setting("env", json!({ "staging": {} }))?, of_environment),
        (fresh()?, vec!["deploy"]),
        (fresh()?, vec!["secret", "list"]),
        (fresh()?, vec!["secret", "delete", "KEY"]),
        (fresh()?, vec!["dispatch-namespace", "list"]),
        (fresh()?, vec!["dispatch-namespace", "get", "dotdo-staging"]),
        (fresh()?, vec!["whoami"]),
        (fresh()?, vec!["delete", "--force"]),
        (fresh()?, vec!["tail"]),
        (fresh()?, vec!["versions", "list"]),
        (fresh()?, vec!["rollback", "--yes"]),
    ])
}

async fn overheard(version: Version) -> Result<String> {
    let platform = platform();
    let origin = platform
        .base_url()
        .strip_suffix("/client/v4")
        .context("an address")?;
    let relay = Relay::start(origin)?;
    let base_url = format!("{}/client/v4", relay.origin());
    let mut text = String::new();
    for (project, arguments) in sessions(Project::new(NAME)?)? {
        relay.forget();
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

async fn is_golden(version: Version) -> Result<()> {
    let text = overheard(version).await?;
    let file = golden(version);
    if env::var("GOLDEN").is_ok_and(|value| value == "record") {
        fs::write(&file, &text)?;
    }
    let known = fs::read_to_string(&file).with_context(|| file.display().to_string())?;
    assert_eq!(text, known, "{} differs", file.display());
    Ok(())
}

#[end_to_end::test]
async fn of_every_version() -> Result<()> {
    // One after the other: the versions deploy the same Worker.
    for version in Version::ALL {
        is_golden(version).await?;
    }
    Ok(())
}
