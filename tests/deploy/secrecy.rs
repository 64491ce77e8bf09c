//! Secrets and tokens appear in no log line, audit entry, bundle, record or error.

use std::{fs, path::Path};

use anyhow::{Context, Result, ensure};
use dotdo_names::Environment::{Production, Staging};
use end_to_end::{Project, relay::Fault, worker_path, wrangler::Version};
use reqwest::Method;
use serde_json::json;

use crate::platforms::{BehindRelay, behind_relay, text};

/// The files below a folder that contain one of some texts.
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
            // The runtime may remove a file meanwhile.
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

/// Secrets that occur nowhere else.
const OF_FILE: &str = "MARK-of-a-secrets-file-4b1f";
const OF_COMMAND: &str = "MARK-of-a-secret-command-9c2e";
const OF_CALL: &str = "MARK-of-a-call-of-v1-77aa";
const OF_FAILURE: &str = "MARK-of-a-failed-deploy-03dd";
const MARKS: [&str; 4] = [OF_FILE, OF_COMMAND, OF_CALL, OF_FAILURE];

/// Everything that the deploy API returns and logs about the Worker.
async fn responses_and_log(relayed: &BehindRelay) -> Result<String> {
    let api = relayed.platform.deploy_api();
    let mut text = String::new();
    for path in [
        "/v1/audit?limit=1000".to_owned(),
        "/v1/tokens".to_owned(),
        "/v1/policy".to_owned(),
        worker_path(Staging, "marked"),
        format!("{}/deployments", worker_path(Staging, "marked")),
        format!("{}/secrets", worker_path(Staging, "marked")),
    ] {
        text.push_str(&api.get(&path).await?.to_string());
    }
    text.push_str(&relayed.platform.log().text()?);
    Ok(text)
}

#[end_to_end::test]
async fn a_secret_is_stored_only_upstream() -> Result<()> {
    let relayed = behind_relay();
    let api = relayed.platform.deploy_api();
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
        .wrangler(relayed.platform, Version::V4_152, &deploy)
        .await?
        .success()?;
    printed.push_str(&run.output);
    let put = project
        .call(relayed.platform, Version::V4_152)
        .with_input(OF_COMMAND)
        .run(&["secret", "put", "B"])
        .await?;
    printed.push_str(&put.output);
    let path = format!("{}/secrets/C", worker_path(Staging, "marked"));
    api.call(Method::PUT, &path, Some(&json!({ "text": OF_CALL })))
        .await?;
    let b = if put.succeeded { OF_COMMAND } else { "" };
    assert_eq!(
        text(relayed.cloudflare, Staging, "marked").await?,
        format!("{OF_FILE},{b},{OF_CALL}"),
        "the Worker gets its secrets"
    );

    // Failed and rejected requests with secrets in them.
    let failing = project.file("secrets.json", json!({ "A": OF_FAILURE }).to_string())?;
    for fault in [Fault::Status(500), Fault::Html(200), Fault::Close] {
        relayed.relay.plan("PUT", "/scripts/marked?", 3, fault);
        let run = failing
            .wrangler(relayed.platform, Version::V4_86, &deploy)
            .await?;
        printed.push_str(&run.output);
        relayed.relay.remove_faults("/scripts/marked?");
    }
    let malformed = api
        .send(Method::PUT, &path, Some(&json!({ "txt": OF_CALL })))
        .await?;
    assert!(malformed.status.is_client_error());
    printed.push_str(&malformed.text());
    // A promotion with secrets.
    let answer = api
        .send(
            Method::POST,
            &format!("{}/promote", worker_path(Staging, "marked")),
            Some(&json!({
                "to": Production.namespace(), "variables": "copy",
                "secrets": { "A": OF_FILE, "B": OF_COMMAND, "C": OF_CALL }
            })),
        )
        .await?;
    printed.push_str(&answer.text());
    ensure!(answer.status.is_success(), "{}", answer.text());

    for mark in MARKS {
        ensure!(!printed.contains(mark), "{mark} was printed:\n{printed}");
        let text = responses_and_log(&relayed).await?;
        ensure!(!text.contains(mark), "{mark} is in a response or in the log");
    }
    // All files of the platform: the deploy API's database, bundle store and log. The runtime does not compress its
    // database, so a search for the text finds it.
    let stored = files_with(relayed.platform.state(), &MARKS)?;
    ensure!(stored.is_empty(), "{stored:#?}");
    // The search works: it finds a text that is stored.
    let known = files_with(relayed.platform.state(), &["marked"])?;
    ensure!(!known.is_empty(), "the search does not find the Worker's name");
    let upstream = files_with(relayed.cloudflare.state(), &[OF_FILE])?;
    ensure!(
        !upstream.is_empty(),
        "the search does not find the secret upstream"
    );
    Ok(())
}

#[end_to_end::test]
async fn stores_only_hashes_of_tokens() -> Result<()> {
    let platform = behind_relay().platform;
    let token = platform.token();
    let bootstrap = platform.secret("bootstrap_token")?;
    // Only the files beside this folder contain the tokens, for the developer.
    let files = files_with(&platform.state().join("workers"), &[token, &bootstrap])?;
    assert!(files.is_empty(), "{files:?}");
    let log = platform.log().text()?;
    assert!(!log.contains(token) && !log.contains(&bootstrap));
    Ok(())
}
