//! Server-sent events reach the client one by one, before the response ends.

use anyhow::{Context, Result};
use dotdo_names::Environment;
use end_to_end::Script;
use futures_util::StreamExt;
use reqwest::Method;

use crate::platforms;

/// Sends each event only after the client acknowledged the previous one with a POST.
const EVENTS: &str = "
    let acknowledged = 0;
    const encoder = new TextEncoder();
    export default { fetch(request) {
        if (request.method === 'POST') return new Response(String(++acknowledged));
        let sent = 0;
        return new Response(new ReadableStream({
            async pull(controller) {
                while (acknowledged < sent) await scheduler.wait(5);
                if (sent === 5) return controller.close();
                controller.enqueue(encoder.encode(`id: ${sent}\\ndata: event ${sent}\\n\\n`));
                sent += 1;
            },
        }, { highWaterMark: 0 }), { headers: { 'Content-Type': 'text/event-stream' } });
    } };";

#[end_to_end::test]
async fn events_arrive_one_by_one() -> Result<()> {
    let platform = platforms::standard();
    for (host, path, worker) in [
        ("events.do", "/", "events"),
        ("apis.do", "/more-events/x", "more-events"),
    ] {
        platform
            .deploy(Environment::Production, worker, &Script::module(EVENTS))
            .await?;
        let response = platform
            .request(Method::GET, host, path)
            .header("Accept", "text/event-stream")
            .send()
            .await?;
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        let mut chunks = response.bytes_stream();
        for number in 0..5 {
            let mut event = Vec::new();
            while !event.ends_with(b"\n\n") {
                event.extend(chunks.next().await.context("the stream ended")??);
            }
            let expected = format!("id: {number}\ndata: event {number}\n\n");
            assert_eq!(String::from_utf8_lossy(&event), expected, "{host}");
            platform.request(Method::POST, host, path).send().await?;
        }
        assert!(chunks.next().await.is_none());
    }
    Ok(())
}
