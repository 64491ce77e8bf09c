//! A trap in the deploy API's Wasm costs the requests that are under way, each of which is told so, and no other.

use std::{fs, path::Path, time::Duration};

use anyhow::{Context, Result};
use end_to_end::{Answer, Options, Platform, deploy_api_build};
use futures_util::stream;
use reqwest::{Body, Method};
use tempfile::TempDir;

/// The deploy API as it is built, behind an entry of the tests' own.
fn trapping_build(folder: &Path) -> Result<()> {
    for file in fs::read_dir(deploy_api_build()?)? {
        let file = file?;
        let to = match file.file_name() {
            name if name == "entry.js" => "deploy-api.js".into(),
            name => name,
        };
        fs::copy(file.path(), folder.join(to))?;
    }
    fs::write(folder.join("entry.js"), include_str!("trapping_entry.js"))?;
    Ok(())
}

#[end_to_end::test]
async fn the_next_request_is_served_and_those_under_way_are_answered() -> Result<()> {
    let build = TempDir::with_prefix("dotdo-build-")?;
    trapping_build(build.path())?;
    let platform = Platform::start(Options::new().deploy_api_build(build.path()));

    for _ in 0..3 {
        // Its body never ends, so that it is under way when the Wasm traps.
        let endless = Body::wrap_stream(stream::pending::<Result<Vec<u8>>>());
        let waiting = platform
            .api(Method::POST, "/v1/policy/explain")
            .body(endless)
            .send();
        let waiting = tokio::spawn(waiting);
        while_reading(&platform).await?;

        let trapped = platform
            .api(Method::GET, "/v1/health")
            .header("x-test-trap", "1")
            .send();
        let trapped = Answer::read(trapped.await?).await?;
        assert_eq!(
            (trapped.status.as_u16(), trapped.json()["code"].as_str()),
            (500, Some("INTERNAL"))
        );

        let answered = tokio::time::timeout(Duration::from_secs(20), waiting)
            .await
            .context("the request under way waits for ever")???;
        assert_eq!(Answer::read(answered).await?.json()["code"], "INTERNAL");

        let next = Answer::read(platform.api(Method::GET, "/v1/audit/verify").send().await?).await?;
        assert_eq!(next.json()["whole"], true, "{}", next.text());
    }
    Ok(())
}

/// Waits until the request that was sent before has been let in, which counts as a use of its token.
async fn while_reading(platform: &Platform) -> Result<()> {
    let uses = || async {
        let tokens = Answer::read(platform.api(Method::GET, "/v1/tokens").send().await?).await?;
        tokens.json()["items"][0]["uses"]
            .as_u64()
            .context("no token is listed")
    };
    let before = uses().await?;
    // Each look counts as well: another use stands between two looks once the request is in.
    let mut looks = 0;
    loop {
        looks += 1;
        if uses().await? > before + looks {
            return Ok(());
        }
        if looks > 40 {
            // It was in before the first look.
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
}
