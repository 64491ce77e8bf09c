//! Every HTTP method reaches the user Worker unchanged.

use anyhow::Result;
use dotdo_names::Environment;
use end_to_end::{Answer, Script};
use reqwest::Method;

use crate::platforms;

const ECHO: &str = "export default { async fetch(request) {
    const body = await request.text();
    return new Response(`${request.method} ${body}`, { headers: { 'X-Method': request.method } });
} };";

#[end_to_end::test]
async fn every_method_is_passed_on_with_and_without_a_stripped_prefix() -> Result<()> {
    let platform = platforms::standard();
    platform
        .deploy(Environment::Production, "methods", &Script::module(ECHO))
        .await?;
    for (host, path) in [("methods.do", "/"), ("apis.do", "/methods/x")] {
        for name in [
            "GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE", "PROPFIND", "MKCOL", "REPORT",
            "PURGE",
        ] {
            let method = Method::from_bytes(name.as_bytes())?;
            let has_body = !matches!(name, "GET" | "HEAD");
            let mut request = platform.request(method, host, path);
            if has_body {
                request = request.body("a body");
            }
            let answer = Answer::read(request.send().await?).await?;
            assert_eq!(answer.status, 200, "{name} {host}");
            assert_eq!(answer.header("x-method"), name, "{host}");
            match name {
                "HEAD" => assert_eq!(answer.text(), ""),
                _ if has_body => assert_eq!(answer.text(), format!("{name} a body")),
                _ => assert_eq!(answer.text(), format!("{name} ")),
            }
        }
    }
    Ok(())
}

/// workerd rejects a method that it does not know with 501 before any Worker runs. Cloudflare may accept it; the
/// dispatch Worker then passes it on like any other.
#[end_to_end::test]
async fn an_unknown_method_returns_501_and_the_next_request_succeeds() -> Result<()> {
    let platform = platforms::standard();
    platform
        .deploy(Environment::Production, "brews", &Script::module(ECHO))
        .await?;
    for host in ["brews.do", "unknown.example", "qa.brews.do"] {
        let request = platform.request(Method::from_bytes(b"BREW")?, host, "/");
        let answer = Answer::read(request.send().await?).await?;
        assert_eq!(answer.status, 501, "{host}: {}", answer.text());
    }
    assert_eq!(platform.get("brews.do", "/").await?.text(), "GET ");
    Ok(())
}
