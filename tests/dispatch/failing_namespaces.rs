//! A dispatch namespace binding that is missing, throws, rejects, or returns a value that is not a Worker.

use anyhow::Result;
use end_to_end::Answer;
use reqwest::Method;
use serde_json::json;

use crate::{failure, platforms};

#[end_to_end::test]
async fn a_missing_binding_returns_503_and_the_log_names_it() -> Result<()> {
    let platform = platforms::faulty();
    let document = failure::expect(platform, "dev.agents.do", "/", 503, "DISPATCH_UNAVAILABLE").await?;
    let line = platform
        .log()
        .object("the missing binding", |line| {
            line["request_id"] == document["request_id"]
        })
        .await?;
    assert_eq!(line["environment"], "development");
    assert_eq!(line["worker"], "agents");
    let cause = line["cause"].as_str().unwrap_or_default();
    assert!(cause.contains("DISPATCHER_DEVELOPMENT"), "{line}");
    Ok(())
}

// An earlier build only handled an error of `get()`. On Cloudflare it comes from `fetch()`. The client gets the same
// error in both cases.
#[end_to_end::test]
async fn pitfall_08_get_or_fetch_rejects_for_an_unknown_worker() -> Result<()> {
    for worker in [
        "get-throws-not-found",
        "get-rejects-not-found",
        "fetch-rejects-not-found",
    ] {
        let host = format!("{worker}.do");
        failure::expect(platforms::faulty(), &host, "/", 404, "WORKER_NOT_DEPLOYED").await?;
    }
    Ok(())
}

// An earlier build mapped every failure to one code.
#[end_to_end::test]
async fn each_failure_has_its_status_and_code() -> Result<()> {
    for (worker, status, code) in [
        ("get-throws", 503, "DISPATCH_UNAVAILABLE"),
        ("get-throws-a-text", 503, "DISPATCH_UNAVAILABLE"),
        ("get-throws-nothing", 503, "DISPATCH_UNAVAILABLE"),
        ("get-rejects", 503, "DISPATCH_UNAVAILABLE"),
        ("get-answers-no-worker", 503, "DISPATCH_UNAVAILABLE"),
        ("fetch-rejects-internal", 503, "DISPATCH_UNAVAILABLE"),
        ("fetch-throws", 503, "DISPATCH_UNAVAILABLE"),
        ("fetch-rejects", 502, "WORKER_FAILED"),
        ("fetch-rejects-a-text", 502, "WORKER_FAILED"),
        ("fetch-rejects-nothing", 502, "WORKER_FAILED"),
        ("fetch-rejects-null", 502, "WORKER_FAILED"),
        ("fetch-rejects-strangely", 502, "WORKER_FAILED"),
        ("fetch-rejects-cpu", 503, "WORKER_LIMIT_EXCEEDED"),
        ("fetch-rejects-subrequests", 503, "WORKER_LIMIT_EXCEEDED"),
    ] {
        let platform = platforms::faulty();
        let host = format!("{worker}.do");
        let document = failure::expect(platform, &host, "/x", status, code).await?;
        let line = platform
            .log()
            .object(worker, |line| line["request_id"] == document["request_id"])
            .await?;
        for (member, value) in [
            ("code", json!(code)),
            ("status", json!(status)),
            ("environment", json!("production")),
            ("worker", json!(worker)),
            ("host", json!(host)),
        ] {
            assert_eq!(line[member], value, "{worker}: {line}");
        }
    }
    Ok(())
}

/// On Cloudflare `get` returns a Worker; on the local platform it returns a promise of one.
#[end_to_end::test]
async fn get_may_return_a_worker_or_a_promise_of_one() -> Result<()> {
    for host in ["at-once.do", "promised.do"] {
        let platform = platforms::faulty();
        let request = platform.request(Method::PUT, host, "/a/b?c").body("x");
        let answer = Answer::read(request.send().await?).await?;
        assert_eq!(
            (answer.status.as_u16(), answer.text().as_str()),
            (200, "answered PUT /a/b")
        );
    }
    Ok(())
}

/// A retry would send a body that is already consumed, or repeat an action.
#[end_to_end::test]
async fn a_failed_request_is_not_retried() -> Result<()> {
    let platform = platforms::faulty();
    let request = platform.request(Method::POST, "fetch-rejects-once.do", "/");
    let answer = Answer::read(request.body("once").send().await?).await?;
    failure::check(&answer, 502, "WORKER_FAILED", "application/problem+json")?;
    platform
        .log()
        .object("the data point, which is written last", |line| {
            line["dataPoint"]["indexes"][0] == "fetch-rejects-once"
        })
        .await?;
    let lines = platform.log().objects()?;
    let calls = lines.iter().filter(|line| line["get"] == "fetch-rejects-once");
    assert_eq!(calls.count(), 1);
    Ok(())
}

#[end_to_end::test]
async fn without_limits_and_outbound_get_is_called_with_the_name_only() -> Result<()> {
    let platform = platforms::faulty();
    platform.get("at-once.do", "/").await?;
    let call = platform
        .log()
        .object("the call of `get`", |line| line["get"] == "at-once")
        .await?;
    assert!(call["rest"] == json!([]) || call["rest"] == json!([{}]), "{call}");
    Ok(())
}

#[end_to_end::test]
async fn every_request_writes_one_data_point() -> Result<()> {
    let platform = platforms::faulty();
    for (host, index, blobs, status) in [
        (
            "promised.do",
            "promised",
            json!([
                "",
                "production",
                "promised",
                "built-in `{worker}.do`",
                "promised.do"
            ]),
            200.0,
        ),
        (
            "get-answers-no-worker.do",
            "get-answers-no-worker",
            json!([
                "DISPATCH_UNAVAILABLE",
                "production",
                "get-answers-no-worker",
                "built-in `{worker}.do`",
                "get-answers-no-worker.do"
            ]),
            503.0,
        ),
        (
            "counted.example",
            "counted.example",
            json!(["HOST_UNKNOWN", "", "", "", "counted.example"]),
            404.0,
        ),
    ] {
        platform.get(host, "/").await?;
        let line = platform
            .log()
            .object(host, |line| line["dataPoint"]["blobs"][4] == host)
            .await?;
        let point = &line["dataPoint"];
        assert_eq!(point["indexes"], json!([index]), "{line}");
        assert_eq!(point["blobs"], blobs, "{line}");
        assert_eq!(point["doubles"][0].as_f64(), Some(status), "{line}");
    }
    Ok(())
}

/// `writeDataPoint` throws for this Worker, see `faulty_entry.js`.
#[end_to_end::test]
async fn a_failed_data_point_does_not_change_the_response() -> Result<()> {
    failure::expect(
        platforms::faulty(),
        "fetch-throws.do",
        "/",
        503,
        "DISPATCH_UNAVAILABLE",
    )
    .await?;
    Ok(())
}
