//! A deploy API with a variable that it cannot use does nothing and says so, its reason only to its log.

use anyhow::Result;
use end_to_end::{Answer, Options, Platform};
use reqwest::Method;

#[end_to_end::test]
async fn a_variable_that_cannot_be_used_stops_the_api_and_is_named_in_its_log() -> Result<()> {
    let sound = Platform::start(Options::new());
    let platform =
        sound.restart_with(Options::new().deploy_api_variable("OIDC_ISSUERS", r#"["http://token.example"]"#));
    for path in ["/v1/health", "/v1/policy"] {
        let answer = Answer::read(platform.api(Method::GET, path).send().await?).await?;
        assert_eq!(
            (answer.status.as_u16(), answer.json()["code"].as_str()),
            (500, Some("MISCONFIGURED"))
        );
        assert!(!answer.text().contains("token.example"), "{}", answer.text());
        let request = answer.json()["request_id"].clone();
        let line = platform
            .log()
            .object("the reason", |line| line["request_id"] == request)
            .await?;
        let cause = line["cause"].as_str().unwrap_or_default();
        assert!(cause.contains("OIDC_ISSUERS"), "{line}");
    }
    Ok(())
}
