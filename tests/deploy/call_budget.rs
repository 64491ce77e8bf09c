//! The limit of calls to the Cloudflare API.

use anyhow::Result;
use dotdo_names::Environment::Staging;
use end_to_end::{Options, Platform, Script};
use reqwest::Method;

use crate::platforms::put;

#[end_to_end::test]
async fn lists_are_refused_with_retry_after_while_deploys_are_served() -> Result<()> {
    let platform =
        Platform::start(Options::new().deploy_api_variable("UPSTREAM_CALLS_PER_FIVE_MINUTES", "40"));
    let api = platform.deploy_api();
    let list = format!("/v1/namespaces/{}/workers", Staging.namespace());
    let mut lists = 0;
    let refused = loop {
        let answer = api.send(Method::GET, &list, None).await?;
        if answer.status != 200 {
            break answer;
        }
        lists += 1;
    };
    assert_eq!(lists, 30);
    assert_eq!(refused.status, 429, "{}", refused.text());
    assert_eq!(refused.json()["code"], "UPSTREAM_RATE_LIMITED");
    assert!((1..=340).contains(&refused.header("retry-after").parse::<u32>()?));
    let script = Script::answering("deployed");
    let deployed = put(&platform, "within-the-reserve", &script).await?;
    assert_eq!(deployed.status, 200, "{}", deployed.text());
    platform.stop();
    Ok(())
}
