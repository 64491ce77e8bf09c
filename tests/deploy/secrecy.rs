//! Secrets appear in no log line, audit entry, bundle, record or error.

use std::{fs, path::Path};

use anyhow::{Context, Result, ensure};
use dotdo_names::Environment::{Production, Staging};
use end_to_end::{Project, relay::Fault, worker_path, wrangler::Version};
use reqwest::Method;
use serde_json::json;

use crate::platforms::{Distant, distant, text};

/// The files below a folder that contain a text, as far as their names can be told.
fn files_with(folder: &Path, needles: &[&str]) -> Result<Vec<String>> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).with_context(|| folder.display().to_string())? {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            // The database may be replaced while this reads.
            let Ok(bytes) = fs::read(&path) else { continue };
            for needle in needles {
                if bytes
                    .windows(needle.len())
                    .any(|window| window == needle.as_bytes())
                {
                    found.push(format!("{needle} in {}", path.display()));
                }
            }
        }
    }
    Ok(found)
}

/// Marks that occur nowhere else.
const OF_FILE: &str = "MARK-of-a-secrets-file-4b1f";
const OF_COMMAND: &str = "MARK-of-a-secret-command-9c2e";
const OF_CALL: &str = "MARK-of-a-call-of-v1-77aa";
const OF_FAILURE: &str = "MARK-of-a-failed-deploy-03dd";
const MARKS: [&str; 4] = [OF_FILE, OF_COMMAND, OF_CALL, OF_FAILURE];

async fn everything_that_is_told(distant: &Distant) -> Result<String> {
    let api = distant.platform.deploy_api();
    let mut told = String::new();
    for path in [
        "/v1/audit?limit=1000".to_owned(),
        "/v1/tokens".to_owned(),
        "/v1/policy".to_owned(),
        worker_path(Staging, "marked"),
        format!("{}/deployments", worker_path(Staging, "marked")),
        format!("{}/secrets", worker_path(Staging, "marked")),
    ] {
        told.push_str(&api.get(&path).await?.to_string());
    }
    told.push_str(&distant.platform.log().text()?);
    Ok(told)
}

#[end_to_end::test]
async fn a_marked_secret_is_found_nowhere_but_upstream() -> Result<()> {
    let distant = distant();
    let api = distant.platform.deploy_api();
    let project = Project::new("marked")?
        .file(
            "index.js",
            "export default { fetch(request, env) { return new Response([env.A, env.B, env.C].join()); } };",
        )?
        .file("secrets.json", json!({ "A": OF_FILE }).to_string())?;
    let deploy = [
        "deploy",
        "--dispatch-namespace",
        Staging.namespace(),
        "--secrets-file",
        "secrets.json",
    ];
    let mut printed = String::new();
    let run = project
        .wrangler(distant.platform, Version::V4_152, &deploy)
        .await?
        .success()?;
    printed.push_str(&run.output);
    let put = project
        .call(distant.platform, Version::V4_152)
        .with_input(OF_COMMAND)
        .run(&["secret", "put", "B"])
        .await?;
    printed.push_str(&put.output);
    let path = format!("{}/secrets/C", worker_path(Staging, "marked"));
    api.call(Method::PUT, &path, Some(&json!({ "text": OF_CALL })))
        .await?;
    let b = if put.succeeded { OF_COMMAND } else { "" };
    assert_eq!(
        text(distant.cloudflare, Staging, "marked").await?,
        format!("{OF_FILE},{b},{OF_CALL}"),
        "the Worker has them"
    );

    // Failures and refusals with secrets in them.
    let failing = project.file("secrets.json", json!({ "A": OF_FAILURE }).to_string())?;
    for fault in [Fault::Status(500), Fault::Html(200), Fault::Close] {
        distant.relay.plan("PUT", "/scripts/marked?", 3, fault);
        let run = failing
            .wrangler(distant.platform, Version::V4_86, &deploy)
            .await?;
        printed.push_str(&run.output);
        distant.relay.heal("/scripts/marked?");
    }
    let malformed = api
        .send(Method::PUT, &path, Some(&json!({ "txt": OF_CALL })))
        .await?;
    assert!(malformed.status.is_client_error());
    printed.push_str(&malformed.text());
    // A roll back and a promotion store and tell nothing of them either.
    let answer = api
        .send(
            Method::POST,
            &format!("{}/promote", worker_path(Staging, "marked")),
            Some(&json!({ "to": Production.namespace(), "secrets": { "A": OF_FILE, "B": OF_COMMAND, "C": OF_CALL } })),
        )
        .await?;
    printed.push_str(&answer.text());

    for mark in MARKS {
        ensure!(!printed.contains(mark), "{mark} was printed:\n{printed}");
        let told = everything_that_is_told(&distant).await?;
        ensure!(!told.contains(mark), "{mark} is told");
    }
    // The database and the bucket of the deploy API, its log, and everything else that it keeps. The runtime writes its
    // database in pages, uncompressed, so that a text in it is found as it is.
    let stored = files_with(distant.platform.state(), &MARKS)?;
    ensure!(stored.is_empty(), "{stored:#?}");
    // The search finds what is there.
    let known = files_with(distant.platform.state(), &["marked"])?;
    ensure!(!known.is_empty(), "the Worker's name is not found either");
    let upstream = files_with(distant.cloudflare.state(), &[OF_FILE])?;
    ensure!(
        !upstream.is_empty(),
        "the local platform does not hold the secret"
    );
    Ok(())
}

#[end_to_end::test]
async fn tokens_are_stored_hashed_only() -> Result<()> {
    let platform = distant().platform;
    let token = platform.token();
    let bootstrap = platform.secret("bootstrap_token")?;
    // The files that hand the credentials to their users.
    let files = files_with(&platform.state().join("workers"), &[token, &bootstrap])?;
    assert!(files.is_empty(), "{files:?}");
    let log = platform.log().text()?;
    assert!(!log.contains(token) && !log.contains(&bootstrap));
    Ok(())
}
