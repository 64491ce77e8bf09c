//! Two deploys of one Worker at once.

use anyhow::Result;
use dotdo_names::Environment::Staging;
use end_to_end::{Project, Script, wrangler::Version};
use futures_util::future::try_join_all;

use crate::platforms::{platform, text};

#[end_to_end::test]
async fn many_at_once_are_put_in_an_order_and_all_are_on_record() -> Result<()> {
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
        let on_record = deployments.iter().filter(|one| one["id"] == *id).count();
        assert_eq!(on_record, 1, "{id}");
    }
    // Each has the one before it as its predecessor: an order, without gaps and forks.
    for pair in deployments.windows(2) {
        assert_eq!(pair[0]["previous"], pair[1]["id"]);
        assert_eq!(pair[0]["state"], "succeeded");
    }
    // The last of the order is what serves.
    let last = answers
        .iter()
        .position(|answer| answer["deployment_id"] == deployments[0]["id"]);
    let last = last.expect("the newest was answered");
    assert_eq!(text(platform, Staging, "contended").await?, format!("v{last}"));
    let entries = platform
        .deploy_api()
        .audit("namespace=dotdo-staging&worker=contended")
        .await?;
    let outcomes: Vec<_> = entries.iter().map(|entry| entry["outcome"].clone()).collect();
    let one_by_one = ["intent", "succeeded"].repeat(answers.len());
    assert_eq!(outcomes, one_by_one, "no change begins before another ends");
    Ok(())
}

#[end_to_end::test]
async fn two_wranglers_at_once() -> Result<()> {
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
