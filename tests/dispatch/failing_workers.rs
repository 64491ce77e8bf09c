//! A user Worker that throws at start-up, in `fetch` or in a response stream, and one that imitates errors of the
//! platform.

use anyhow::{Context, Result};
use dotdo_names::Environment;
use end_to_end::{Answer, Script};
use futures_util::StreamExt;
use reqwest::Method;
use serde_json::json;

use crate::{
    failure::{self, SECRET},
    platforms,
};

const PRODUCTION: Environment = Environment::Production;

#[end_to_end::test]
async fn a_worker_that_throws_in_fetch_returns_worker_failed() -> Result<()> {
    let platform = platforms::standard();
    for (worker, statement) in [
        ("throws-an-error", format!("throw new TypeError('{SECRET}')")),
        ("throws-a-text", format!("throw '{SECRET}'")),
        ("throws-nothing", "throw undefined".to_owned()),
        ("rejects-later", format!("await 0; throw new Error('{SECRET}')")),
        ("answers-a-text", format!("return '{SECRET}'")),
        ("answers-nothing", "return".to_owned()),
        ("throws-an-empty-message", "throw new Error('')".to_owned()),
    ] {
        let script = Script::module(&format!("export default {{ async fetch() {{ {statement}; }} }};"));
        platform.deploy(PRODUCTION, worker, &script).await?;
        failure::expect(platform, &format!("{worker}.do"), "/", 502, "WORKER_FAILED").await?;
    }
    Ok(())
}

/// The platform rejects a script that throws at start-up, so this one throws only after the test adds a secret.
#[end_to_end::test]
async fn a_worker_that_throws_at_start_up_returns_worker_failed() -> Result<()> {
    let platform = platforms::standard();
    let script = Script::module(&format!(
        "import {{ env }} from 'cloudflare:workers';
        if (env.BROKEN) throw new Error('{SECRET}');
        export default {{ fetch() {{ return new Response('started'); }} }};"
    ));
    platform.deploy(PRODUCTION, "start-fails", &script).await?;
    assert_eq!(platform.get("start-fails.do", "/").await?.text(), "started");
    let secrets = format!("{}/secrets", platform.script_path(PRODUCTION, "start-fails"));
    let secret = json!({ "name": "BROKEN", "text": "yes", "type": "secret_text" });
    let answer = platform.api(Method::PUT, &secrets).json(&secret).send().await?;
    assert_eq!(answer.status(), 200, "{}", answer.text().await?);
    failure::expect(platform, "start-fails.do", "/", 502, "WORKER_FAILED").await?;
    Ok(())
}

/// The client has the status and the first bytes already, so the dispatch Worker can only abort the response.
#[end_to_end::test]
async fn a_worker_that_throws_in_a_response_stream_aborts_the_response() -> Result<()> {
    let platform = platforms::standard();
    let script = Script::module(&format!(
        "let seen = false;
        export default {{ fetch(request) {{
            if (request.method === 'POST') {{ seen = true; return new Response(); }}
            let sent = false;
            return new Response(new ReadableStream({{
                async pull(controller) {{
                    while (sent && !seen) await scheduler.wait(5);
                    if (sent) throw new Error('{SECRET}');
                    sent = true;
                    controller.enqueue(new TextEncoder().encode('the first half'));
                }},
            }}));
        }} }};"
    ));
    platform.deploy(PRODUCTION, "breaks-off", &script).await?;
    let response = platform.request(Method::GET, "breaks-off.do", "/").send().await?;
    assert_eq!(response.status(), 200);
    let mut body = response.bytes_stream();
    let first = body.next().await.context("no first chunk")??;
    assert_eq!(first.as_ref(), b"the first half");
    platform
        .request(Method::POST, "breaks-off.do", "/")
        .send()
        .await?;
    assert!(
        body.next().await.is_none_or(|rest| rest.is_err()),
        "the stream continues after the error"
    );

    let next = Script::answering("the next request works");
    platform.deploy(PRODUCTION, "after-breaks-off", &next).await?;
    let answer = platform.get("after-breaks-off.do", "/").await?;
    assert_eq!(answer.text(), "the next request works");
    Ok(())
}

// An earlier build searched every exception for the text "Worker not found", and sent `error.message` to the client.
#[end_to_end::test]
async fn pitfall_07_only_the_exact_text_of_a_platform_error_changes_the_code() -> Result<()> {
    let platform = platforms::standard();
    let script = Script::module(
        "export default { fetch(request) {
            const { pathname } = new URL(request.url);
            if (pathname === '/fine') return new Response('fine');
            throw new Error(decodeURIComponent(pathname.slice(1)));
        } };",
    );
    platform.deploy(PRODUCTION, "imitates", &script).await?;
    for (message, status, code) in [
        // A message that contains more than the platform's text is an error of the Worker.
        ("no such row: Worker not found. hunter2", 502, "WORKER_FAILED"),
        ("hunter2 Worker not found", 502, "WORKER_FAILED"),
        ("my CPU time limit hunter2", 502, "WORKER_FAILED"),
        // A message with exactly the platform's text cannot be distinguished from an error of the platform.
        ("Worker not found.", 404, "WORKER_NOT_DEPLOYED"),
        ("Worker exceeded CPU time limit.", 503, "WORKER_LIMIT_EXCEEDED"),
        ("Too many subrequests.", 503, "WORKER_LIMIT_EXCEEDED"),
        ("internal error; reference = hunter2", 503, "DISPATCH_UNAVAILABLE"),
    ] {
        let path = format!("/{}", message.replace(' ', "%20").replace(';', "%3B"));
        let document = failure::expect(platform, "imitates.do", &path, status, code).await?;
        assert!(!document["detail"].as_str().unwrap_or_default().contains(message));
        // The next request to the Worker succeeds.
        assert_eq!(platform.get("imitates.do", "/fine").await?.text(), "fine");
        // The log contains the message, so that the owner of the Worker recognises the imitation.
        let line = platform
            .log()
            .object(message, |line| line["request_id"] == document["request_id"])
            .await?;
        assert_eq!(line["worker"], "imitates");
        assert!(
            line["cause"].as_str().unwrap_or_default().contains(message),
            "{line}"
        );
    }
    Ok(())
}

/// A Worker may return any response, including one that looks like an error of the dispatch Worker. Only the log shows
/// which errors the dispatch Worker returned.
#[end_to_end::test]
async fn an_error_response_of_a_worker_is_passed_through() -> Result<()> {
    let platform = platforms::standard();
    let script = Script::module(
        "export default { fetch() {
            const headers = { 'X-Dispatch-Error': 'HOST_UNKNOWN', 'cf-ray': 'forged-by-a-worker', 'Cache-Control': 'max-age=9' };
            return new Response('its own 404', { status: 404, statusText: 'Gone Fishing', headers });
        } };",
    );
    platform.deploy(PRODUCTION, "answers-404", &script).await?;
    let response = platform
        .request(Method::GET, "answers-404.do", "/")
        .send()
        .await?;
    let answer = Answer::read(response).await?;
    assert_eq!(
        (answer.status.as_u16(), answer.text().as_str()),
        (404, "its own 404")
    );
    assert_eq!(answer.header("cache-control"), "max-age=9");
    assert!(
        !platform
            .log()
            .objects()?
            .iter()
            .any(|line| line["host"] == "answers-404.do")
    );
    Ok(())
}
