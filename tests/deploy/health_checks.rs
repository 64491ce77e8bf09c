//! Health checks that are never skipped, and that pass only with a proof of the version that answered.

use anyhow::Result;
use dotdo_names::Environment::{Development, Staging};
use end_to_end::{Platform, Project, Script, worker_path, wrangler::Version};
use reqwest::Method;
use serde_json::{Value, json};

use crate::platforms::{platform, put, served};

/// A Worker that answers every request with a status.
fn answering(status: u16) -> Script {
    Script::module(&format!(
        "export default {{ fetch() {{ return new Response('', {{ status: {status} }}); }} }};"
    ))
}

async fn set_health_check(platform: &Platform, worker_path: &str, body: Value) -> Result<()> {
    let path = format!("{worker_path}/health-check");
    platform
        .deploy_api()
        .call(Method::PUT, &path, Some(&body))
        .await
        .map(drop)
}

#[end_to_end::test]
async fn a_retry_never_skips_a_health_check() -> Result<()> {
    let platform = platform();
    let path = worker_path(Staging, "unhealthy");
    set_health_check(platform, &path, json!({ "path": "/", "expect": 200 })).await?;
    let bad = answering(500);
    for _ in 0..2 {
        let answer = put(platform, "unhealthy", &bad).await?;
        assert_eq!(answer.status, 422, "{}", answer.text());
        assert_eq!(answer.json()["errors"][0]["code"], 740_156);
        assert!(
            answer.text().contains("It is serving, health check failed"),
            "{}",
            answer.text()
        );
    }
    assert_eq!(served(platform, Staging, "unhealthy").await?.status, 500);
    let worker = platform.deploy_api().get(&path).await?;
    assert_eq!(
        worker["health"]["detail"],
        "serving, health check failed: status 500 and not 200"
    );
    let deployments = platform.deploy_api().deployments(Staging, "unhealthy").await?;
    assert_eq!(deployments.len(), 1, "{deployments:?}");
    assert_eq!(deployments[0]["health"]["result"], "failed");
    Ok(())
}

#[end_to_end::test]
async fn a_health_check_that_is_set_later_is_made_for_the_same_bytes() -> Result<()> {
    let platform = platform();
    let path = worker_path(Staging, "unchecked");
    let bad = answering(500);
    assert_eq!(put(platform, "unchecked", &bad).await?.status, 200);
    let worker = platform.deploy_api().get(&path).await?;
    assert_eq!(worker["health"]["result"], "none");
    set_health_check(platform, &path, json!({ "path": "/", "expect": 200 })).await?;
    let answer = put(platform, "unchecked", &bad).await?;
    assert_eq!(answer.status, 422, "{}", answer.text());
    set_health_check(platform, &path, json!({ "path": "/", "expect": 500 })).await?;
    assert_eq!(put(platform, "unchecked", &bad).await?.status, 200);
    Ok(())
}

#[end_to_end::test]
async fn a_health_check_passes_only_with_the_proof_of_the_new_version() -> Result<()> {
    let platform = platform();
    let api = platform.deploy_api();
    let path = worker_path(Development, "versioned");
    let project = Project::new("versioned")?.file(
        "index.js",
        "export default { fetch(request, env) {
            return new Response(`version ${env.VERSION}.`, { headers: { 'x-version': env.VERSION } });
        } };",
    )?;
    let deploy = async |tag: &str, version: &str| {
        let variable = format!("VERSION:{version}");
        let namespace = Development.namespace();
        let arguments = [
            "deploy",
            "--dispatch-namespace",
            namespace,
            "--tag",
            tag,
            "--var",
            &variable,
        ];
        project.wrangler(platform, Version::V4_152, &arguments).await
    };
    let newest = async || -> Result<Value> {
        let deployments = api.deployments(Development, "versioned").await?;
        Ok(deployments[0].clone())
    };
    set_health_check(platform, &path, json!({ "path": "/", "expect": 200 })).await?;
    deploy("1", "1").await?.success()?;
    assert_eq!(newest().await?["health"]["result"], "unproven");

    let header = json!({ "header": { "name": "X-Version", "value": "{tag}" } });
    set_health_check(
        platform,
        &path,
        json!({ "path": "/", "expect": 200, "proof": header }),
    )
    .await?;
    deploy("2", "2").await?.success()?;
    let passed = newest().await?;
    assert_eq!(passed["health"]["result"], "passed", "{passed}");
    assert_eq!(passed["health"]["proof"]["header"]["value"], "2");

    // The answer comes from another version than the tag says.
    let run = deploy("3", "2").await?.failure()?;
    assert!(run.output.contains("[code: 740156]"), "{}", run.output);
    assert!(newest().await?["verb"] == "rollback");
    assert_eq!(
        newest().await?["health"]["result"],
        "passed",
        "the rollback has the tag 2"
    );

    let body = json!({ "body": "version {tag}." });
    set_health_check(
        platform,
        &path,
        json!({ "path": "/", "expect": 200, "proof": body }),
    )
    .await?;
    deploy("4", "4").await?.success()?;
    assert_eq!(newest().await?["health"]["result"], "passed");
    let rolled_back = api.post(&format!("{path}/rollback"), &json!({})).await?;
    assert_eq!(rolled_back["health"]["result"], "passed", "{rolled_back}");

    let entries = api
        .audit("namespace=dotdo-development&worker=versioned&verb=verify")
        .await?;
    let outcomes: Vec<_> = entries.iter().map(|entry| &entry["outcome"]).collect();
    assert_eq!(
        outcomes,
        [
            "unproven",
            "succeeded",
            "rolled_back",
            "succeeded",
            "succeeded",
            "succeeded"
        ]
    );
    Ok(())
}
