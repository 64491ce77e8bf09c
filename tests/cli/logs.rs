//! `dotdo logs`: read, filter, and follow.

use std::process::Stdio;

use anyhow::{Context, Result, ensure};
use dotdo_names::Environment::Staging;
use end_to_end::{Script, until};
use reqwest::Method;
use serde_json::Value;
use tokio::io::{AsyncBufReadExt, BufReader};

use crate::program::{assert_contains, deploy, dotdo, dotdo_as, fails, json, platform, succeeds};
use crate::shapes::assert_shape;

/// Writes to the console, and throws for the path `/fail`.
const TALKATIVE: &str = "export default { fetch(request) {
    const { pathname } = new URL(request.url);
    console.log('served', pathname);
    if (pathname === '/fail') { console.error('about to fail'); throw new TypeError('no such product'); }
    return new Response('ok', { status: 201 });
} };";

/// Requests a path of a Worker in staging, and returns the request id that the response has.
async fn visit(worker: &str, path: &str) -> Result<String> {
    let host = format!("staging.{worker}.do");
    let response = platform().request(Method::GET, &host, path).send().await?;
    let id = response.headers().get("x-request-id");
    Ok(id
        .map(|id| id.to_str())
        .transpose()?
        .unwrap_or_default()
        .to_owned())
}

/// Runs `dotdo logs` with `--json` until it shows this many events.
async fn events(arguments: &[&str], count: usize) -> Result<Value> {
    until(&format!("{count} events of dotdo {arguments:?}"), async || {
        let log = json(arguments).await?;
        let items = log["items"].as_array().context("no items")?;
        Ok((items.len() >= count).then_some(log))
    })
    .await
}

#[end_to_end::test]
async fn the_id_of_an_error_page_shows_the_exception() -> Result<()> {
    platform()
        .deploy(Staging, "log-read", &Script::module(TALKATIVE))
        .await?;
    visit("log-read", "/first").await?;
    let id = visit("log-read", "/fail").await?;
    let worker = ["logs", "log-read", "--env", "staging"];
    let with = |more: &[&'static str]| [&worker, more].concat();
    let request = [&worker[..], &["--request", &id]].concat();
    let found = events(&request, 2).await?;
    assert_shape("logs", &found);
    let text = succeeds(&request).await?;
    assert_contains(
        &text,
        &[
            " exception GET staging.log-read.do/fail ",
            " WORKER_FAILED 502 GET staging.log-read.do/fail ",
            &id,
            "\n    log    served /fail\n",
            "\n    error  about to fail\n",
            "\n    TypeError: no such product\n        at ",
            "index.js",
        ],
    );
    assert!(!text.contains("/first") && !text.contains('\x1b'), "{text}");

    events(&worker, 3).await?;
    let all = succeeds(&worker).await?;
    let first = all.find("/first").context("no first event")?;
    assert!(
        first < all.find("/fail").context("no failure")?,
        "the newest last: {all}"
    );
    for (filter, count) in [
        (&["--level", "error"], 2),
        (&["--search", "SERVED /first"], 1),
        (&["--since", "1h"], 3),
        (&["--since", "2999-01-01"], 0),
        (&["--limit", "1"], 1),
    ] {
        let found = json(&with(filter)).await?;
        assert_eq!(
            found["items"].as_array().map(Vec::len),
            Some(count),
            "{filter:?}: {found}"
        );
    }
    let limited = dotdo(&with(&["--limit", "1"]))?.run().await?;
    assert_contains(&limited.errors, &["earlier events", "--limit 10"]);
    assert_eq!(
        succeeds(&with(&["--search", "nothing"])).await?,
        "There are no such events.\n"
    );
    Ok(())
}

#[end_to_end::test]
async fn what_cannot_be_shown_is_explained() -> Result<()> {
    let worker = ["logs", "never-deployed-log", "--env", "staging"];
    let unknown = fails(1, &worker).await?;
    assert_contains(&unknown.errors, &["WORKER_UNKNOWN", "dotdo workers staging"]);
    fails(2, &["logs", "never-deployed-log"]).await?;
    fails(2, &[&worker[..], &["--level", "notice"]].concat()).await?;
    fails(2, &[&worker[..], &["--follow", "--limit", "5"]].concat()).await?;

    deploy(Staging, "log-denied", &["1"]).await?;
    let created = json(&[
        "tokens",
        "create",
        "developer",
        "--allow",
        "read",
        "--expires",
        "1h",
    ])
    .await?;
    let token = created["token"].as_str().context("no token")?;
    for more in [&[][..], &["--follow"]] {
        let arguments = [&["logs", "log-denied", "--env", "staging"], more].concat();
        let denied = dotdo_as(token, &arguments)?.run().await?;
        assert_eq!(denied.code, Some(1), "{}", denied.errors);
        assert_contains(&denied.errors, &["PERMISSION_DENIED", "dotdo whoami"]);
        let unreachable = dotdo(&arguments)?
            .variable("DOTDO_API", "http://localhost:1")
            .run()
            .await?;
        assert_eq!(unreachable.code, Some(3), "{}", unreachable.errors);
    }
    Ok(())
}

#[end_to_end::test]
async fn a_log_is_followed_until_it_is_interrupted() -> Result<()> {
    platform()
        .deploy(Staging, "log-followed", &Script::module(TALKATIVE))
        .await?;
    visit("log-followed", "/before").await?;
    let worker = ["logs", "log-followed", "--env", "staging"];
    events(&worker, 1).await?;
    let follow = [&worker[..], &["-f", "--since", "1h", "--json"]].concat();
    let mut command = tokio::process::Command::from(dotdo(&follow)?.into_std());
    let mut running = command.stdout(Stdio::piped()).kill_on_drop(true).spawn()?;
    let mut lines = BufReader::new(running.stdout.take().context("no output")?).lines();
    let mut next = async || -> Result<Value> {
        let line = lines.next_line().await?.context("the output ended")?;
        Ok(serde_json::from_str(&line)?)
    };
    assert_eq!(next().await?["path"], "/before");
    visit("log-followed", "/after").await?;
    let event = next().await?;
    assert_eq!(event["path"], "/after", "{event}");
    assert_eq!(event["lines"][0]["text"], "served /after", "{event}");

    let id = running.id().context("it has ended")?.to_string();
    let sent = std::process::Command::new("kill").args(["-INT", &id]).status()?;
    ensure!(sent.success());
    assert_eq!(running.wait().await?.code(), Some(0));
    Ok(())
}
