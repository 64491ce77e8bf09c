//! A trap in the dispatch Worker's Wasm affects only the request that caused it.

use anyhow::Result;
use end_to_end::{Answer, Platform};
use reqwest::Method;
use serde_json::Value;

use crate::{failure, platforms};

/// The dispatch Worker traps on this host, because `get` returns `undefined`.
const TRAPS: &str = "get-answers-nothing.do";

/// Causes a trap, and checks the response and the log.
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
async fn a_trap_affects_neither_later_requests_nor_requests_in_flight() -> Result<()> {
    let platform = platforms::faulty();
    let send = |host: &'static str| tokio::spawn(async move { platform.get(host, "/under-way").await });
    let waiting = send("waits.do");
    let failing = send("waits-and-rejects.do");
    let getting = send("waits-for-get.do");
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

/// Sends a request that traps at the points in `trap`, such as `panic@resolved`, to the build with the feature
/// `test-traps`.
async fn send_trapping(host: &str, path: &str, trap: &str) -> Result<Answer> {
    let request = platforms::trapping()
        .request(Method::GET, host, path)
        .header("X-Test-Trap", trap)
        .header("X-Test", trap);
    Answer::read(request.send().await?).await
}

fn count(lines: &[Value], member: &str, value: &str) -> usize {
    lines.iter().filter(|line| line[member] == value).count()
}

/// One test, because all traps happen in one isolate.
#[end_to_end::test]
async fn real_panics_and_traps_affect_no_other_request() -> Result<()> {
    let platform = platforms::trapping();
    let key = "hostname:waits-for-kv.example";
    crate::custom_hostnames::put(platform, key, "at-once").await?;
    let send = |host: &'static str| tokio::spawn(async move { platform.get(host, "/under-way").await });
    let in_user_worker = [send("waits.do"), send("waits-and-rejects.do")];
    let in_wasm = [send("waits-for-get.do"), send("waits-for-kv.example")];
    for worker in ["waits", "waits-and-rejects", "waits-for-get"] {
        platform
            .log()
            .object(worker, |line| line["get"] == worker)
            .await?;
    }
    platform
        .log()
        .object(key, |line| line["lookedUp"][0] == key)
        .await?;

    for kind in ["panic", "unreachable"] {
        for point in ["resolved", "got-worker", "forwarded"] {
            let answer = send_trapping("at-once.do", "/", &format!("{kind}@{point}")).await?;
            failure::check(&answer, 503, "DISPATCH_UNAVAILABLE", "application/problem+json")?;
            assert_eq!(answer.header("retry-after"), "5", "{kind}@{point}");
            assert_eq!(
                platform.get("promised.do", "/next").await?.text(),
                "answered GET /next"
            );
        }
    }
    let answer = send_trapping("fetch-rejects.do", "/", "panic@rejected").await?;
    failure::check(&answer, 503, "DISPATCH_UNAVAILABLE", "application/problem+json")?;
    let answer = send_trapping("at-once.do", "/", "panic@resolved, panic@trapped").await?;
    failure::check(&answer, 503, "DISPATCH_UNAVAILABLE", "text/plain;charset=UTF-8")?;
    let answer = platform.get("apis.do", "/answers-a-trap/x").await?;
    assert_eq!(
        (answer.status.as_u16(), answer.header("location")),
        (200, "/moved")
    );

    // `promised.do` makes `get` asynchronous, so the request continues in a task of the Wasm.
    for kind in ["panic", "unreachable"] {
        for point in ["got-worker", "forwarded"] {
            let answer = send_trapping("promised.do", "/", &format!("{kind}@{point}")).await?;
            failure::check(&answer, 503, "DISPATCH_UNAVAILABLE", "application/problem+json")?;
        }
    }

    platform.get("release.do", "/").await?;
    for request in in_wasm {
        assert_eq!(request.await??.text(), "answered GET /under-way");
    }
    let [waits, rejects] = in_user_worker;
    assert_eq!(waits.await??.text(), "answered GET /under-way");
    failure::check(&rejects.await??, 502, "WORKER_FAILED", "application/problem+json")?;

    // A request that reached a user Worker is not sent again.
    let answer = send_trapping("logs-fetch.do", "/", "unreachable@forwarded").await?;
    failure::check(&answer, 503, "DISPATCH_UNAVAILABLE", "application/problem+json")?;
    let is_logged = |line: &Value| count(std::slice::from_ref(line), "fetched", "unreachable@forwarded") == 1;
    platform
        .log()
        .object("the request that was sent once", is_logged)
        .await?;
    platform.get("at-once.do", "/").await?;
    let lines = platform.log().objects()?;
    assert_eq!(count(&lines, "fetched", "unreachable@forwarded"), 1);

    // The panic hook writes one entry for each panic.
    let log = platform.log().text()?;
    assert_eq!(
        log.matches("asked for this panic at rejected").count(),
        1,
        "{log}"
    );
    Ok(())
}
