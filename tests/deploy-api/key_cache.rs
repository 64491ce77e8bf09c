//! The runtime's cache of issuers' documents, which isolates of the gateway share.

use anyhow::{Result, ensure};
use end_to_end::{Answer, Issuer, Options, Platform, copy_with_entry, deploy_api_build, issuer::OWNER_ID};
use reqwest::Method;
use serde_json::json;
use tempfile::TempDir;

const REPOSITORY: &str = "drivly/cached-keys";
const REPOSITORY_ID: u64 = 7001;

#[end_to_end::test]
async fn a_new_isolate_uses_the_cached_keys_and_ignores_forged_ones() -> Result<()> {
    let build = TempDir::with_prefix("dotdo-build-")?;
    copy_with_entry(
        &deploy_api_build()?,
        build.path(),
        include_str!("forgetting_entry.js"),
        "deploy-api.js",
    )?;
    let issuer = Issuer::start()?;
    let platform = Platform::start(
        Options::new()
            .deploy_api_build(build.path())
            .deploy_api_variable("OIDC_ISSUERS", &json!([issuer.address()]).to_string()),
    );
    allow(&platform, &issuer).await?;

    exchange(&platform, &issuer).await?;
    assert_eq!(issuer.reads(), 1, "the first exchange reads the keys");

    isolate(&platform, "forget", "").await?;
    exchange(&platform, &issuer).await?;
    assert_eq!(issuer.reads(), 1, "a new isolate uses the cached keys");

    for path in ["/.well-known/openid-configuration", "/.well-known/jwks"] {
        isolate(&platform, "forge", &format!("{}{path}", issuer.address())).await?;
    }
    isolate(&platform, "forget", "").await?;
    exchange(&platform, &issuer).await?;
    assert_eq!(issuer.reads(), 2, "forged keys are ignored");

    isolate(&platform, "forget", "").await?;
    exchange(&platform, &issuer).await?;
    assert_eq!(issuer.reads(), 2, "the keys replace the forged ones in the cache");
    Ok(())
}

/// Permits the repository's main branch to deploy.
async fn allow(platform: &Platform, issuer: &Issuer) -> Result<()> {
    let rule = json!({
        "name": "cached-keys",
        "who": { "github": {
            "issuer": issuer.address(),
            "repository": REPOSITORY,
            "repository_id": REPOSITORY_ID.to_string(),
            "repository_owner_id": OWNER_ID,
            "ref": "refs/heads/main",
            "environment": "production",
        } },
        "namespaces": ["dotdo-staging"],
        "workers": ["cached-keys"],
        "actions": ["read", "deploy"],
    });
    let bootstrap = platform.secret("bootstrap_token")?;
    platform.deploy_api_as(&bootstrap).allow(rule).await
}

/// Exchanges a new OIDC token, which must succeed.
async fn exchange(platform: &Platform, issuer: &Issuer) -> Result<()> {
    let token = issuer.token(&issuer.claims(REPOSITORY, REPOSITORY_ID));
    let request = platform
        .anonymous(Method::POST, "/v1/tokens/exchange")
        .json(&json!({ "token": token }));
    let answer = Answer::read(request.send().await?).await?;
    ensure!(
        answer.status == 200,
        "the exchange is rejected: {}",
        answer.text()
    );
    Ok(())
}

/// Makes the entry do something to its isolate or to the cached document of an address.
async fn isolate(platform: &Platform, action: &str, address: &str) -> Result<()> {
    let request = platform
        .api(Method::GET, "/v1/health")
        .header("x-test-isolate", action)
        .header("x-test-address", address);
    let answer = Answer::read(request.send().await?).await?;
    ensure!(answer.status == 200, "{action} {address}: {}", answer.text());
    Ok(())
}
