//! Previews: made from an earlier deployment, and deleted early or when they expire.

use anyhow::{Result, ensure};
use dotdo_names::Environment::{Development, Production};
use end_to_end::{Command, Platform, Script, until};
use serde_json::{Value, json};

use crate::program::{assert_contains, fails, json, platform, served, succeeds};

#[end_to_end::test]
async fn an_earlier_deployment_is_served_as_a_preview_until_it_is_deleted() -> Result<()> {
    let version = |code: &str, mode: &str| Script::answering(code).with_text("MODE", mode);
    for (environment, script) in [
        (Production, version("1", "production")),
        (Production, version("2", "production")),
        (Development, version("3", "development")),
    ] {
        platform().deploy(environment, "seen", &script).await?;
    }
    let listed = json(&["deployments", "seen", "--env", "production"]).await?;
    let id = listed["items"][1]["id"].as_str().expect("an id").to_owned();
    let preview = ["preview", "seen", "--deployment", &id[..13]];
    let made = json(&preview).await?;
    let name = format!("seen-at-{}", &id[24..]);
    assert_eq!(made["worker"], name.as_str(), "{made}");
    assert_eq!(served(Development, &name).await?, "1");
    let local = format!("http://dev.{name}.localhost:{}", platform().port());
    assert_eq!(made["urls"], json!([local]), "{made}");
    let again = succeeds(&preview).await?;
    assert_contains(&again, &[&local, "expires", "in 13 d"]);
    assert_contains(&succeeds(&["status"]).await?, &[&name, "a deployment of seen"]);
    assert_contains(
        &succeeds(&["worker", &name]).await?,
        &["preview of", "a deployment of seen"],
    );

    succeeds(&["delete", &name, "--env", "development"]).await?;
    let gone = json(&["status"]).await?;
    assert!(!gone.to_string().contains(&name), "{gone}");
    let unknown = fails(2, &["preview", "seen", "--deployment", "ffffffff"]).await?;
    assert_contains(&unknown.errors, &["dotdo deployments seen"]);
    Ok(())
}

/// Asserts that a platform with a short `PREVIEW_LIFETIME_SECONDS` deletes a preview, and records it, without any request.
pub async fn assert_that_a_preview_expires(platform: &Platform) -> Result<()> {
    platform
        .deploy(Development, "seen-pr-7", &Script::answering("1"))
        .await?;
    let host = "dev.seen-pr-7.do";
    assert_eq!(platform.get(host, "/").await?.text(), "1");
    until("the preview is deleted", async || {
        let answer = platform.get(host, "/").await?;
        Ok((answer.status == 404).then_some(()))
    })
    .await?;
    let finished = Command::dotdo(&["audit", "list", "seen-pr-7", "--verb", "delete", "--json"])?
        .variable("DOTDO_API", &format!("http://localhost:{}", platform.port()))
        .variable("DOTDO_TOKEN", platform.token())
        .run()
        .await?;
    ensure!(finished.code == Some(0), "{}", finished.errors);
    let log: Value = serde_json::from_str(&finished.output)?;
    let entry = &log["items"][0]["entry"];
    assert_eq!(entry["outcome"], "succeeded", "{log}");
    assert_eq!(entry["identity"]["kind"], "platform", "{log}");
    Ok(())
}
