//! The upload of one static asset as it is, and the refusals of this call.

use anyhow::{Context, Result};
use dotdo_names::Environment::Staging;
use end_to_end::{Answer, Platform};
use reqwest::Method;
use serde_json::json;

const HASH: &str = "0123456789abcdef0123456789abcdef";
const OTHER: &str = "fedcba9876543210fedcba9876543210";

/// Uploads a file with the token of a session.
async fn upload(token: &str, hash: &str, content: &'static str) -> Result<Answer> {
    let platform = Platform::shared();
    let path = format!(
        "/client/v4/accounts/{}/workers/assets/upload/{hash}",
        platform.account()
    );
    let call = platform.anonymous(Method::POST, &path).bearer_auth(token);
    Answer::read(
        call.header("Content-Type", "text/plain")
            .body(content)
            .send()
            .await?,
    )
    .await
}

#[end_to_end::test]
async fn a_file_of_the_session_is_accepted_and_others_are_refused() -> Result<()> {
    let platform = Platform::shared();
    let path = format!(
        "{}/assets-upload-session",
        platform.script_path(Staging, "single-file")
    );
    let manifest = json!({ "manifest": { "/a.txt": { "hash": HASH, "size": 3 } } });
    let opened = Answer::read(platform.api(Method::POST, &path).json(&manifest).send().await?).await?;
    let session = opened.json()["result"]["jwt"].as_str().map(str::to_owned);
    let session = session.with_context(|| opened.text())?;
    for (token, hash, content, status, code) in [
        (platform.token(), HASH, "abc", 401, 10305),
        ("x", HASH, "abc", 401, 10305),
        (&session, OTHER, "abc", 400, 10304),
        (&session, HASH, "ab", 400, 10304),
        (&session, HASH, "abcd", 400, 10304),
        (&session, HASH, "", 400, 10304),
    ] {
        let refused = upload(token, hash, content).await?;
        assert_eq!(refused.status, status, "{hash} {content}: {}", refused.text());
        assert_eq!(
            refused.json()["errors"][0]["code"],
            code,
            "{hash} {content}: {}",
            refused.text()
        );
    }
    let accepted = upload(&session, HASH, "abc").await?;
    assert_eq!(accepted.status, 201, "{}", accepted.text());
    let completion = accepted.json()["result"]["jwt"].as_str().map(str::to_owned);
    let completion = completion.with_context(|| accepted.text())?;
    // The token for the deploy is not a token for uploads.
    let refused = upload(&completion, HASH, "abc").await?;
    assert_eq!(refused.json()["errors"][0]["code"], 10305, "{}", refused.text());
    Ok(())
}
