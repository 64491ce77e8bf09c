//! The id that an error, the log and a client have in common.

use std::collections::HashSet;

use anyhow::Result;
use end_to_end::{Answer, Platform};
use reqwest::Method;

use crate::{failure, platforms};

async fn failed(platform: &Platform, ray: Option<&str>, accept: &str) -> Result<Answer> {
    let mut request = platform
        .request(Method::GET, "no-such-worker.do", "/")
        .header("Accept", accept);
    if let Some(ray) = ray {
        request = request.header("cf-ray", ray);
    }
    Answer::read(request.send().await?).await
}

#[end_to_end::test]
async fn it_is_cloudflares_own_where_there_is_one() -> Result<()> {
    let platform = platforms::sound();
    let answer = failed(platform, Some("8f1f0d3c2b1a0987-AMS"), "*/*").await?;
    assert_eq!(answer.json()["request_id"], "8f1f0d3c2b1a0987-AMS");
    assert_eq!(answer.header("x-request-id"), "8f1f0d3c2b1a0987-AMS");
    let page = failed(platform, Some("8f1f0d3c2b1a0988-AMS"), failure::BROWSER).await?;
    assert!(page.text().contains("8f1f0d3c2b1a0988-AMS"), "{}", page.text());
    platform
        .log()
        .object("the ray", |line| line["request_id"] == "8f1f0d3c2b1a0988-AMS")
        .await?;
    Ok(())
}

#[end_to_end::test]
async fn without_one_it_is_random() -> Result<()> {
    let mut seen = HashSet::new();
    for _ in 0..5 {
        let answer = failed(platforms::sound(), None, "*/*").await?;
        let id = answer.json()["request_id"]
            .as_str()
            .unwrap_or_default()
            .to_owned();
        assert!(id.len() >= 16, "{id}");
        assert!(seen.insert(id), "an id comes twice");
    }
    Ok(())
}

/// Off Cloudflare, a client writes the header itself.
#[end_to_end::test]
async fn what_does_not_look_like_an_id_is_not_repeated() -> Result<()> {
    for ray in ["<script>alert(1)</script>", "a b", "\"quoted\"", &"a".repeat(500)] {
        for accept in ["*/*", failure::BROWSER] {
            let answer = failed(platforms::sound(), Some(ray), accept).await?;
            assert_eq!(answer.status, 404);
            assert!(!answer.text().contains(ray), "{ray} is repeated");
        }
    }
    Ok(())
}
