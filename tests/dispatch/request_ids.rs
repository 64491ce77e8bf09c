//! The request id: the same in the response, in its headers and in the log.

use std::collections::HashSet;

use anyhow::Result;
use end_to_end::{Answer, Platform};
use reqwest::Method;

use crate::{failure, platforms};

/// Requests a Worker that is not deployed, with a `cf-ray` header if there is one.
async fn error_response(platform: &Platform, ray: Option<&str>, accept: &str) -> Result<Answer> {
    let mut request = platform
        .request(Method::GET, "no-such-worker.do", "/")
        .header("Accept", accept);
    if let Some(ray) = ray {
        request = request.header("cf-ray", ray);
    }
    Answer::read(request.send().await?).await
}

#[end_to_end::test]
async fn the_request_id_is_the_cf_ray_header() -> Result<()> {
    let platform = platforms::standard();
    let answer = error_response(platform, Some("8f1f0d3c2b1a0987-AMS"), "*/*").await?;
    assert_eq!(answer.json()["request_id"], "8f1f0d3c2b1a0987-AMS");
    assert_eq!(answer.header("x-request-id"), "8f1f0d3c2b1a0987-AMS");
    let page = error_response(platform, Some("8f1f0d3c2b1a0988-AMS"), failure::BROWSER).await?;
    assert!(page.text().contains("8f1f0d3c2b1a0988-AMS"), "{}", page.text());
    platform
        .log()
        .object("the line with the `cf-ray`", |line| {
            line["request_id"] == "8f1f0d3c2b1a0988-AMS"
        })
        .await?;
    Ok(())
}

#[end_to_end::test]
async fn without_a_cf_ray_header_the_request_id_is_random() -> Result<()> {
    let mut seen = HashSet::new();
    for _ in 0..5 {
        let answer = error_response(platforms::standard(), None, "*/*").await?;
        let id = answer.json()["request_id"]
            .as_str()
            .unwrap_or_default()
            .to_owned();
        assert!(id.len() >= 16, "{id}");
        assert!(seen.insert(id), "two requests have the same id");
    }
    Ok(())
}

/// Cloudflare replaces the header that a client sends; other servers do not.
#[end_to_end::test]
async fn an_invalid_cf_ray_is_not_used() -> Result<()> {
    for ray in ["<script>alert(1)</script>", "a b", "\"quoted\"", &"a".repeat(500)] {
        for accept in ["*/*", failure::BROWSER] {
            let answer = error_response(platforms::standard(), Some(ray), accept).await?;
            assert_eq!(answer.status, 404);
            assert!(!answer.text().contains(ray), "the response contains {ray}");
        }
    }
    Ok(())
}
