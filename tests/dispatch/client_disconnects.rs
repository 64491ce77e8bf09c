//! A client that disconnects before the end of the response or of its upload.

use std::time::Duration;

use anyhow::{Context, Result};
use dotdo_names::Environment;
use end_to_end::{Script, until};
use futures_util::{StreamExt, stream};
use reqwest::{Body, Method};
use serde_json::json;

use crate::{custom_hostnames, platforms};

/// `/events` streams endlessly. `/seen` returns the events that the Worker observed: `aborted`, `cancelled`.
const STREAMS: &str = "
    let seen = [];
    export default { fetch(request) {
        const { pathname } = new URL(request.url);
        if (pathname.endsWith('/seen')) return Response.json(seen);
        request.signal.addEventListener('abort', () => seen.push('aborted'));
        return new Response(new ReadableStream({
            start(controller) { controller.enqueue(new TextEncoder().encode('first')); },
            async pull(controller) {
                await scheduler.wait(20);
                controller.enqueue(new TextEncoder().encode('more'));
            },
            cancel() { seen.push('cancelled'); },
        }));
    } };";

#[end_to_end::test]
async fn a_client_disconnect_aborts_the_request_in_the_worker_and_the_next_request_succeeds() -> Result<()> {
    let platform = platforms::standard();
    let script = Script::module(STREAMS).with("compatibility_flags", json!(["enable_request_signal"]));
    platform.deploy(Environment::Production, "left", &script).await?;
    // With a stripped prefix, the dispatch Worker creates a new request.
    for (host, prefix) in [("left.do", ""), ("apis.do", "/left")] {
        platform.deploy(Environment::Production, "left", &script).await?;
        let response = platform
            .request(Method::GET, host, &format!("{prefix}/events"))
            .send()
            .await?;
        let mut events = response.bytes_stream();
        let first = events.next().await.context("no first event")??;
        assert!(first.starts_with(b"first"));
        drop(events);
        let seen = until("the Worker observes the disconnect", async || {
            let seen = platform.get(host, &format!("{prefix}/seen")).await?.json();
            Ok((seen != json!([])).then_some(seen))
        })
        .await?;
        assert!(
            seen.as_array()
                .is_some_and(|seen| seen.contains(&json!("aborted"))),
            "{host}: {seen}"
        );
    }
    Ok(())
}

#[end_to_end::test]
async fn an_aborted_upload_is_an_error_in_the_worker() -> Result<()> {
    let platform = platforms::standard();
    let script = Script::module(
        "const seen = [];
        export default { async fetch(request) {
            if (request.method === 'GET') return Response.json(seen);
            try {
                for await (const chunk of request.body) seen.push('data');
                seen.push('whole');
            } catch {
                seen.push('broken off');
            }
            return new Response('done');
        } };",
    );
    let body = || stream::iter([Ok::<_, std::io::Error>("the first half")]).chain(stream::pending());
    let seen = |expected: &'static str| {
        until(expected, async move || {
            let seen = platform.get("half-uploaded.do", "/").await?.json();
            let found = seen
                .as_array()
                .is_some_and(|seen| seen.contains(&json!(expected)));
            Ok(found.then_some(seen))
        })
    };
    for length in [None, Some("1000")] {
        platform
            .deploy(Environment::Production, "half-uploaded", &script)
            .await?;
        let mut request = platform.request(Method::POST, "half-uploaded.do", "/");
        if let Some(length) = length {
            request = request.header("Content-Length", length);
        }
        let upload = tokio::spawn(request.body(Body::wrap_stream(body())).send());
        seen("data").await?;
        upload.abort();
        let seen = seen("broken off").await?;
        assert!(!seen.to_string().contains("whole"), "{length:?}: {seen}");
    }
    Ok(())
}

/// The runtime ends a request whose client leaves, unless `waitUntil` was called. Its handler would then wait for ever, with the
/// memory that it holds. (The local platform does not end such a request, so the test looks at the call.)
#[end_to_end::test]
async fn a_look_up_continues_when_the_client_leaves() -> Result<()> {
    let platform = platforms::faulty();
    let host = "slow-kv.example";
    custom_hostnames::put(platform, &format!("hostname:{host}"), "found-slowly").await?;
    let request = platform
        .request(Method::GET, host, "/")
        .timeout(Duration::from_millis(200));
    assert!(
        request.send().await.is_err(),
        "the look-up took less than a second"
    );
    platform
        .log()
        .object("the handler continues", |line| line["get"] == "found-slowly")
        .await?;
    let lines = platform.log().objects()?;
    let position = |member: &str, value: &str| lines.iter().position(|line| line[member] == value);
    let call = position("waitUntil", host);
    assert!(
        call.is_some() && call < position("get", "found-slowly"),
        "{lines:?}"
    );
    Ok(())
}
