//! A user Worker that throws at start-up, while handling, or in the middle of a stream; and one that imitates the
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
async fn one_that_throws_while_handling_fails_with_its_own_code() -> Result<()> {
    let platform = platforms::sound();
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

/// A deploy of such a script is refused, so this one only fails once a secret is there.
#[end_to_end::test]
async fn one_that_throws_at_start_up_fails_with_the_same_code() -> Result<()> {
    let platform = platforms::sound();
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

/// The status and the first bytes are sent when it happens: all that is left is to break off.
#[end_to_end::test]
async fn one_that_throws_in_the_middle_of_a_stream_breaks_it_off() -> Result<()> {
    let platform = platforms::sound();
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
        "something follows"
    );

    let next = Script::answering("the next request works");
    platform.deploy(PRODUCTION, "after-breaks-off", &next).await?;
    let answer = platform.get("after-breaks-off.do", "/").await?;
    assert_eq!(answer.text(), "the next request works");
    Ok(())
}

// "Worker not found" was looked for as a substring of any exception, and real failures leaked `error.message`.
#[end_to_end::test]
async fn pitfall_07_an_imitation_of_the_platforms_errors_gains_one_status_and_no_more() -> Result<()> {
    let platform = platforms::sound();
    let script = Script::module(
        "export default { fetch(request) {
            const { pathname } = new URL(request.url);
            if (pathname === '/fine') return new Response('fine');
            throw new Error(decodeURIComponent(pathname.slice(1)));
        } };",
    );
    platform.deploy(PRODUCTION, "imitates", &script).await?;
    for (message, status, code) in [
        // What only contains the platform's words is the Worker's own.
        ("no such row: Worker not found. hunter2", 502, "WORKER_FAILED"),
        ("hunter2 Worker not found", 502, "WORKER_FAILED"),
        ("my CPU time limit hunter2", 502, "WORKER_FAILED"),
        // What is word for word the platform's cannot be told apart.
        ("Worker not found.", 404, "WORKER_NOT_DEPLOYED"),
        ("Worker exceeded CPU time limit.", 503, "WORKER_LIMIT_EXCEEDED"),
        ("Too many subrequests.", 503, "WORKER_LIMIT_EXCEEDED"),
        ("internal error; reference = hunter2", 503, "DISPATCH_UNAVAILABLE"),
    ] {
        let path = format!("/{}", message.replace(' ', "%20").replace(';', "%3B"));
        let document = failure::expect(platform, "imitates.do", &path, status, code).await?;
        assert!(!document["detail"].as_str().unwrap_or_default().contains(message));
        // Neither the same Worker nor another is any the worse for it.
        assert_eq!(platform.get("imitates.do", "/fine").await?.text(), "fine");
        // The log holds what it really said, so that its owner can tell.
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

/// What a Worker answers is its own, whatever it looks like: only the log says what the dispatch Worker itself did.
#[end_to_end::test]
async fn an_error_that_a_worker_answers_passes_as_it_is() -> Result<()> {
    let platform = platforms::sound();
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
