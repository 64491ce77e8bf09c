//! The headers of a client's request that reach a user Worker.

use anyhow::Result;
use dotdo_names::Environment;
use end_to_end::{Answer, Script};
use reqwest::Method;
use serde_json::Value;

use crate::platforms;

const SHOW: &str = "export default { async fetch(request) {
    return Response.json({ headers: [...request.headers], body: await request.text(), url: request.url,
        redirect: request.redirect, cf: typeof request.cf });
} };";

/// The values of a header in the response of [`SHOW`].
fn values<'a>(shown: &'a Value, name: &str) -> Vec<&'a Value> {
    let headers = shown["headers"].as_array().map(Vec::as_slice).unwrap_or_default();
    let matching = headers.iter().filter(|header| header[0] == name);
    matching.map(|header| &header[1]).collect()
}

/// With these headers, a client could select the version of a Worker.
#[end_to_end::test]
async fn version_headers_never_reach_a_worker() -> Result<()> {
    let platform = platforms::standard();
    platform
        .deploy(Environment::Production, "versions", &Script::module(SHOW))
        .await?;
    for (host, path) in [("versions.do", "/a?b"), ("apis.do", "/versions/a?b")] {
        for (name, value) in [
            ("Cloudflare-Workers-Version-Overrides", "versions=\"other\""),
            ("cloudflare-workers-version-key", "me"),
            ("CLOUDFLARE-WORKERS-VERSION-KEY", "me"),
        ] {
            let request = platform
                .request(Method::POST, host, path)
                .header(name, value)
                .header("X-Kept", "kept")
                .body("the body");
            let shown = Answer::read(request.send().await?).await?.json();
            assert_eq!(
                values(&shown, &name.to_ascii_lowercase()),
                Vec::<&Value>::new(),
                "{shown}"
            );
            assert_eq!(values(&shown, "x-kept"), ["kept"]);
            assert_eq!(shown["body"], "the body");
            assert_eq!(shown["redirect"], "manual");
            let url = shown["url"].as_str().unwrap_or_default();
            assert!(url.ends_with("/a?b"), "{url}");
        }
    }
    Ok(())
}

// An earlier build trusted `x-internal-service`, `x-tenant` and `X-User-Id` from a client.
#[end_to_end::test]
async fn pitfall_10_forged_internal_headers_do_not_change_the_route() -> Result<()> {
    let platform = platforms::standard();
    platform
        .deploy(Environment::Production, "forged", &Script::module(SHOW))
        .await?;
    platform
        .deploy(
            Environment::Production,
            "target",
            &Script::answering("forgery works"),
        )
        .await?;
    platform
        .deploy(
            Environment::Staging,
            "forged",
            &Script::answering("forgery works"),
        )
        .await?;
    for (name, value) in [
        ("x-internal-service", "target"),
        ("x-tenant", "target"),
        ("X-User-Id", "1"),
        ("X-Forwarded-Host", "target.do"),
        ("Forwarded", "host=target.do"),
        ("X-Original-Host", "staging.forged.do"),
        ("X-Original-URL", "http://target.do/"),
        ("X-Rewrite-URL", "/target"),
        ("X-Worker", "target"),
        ("X-Environment", "staging"),
        ("X-HTTP-Method-Override", "DELETE"),
    ] {
        let request = platform
            .request(Method::GET, "forged.do", "/x")
            .header(name, value);
        let answer = Answer::read(request.send().await?).await?;
        let shown = answer.json();
        assert!(
            shown["url"].as_str().unwrap_or_default().contains("forged.do/x"),
            "{name}: {}",
            answer.text()
        );
    }
    Ok(())
}

/// Only the dispatch Worker sets `X-Forwarded-Prefix`, the prefix that it stripped.
#[end_to_end::test]
async fn a_forged_forwarded_prefix_is_replaced_or_removed() -> Result<()> {
    let platform = platforms::standard();
    platform
        .deploy(Environment::Production, "prefixed", &Script::module(SHOW))
        .await?;
    for (host, path, expected) in [
        ("apis.do", "/prefixed/x", vec!["/prefixed"]),
        ("prefixed.do", "/x", vec![]),
    ] {
        let request = platform
            .request(Method::GET, host, path)
            .header("x-forwarded-prefix", "/forged");
        let shown = Answer::read(request.send().await?).await?.json();
        assert_eq!(values(&shown, "x-forwarded-prefix"), expected, "{host}: {shown}");
    }
    Ok(())
}

#[end_to_end::test]
async fn all_other_headers_are_passed_on() -> Result<()> {
    let platform = platforms::standard();
    platform
        .deploy(Environment::Production, "all-headers", &Script::module(SHOW))
        .await?;
    for (host, path) in [("all-headers.do", "/"), ("apis.do", "/all-headers/")] {
        let request = platform
            .request(Method::GET, host, path)
            .header("Authorization", "Bearer a-token-for-the-worker")
            .header("Cookie", "a=1; b=2")
            .header("Accept-Language", "pap, nl;q=0.5")
            .header("Range", "bytes=0-9")
            .header("If-None-Match", "\"x\"");
        let shown = Answer::read(request.send().await?).await?.json();
        for (name, value) in [
            ("authorization", "Bearer a-token-for-the-worker"),
            ("cookie", "a=1; b=2"),
            ("accept-language", "pap, nl;q=0.5"),
            ("range", "bytes=0-9"),
            ("if-none-match", "\"x\""),
        ] {
            assert_eq!(values(&shown, name), [value], "{host}: {shown}");
        }
        assert_eq!(shown["cf"], "object", "{host}");
    }
    Ok(())
}
