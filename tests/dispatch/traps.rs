//! A trap in the dispatch Worker's Wasm costs the request that met it, and no other.

use anyhow::Result;
use end_to_end::Platform;

use crate::{failure, platforms};

/// A Worker on which the dispatch Worker traps: a namespace that answers `undefined` breaks what its binding promises.
const TRAPS: &str = "get-answers-nothing.do";

async fn trap(platform: &Platform) -> Result<()> {
    let document = failure::expect(platform, TRAPS, "/", 503, "DISPATCH_UNAVAILABLE").await?;
    let line = platform
        .log()
        .object("the trap", |line| line["request_id"] == document["request_id"])
        .await?;
    let cause = line["cause"].as_str().unwrap_or_default();
    assert!(cause.contains("trapped"), "{line}");
    Ok(())
}

#[end_to_end::test]
async fn the_next_request_works_and_those_under_way_are_answered() -> Result<()> {
    let platform = platforms::faulty();
    let under_way = |host: &'static str| tokio::spawn(async move { platform.get(host, "/under-way").await });
    let waiting = under_way("waits.do");
    let failing = under_way("waits-and-rejects.do");
    let getting = under_way("waits-for-get.do");
    for worker in ["waits", "waits-and-rejects", "waits-for-get"] {
        platform
            .log()
            .object(worker, |line| line["get"] == worker)
            .await?;
    }
    for _ in 0..3 {
        trap(platform).await?;
        assert_eq!(
            platform.get("at-once.do", "/next").await?.text(),
            "answered GET /next"
        );
        let unknown = platform.get("unknown.example", "/").await?;
        assert_eq!(unknown.header("x-dispatch-error"), "HOST_UNKNOWN");
    }
    platform.get("release.do", "/").await?;
    assert_eq!(waiting.await??.text(), "answered GET /under-way");
    assert_eq!(getting.await??.text(), "answered GET /under-way");
    failure::check(&failing.await??, 502, "WORKER_FAILED", "application/problem+json")?;
    Ok(())
}
