//! Deploys and deletes during requests.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicU32, Ordering::SeqCst},
};

use anyhow::{Result, ensure};
use dotdo_names::Environment;
use end_to_end::{Answer, Platform, Script};
use reqwest::Method;
use tokio::task::JoinSet;

use crate::{failure, platforms};

const PRODUCTION: Environment = Environment::Production;

/// A script whose response contains the number of its version three times: from a module, from a text module and from a
/// variable.
fn version(number: u32) -> Script {
    Script::module(
        "import part from './part.js';
        import text from './part.txt';
        export default { fetch(request, env) { return new Response(`${part} ${text} ${env.VERSION}`); } };",
    )
    .with_module(
        "part.js",
        "application/javascript+module",
        format!("export default {number};"),
    )
    .with_module("part.txt", "text/plain", number.to_string())
    .with_text("VERSION", &number.to_string())
}

/// Sends requests until `done`, and returns their number. Each response comes from one version, which is at least the
/// one that was acknowledged before the request.
async fn send_requests(platform: &Platform, acknowledged: &AtomicU32, done: &AtomicBool) -> Result<u32> {
    let mut answers = 0;
    while !done.load(SeqCst) {
        let least = acknowledged.load(SeqCst);
        let answer = platform.get("in-traffic.do", "/").await?;
        let text = answer.text();
        let parts: Vec<u32> = text.split(' ').filter_map(|part| part.parse().ok()).collect();
        ensure!(parts.len() == 3, "{} {text}", answer.status);
        ensure!(
            parts.iter().all(|part| *part == parts[0]),
            "two versions in one response: {text}"
        );
        ensure!(parts[0] >= least, "{text} after {least} was acknowledged");
        answers += 1;
    }
    Ok(answers)
}

#[end_to_end::test]
async fn each_response_is_from_one_version_and_a_redeploy_serves_the_next_request() -> Result<()> {
    let platform = platforms::standard();
    platform.deploy(PRODUCTION, "in-traffic", &version(1)).await?;
    let acknowledged = Arc::new(AtomicU32::new(1));
    let done = Arc::new(AtomicBool::new(false));
    let mut clients = JoinSet::new();
    for _ in 0..8 {
        let (acknowledged, done) = (Arc::clone(&acknowledged), Arc::clone(&done));
        clients.spawn(async move { send_requests(platform, &acknowledged, &done).await });
    }
    for number in 2..=15 {
        platform
            .deploy(PRODUCTION, "in-traffic", &version(number))
            .await?;
        acknowledged.store(number, SeqCst);
        let next = platform.get("in-traffic.do", "/").await?;
        assert_eq!(next.text(), format!("{number} {number} {number}"));
    }
    done.store(true, SeqCst);
    let mut answers = 0;
    while let Some(client) = clients.join_next().await {
        answers += client??;
    }
    assert!(answers >= 15, "only {answers} requests during 14 deploys");
    Ok(())
}

#[end_to_end::test]
async fn a_delete_and_a_redeploy_apply_to_the_next_request() -> Result<()> {
    let platform = platforms::standard();
    for round in 0..3 {
        let text = format!("round {round}");
        platform
            .deploy(PRODUCTION, "comes-and-goes", &Script::answering(&text))
            .await?;
        assert_eq!(platform.get("comes-and-goes.do", "/").await?.text(), text);
        platform.delete(PRODUCTION, "comes-and-goes").await?;
        failure::expect(platform, "comes-and-goes.do", "/", 404, "WORKER_NOT_DEPLOYED").await?;
    }
    Ok(())
}

/// The previous version finishes a response that it started.
#[end_to_end::test]
async fn a_deploy_does_not_interrupt_a_response_of_the_previous_version() -> Result<()> {
    let platform = platforms::standard();
    let slow = Script::module(
        "let go = false;
        export default { async fetch(request) {
            if (request.method === 'POST') { go = true; return new Response('going'); }
            const { readable, writable } = new IdentityTransformStream();
            const writer = writable.getWriter();
            const encoder = new TextEncoder();
            (async () => {
                await writer.write(encoder.encode('old '));
                for (let i = 0; i < 20; i += 1) await scheduler.wait(20);
                await writer.write(encoder.encode('to its end'));
                await writer.close();
            })();
            return new Response(readable);
        } };",
    );
    platform.deploy(PRODUCTION, "outlives", &slow).await?;
    let response = platform.request(Method::GET, "outlives.do", "/").send().await?;
    platform
        .deploy(PRODUCTION, "outlives", &Script::answering("new"))
        .await?;
    assert_eq!(platform.get("outlives.do", "/").await?.text(), "new");
    assert_eq!(Answer::read(response).await?.text(), "old to its end");
    Ok(())
}
