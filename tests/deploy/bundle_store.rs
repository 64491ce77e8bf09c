//! What happens when the store of the bundles fails: nothing is deployed that could not be rolled back to.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result};
use dotdo_names::Environment::Staging;
use end_to_end::{Answer, Options, Platform, Script};
use reqwest::Method;

use crate::platforms::text;

const WORKER: &str = "bundled";

/// The folder in which the runtime keeps the contents of the bucket.
fn blobs(platform: &Platform) -> Result<PathBuf> {
    let mut folders = vec![platform.state().to_owned()];
    while let Some(folder) = folders.pop() {
        if folder.ends_with("dotdo-bundles/blobs") {
            return Ok(folder);
        }
        for entry in fs::read_dir(&folder)? {
            let entry = entry?;
            if entry.file_type()?.is_dir() {
                folders.push(entry.path());
            }
        }
    }
    None.context("the state holds no bucket")
}

async fn put(platform: &Platform, body: &str) -> Result<Answer> {
    let call = platform.api(Method::PUT, &platform.script_path(Staging, WORKER));
    Answer::read(call.multipart(Script::answering(body).to_form()).send().await?).await
}

#[end_to_end::test]
async fn without_its_bundle_nothing_is_deployed() -> Result<()> {
    let platform = Platform::start(Options::new());
    assert_eq!(put(&platform, "1").await?.status, 200);
    let blobs = blobs(&platform)?;
    let aside = blobs.with_extension("aside");
    fs::rename(&blobs, &aside)?;
    fs::write(&blobs, "a file where a folder should be")?;

    let answer = put(&platform, "2").await?;
    assert_eq!(answer.status, 503, "{}", answer.text());
    assert_eq!(answer.json()["errors"][0]["code"], 740_166, "{}", answer.text());
    assert_eq!(text(&platform, Staging, WORKER).await?, "1");
    let states: Vec<_> = platform
        .deploy_api()
        .deployments(Staging, WORKER)
        .await?
        .iter()
        .map(|deployment| deployment["state"].clone())
        .collect();
    assert!(!states.contains(&"pending".into()), "{states:?}");
    let entries = platform
        .deploy_api()
        .audit(&format!("worker={WORKER}&verb=deploy"))
        .await?;
    let outcomes: Vec<_> = entries.iter().map(|entry| entry["outcome"].clone()).collect();
    assert_eq!(outcomes.last(), Some(&"failed".into()), "{entries:?}");

    fs::remove_file(&blobs)?;
    fs::rename(&aside, &blobs)?;
    assert_eq!(put(&platform, "3").await?.status, 200);
    assert_eq!(text(&platform, Staging, WORKER).await?, "3");
    Ok(())
}
