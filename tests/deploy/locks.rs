//! A lock of a Worker rejects every change, and the error names who locked it, why and until when.

use anyhow::Result;
use dotdo_names::Environment::{Development, Staging};
use end_to_end::{Project, Script, worker_path, wrangler::Version};
use reqwest::Method;
use serde_json::json;

use crate::platforms::{platform, text};

#[end_to_end::test]
async fn rejects_changes_of_a_locked_worker_until_it_is_unlocked() -> Result<()> {
    let platform = platform();
    let api = platform.deploy_api();
    let path = worker_path(Staging, "frozen");
    let project = Project::new("frozen")?;
    project.deploy(platform, Version::V4_152, Staging).await?;
    project
        .version("2")?
        .deploy(platform, Version::V4_152, Staging)
        .await?;
    let until = "2099-01-02T03:04:05Z";
    let body = json!({ "why": "audit week", "until": until });
    api.call(Method::PUT, &format!("{path}/lock"), Some(&body))
        .await?;

    let project = Project::new("frozen")?.version("3")?;
    for version in Version::ALL {
        let run = project
            .wrangler(
                platform,
                version,
                &["deploy", "--dispatch-namespace", Staging.namespace()],
            )
            .await?
            .failure()?;
        for expected in ["[code: 740150]", "audit week", "2099-01-02", "developer"] {
            assert!(run.output.contains(expected), "{expected}: {}", run.output);
        }
    }
    for (method, path, body) in [
        (Method::POST, format!("{path}/rollback"), json!({})),
        (Method::DELETE, path.clone(), json!(null)),
        (
            Method::PUT,
            format!("{path}/secrets/KEY"),
            json!({ "text": "value" }),
        ),
    ] {
        let answer = api
            .send(method, &path, Some(&body).filter(|body| !body.is_null()))
            .await?;
        assert_eq!(answer.status, 409, "{path}: {}", answer.text());
        assert_eq!(answer.json()["code"], "WORKER_LOCKED");
        assert!(answer.text().contains("audit week"), "{}", answer.text());
    }
    assert_eq!(text(platform, Staging, "frozen").await?, "2");

    api.call(Method::DELETE, &format!("{path}/lock"), None).await?;
    project.deploy(platform, Version::V4_152, Staging).await?;
    assert_eq!(text(platform, Staging, "frozen").await?, "3");
    Ok(())
}

#[end_to_end::test]
async fn rejects_a_promotion_to_a_locked_worker() -> Result<()> {
    let platform = platform();
    let api = platform.deploy_api();
    platform
        .deploy(Development, "halted", &Script::answering("new"))
        .await?;
    platform
        .deploy(Staging, "halted", &Script::answering("old"))
        .await?;
    let lock = format!("{}/lock", worker_path(Staging, "halted"));
    api.call(Method::PUT, &lock, Some(&json!({ "why": "a demonstration" })))
        .await?;
    let path = format!("{}/promote", worker_path(Development, "halted"));
    let answer = api
        .send(Method::POST, &path, Some(&json!({ "to": "dotdo-staging" })))
        .await?;
    assert_eq!(answer.status, 409, "{}", answer.text());
    assert_eq!(text(platform, Staging, "halted").await?, "old");
    Ok(())
}
