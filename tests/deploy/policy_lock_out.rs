//! A policy that locks its administrators out, and the way back.

use anyhow::Result;
use end_to_end::{Options, Platform};
use reqwest::Method;
use serde_json::json;

#[end_to_end::test]
async fn a_policy_that_locks_out_needs_a_confirmation_and_the_bootstrap_secret_is_the_way_back() -> Result<()>
{
    // This platform belongs to this test, because nobody can use it meanwhile.
    let platform = Platform::start(Options::new());
    let developer = platform.deploy_api();
    let bootstrap = platform.secret("bootstrap_token")?;
    let bootstrap = platform.deploy_api_as(&bootstrap);
    let original = developer.get("/v1/policy").await?;

    let empty = json!({ "version": 1, "rules": [] });
    let mut other = original["document"].clone();
    other["rules"][0]["who"] = json!({ "token": "somebody-else" });
    for document in [&empty, &other] {
        let refused = developer.send(Method::PUT, "/v1/policy", Some(document)).await?;
        assert_eq!(refused.status, 409, "{}", refused.text());
        assert_eq!(refused.json()["code"], "POLICY_LOCKS_OUT");
        assert!(refused.text().contains("confirm=lock_out"), "{}", refused.text());
        let dry = developer
            .call(Method::PUT, "/v1/policy?dry_run=true", Some(document))
            .await?;
        assert!(
            dry["warnings"][0]
                .as_str()
                .is_some_and(|text| text.contains("admin")),
            "{dry}"
        );
    }
    assert_eq!(developer.get("/v1/policy").await?, original);

    developer
        .call(Method::PUT, "/v1/policy?confirm=lock_out", Some(&empty))
        .await?;
    for path in ["/v1/policy", "/v1/audit", "/v1/tokens"] {
        assert_eq!(
            developer.send(Method::GET, path, None).await?.status,
            403,
            "{path}"
        );
    }
    let version = original["version"].as_u64().unwrap_or_default();
    let earlier = bootstrap.get(&format!("/v1/policy?version={version}")).await?;
    bootstrap
        .call(Method::PUT, "/v1/policy", Some(&earlier["document"]))
        .await?;
    assert_eq!(
        developer.get("/v1/policy").await?["document"],
        original["document"]
    );
    platform.stop();
    Ok(())
}
