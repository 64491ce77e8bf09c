//! Concurrent deploys of one Worker run one after the other.

use anyhow::Result;
use dotdo_names::Environment::Staging;
use end_to_end::{Project, Script, wrangler::Version};
use futures_util::future::try_join_all;

use crate::platforms::{platform, text};

#[end_to_end::test]
async fn records_concurrent_deploys_in_one_order() -> Result<()> {
    let platform = platform();
    let scripts: Vec<_> = (0..8)
        .map(|number| Script::answering(&format!("v{number}")))
        .collect();
    let deploys = scripts
        .iter()
        .map(|script| platform.deploy(Staging, "contended", script));
    let answers = try_join_all(deploys).await?;

    let deployments = platform.deploy_api().deployments(Staging, "contended").await?;
    assert_eq!(deployments.len(), answers.len());
    for answer in &answers {
        let id = &answer["deployment_id"];
        let records = deployments.iter().filter(|one| one["id"] == *id).count();
        assert_eq!(records, 1, "{id}");
    }
    // Each deployment names the one before it: the order has no gaps and no forks.
    for pair in deployments.windows(2) {
        assert_eq!(pair[0]["previous"], pair[1]["id"]);
        assert_eq!(pair[0]["state"], "succeeded");
    }
    // The last deployment is served.
    let last = answers
        .iter()
        .position(|answer| answer["deployment_id"] == deployments[0]["id"]);
    let last = last.expect("no response names the newest deployment");
    assert_eq!(text(platform, Staging, "contended").await?, format!("v{last}"));
    let entries = platform
        .deploy_api()
        .audit("namespace=dotdo-staging&worker=contended")
        .await?;
    let outcomes: Vec<_> = entries.iter().map(|entry| entry["outcome"].clone()).collect();
    let in_sequence = ["intent", "succeeded"].repeat(answers.len());
    assert_eq!(outcomes, in_sequence, "a deploy began before another one ended");
    Ok(())
}

#[end_to_end::test]
async fn two_wranglers_deploy_at_once() -> Result<()> {
    let platform = platform();
    let old = Project::new("raced")?.version("old")?;
    let new = Project::new("raced")?.version("new")?;
    tokio::try_join!(
        old.deploy(platform, Version::V4_86, Staging),
        new.deploy(platform, Version::V4_152, Staging),
    )?;
    let deployments = platform.deploy_api().deployments(Staging, "raced").await?;
    assert_eq!(deployments.len(), 2, "{deployments:?}");
    assert_eq!(deployments[0]["previous"], deployments[1]["id"]);
    Ok(())
}
