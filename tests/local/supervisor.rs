//! The supervisor: code that does not return, and a runtime that ends, stop the platform only for a moment.

use std::{process::Stdio, time::Duration};

use anyhow::{Context, Result};
use dotdo_names::Environment::Production;
use end_to_end::{
    Answer, Command, Options, Platform, Project, Script, deadline, free_port, processes, until,
    wrangler::Version,
};
use reqwest::Method;
use tempfile::TempDir;

/// A Worker that answers, and that does not return for one path.
const LOOPING: &str = "export default { async fetch(request) {
    if (new URL(request.url).pathname === '/loop') for (;;) {}
    return new Response('looping');
} };";

/// A Worker that answers, and that waits for one path.
const STEADY: &str = "export default { async fetch(request) {
    if (new URL(request.url).pathname === '/wait') await new Promise(() => setTimeout(() => {}, 1e9));
    return new Response('steady');
} };";

async fn status(platform: &Platform, host: &str, path: &str) -> Result<u16> {
    Ok(platform.get(host, path).await?.status.as_u16())
}

/// Requests the loop, and checks that another Worker is served again, and that the requests that were running are answered.
async fn hang(platform: &Platform) -> Result<()> {
    let waiting = platform.get("steady.do", "/wait");
    let looping = platform.get("looping.do", "/loop");
    let others = async {
        // Sent while the runtime hangs.
        tokio::time::sleep(Duration::from_secs(1)).await;
        until("another Worker is served again", async || {
            let answer = platform.get("steady.do", "/").await?;
            Ok((answer.status == 200).then_some(()))
        })
        .await
    };
    let (waiting, looping, others) = tokio::join!(waiting, looping, others);
    others?;
    for answer in [waiting?, looping?] {
        assert_eq!(answer.status, 503, "{}", answer.text());
        assert_eq!(answer.json()["title"], "The local platform was restarted");
        assert!(
            answer.json()["detail"].to_string().contains("npm run dev"),
            "{}",
            answer.text()
        );
    }
    Ok(())
}

/// One test, because each step needs the hangs before it, and each hang takes seconds.
#[end_to_end::test]
async fn a_worker_that_does_not_return_is_named_and_after_two_hangs_not_run_until_its_next_deploy()
-> Result<()> {
    let platform = Platform::start(Options::new().rest_api());
    let looping = Project::new("looping")?.file("index.js", LOOPING)?;
    looping.deploy(&platform, Version::V4_152, Production).await?;
    platform
        .deploy(Production, "steady", &Script::module(STEADY))
        .await?;
    assert_eq!(status(&platform, "looping.do", "/").await?, 200);

    hang(&platform).await?;
    let log = platform.log().text()?;
    assert!(
        log.contains("[dev]     dotdo-production/looping, version "),
        "{log}"
    );
    // It has a second chance. The Worker that waited does not have one less: it is not the only one that waits now.
    assert_eq!(platform.get("looping.do", "/").await?.text(), "looping");
    // Another version of the innocent Worker, whose hang does not count.
    platform
        .deploy(Production, "steady", &Script::module(STEADY))
        .await?;

    hang(&platform).await?;
    let log = platform.log().text()?;
    assert!(
        log.contains("dotdo-production/looping was running at two hangs"),
        "{log}"
    );
    assert_eq!(platform.get("steady.do", "/").await?.text(), "steady");
    let refused = platform.get("looping.do", "/").await?;
    assert_eq!(refused.status, 503);
    assert_eq!(refused.header("x-dispatch-error"), "WORKER_LIMIT_EXCEEDED");

    let platform = platform.restart();
    let refused = platform.get("looping.do", "/").await?;
    assert_eq!(refused.header("x-dispatch-error"), "WORKER_LIMIT_EXCEEDED");
    assert_eq!(platform.get("steady.do", "/").await?.text(), "steady");

    looping.deploy(&platform, Version::V4_152, Production).await?;
    assert_eq!(platform.get("looping.do", "/").await?.text(), "looping");

    let endless = "for (;;) {}\nexport default { fetch() { return new Response('started'); } };";
    let looping = looping.file("index.js", endless)?;
    let run = looping
        .wrangler(
            &platform,
            Version::V4_152,
            &["deploy", "--dispatch-namespace", Production.namespace()],
        )
        .await?
        .failure()?;
    assert!(
        run.output.contains("Script startup exceeded CPU time limit") && run.output.contains("10021"),
        "{}",
        run.output
    );
    let log = platform.log().text()?;
    assert!(
        log.contains("dotdo-production/looping, at the start of an upload"),
        "{log}"
    );
    // The earlier version stays.
    assert_eq!(platform.get("looping.do", "/").await?.text(), "looping");
    assert_eq!(platform.get("steady.do", "/").await?.text(), "steady");
    Ok(())
}

/// A deploy during a hang is not acknowledged, and what was acknowledged stays.
#[end_to_end::test]
async fn a_hang_during_a_deploy_loses_no_acknowledged_deploy() -> Result<()> {
    let platform = Platform::start(Options::new().rest_api());
    platform
        .deploy(Production, "looping", &Script::module(LOOPING))
        .await?;
    platform
        .deploy(Production, "changed", &Script::answering("first"))
        .await?;
    let looping = platform.get("looping.do", "/loop");
    let deploying = async {
        tokio::time::sleep(Duration::from_secs(1)).await;
        let path = platform.script_path(Production, "changed");
        let call = platform
            .api(Method::PUT, &path)
            .multipart(Script::answering("second").to_form());
        Answer::read(call.send().await?).await
    };
    let (looping, deploying) = tokio::join!(looping, deploying);
    assert_eq!(looping?.status, 503);
    let deploying = deploying?;
    assert_eq!(deploying.status, 503, "{}", deploying.text());
    assert_eq!(deploying.json()["success"], false);
    assert_eq!(deploying.json()["errors"][0]["code"], 10902);
    assert_eq!(platform.get("changed.do", "/").await?.text(), "first");
    platform
        .deploy(Production, "changed", &Script::answering("second"))
        .await?;
    assert_eq!(platform.get("changed.do", "/").await?.text(), "second");
    Ok(())
}

fn kill(id: &str, signal: &str) -> Result<()> {
    let killed = std::process::Command::new("kill")
        .args([signal, "--", id])
        .status()?;
    anyhow::ensure!(killed.success(), "cannot kill {id}");
    Ok(())
}

/// Waits until another process group runs than an earlier one.
async fn next_group(platform: &Platform, earlier: i32) -> Result<i32> {
    until("the runtime is started again", async || {
        let group = platform.group();
        Ok((group != earlier).then_some(group))
    })
    .await
}

#[end_to_end::test]
async fn a_runtime_that_ends_is_started_again() -> Result<()> {
    let platform = Platform::start(Options::new().rest_api());
    platform
        .deploy(Production, "kept", &Script::answering("kept"))
        .await?;

    let group = platform.group();
    kill(&format!("-{group}"), "-9")?;
    next_group(&platform, group).await?;
    assert_eq!(platform.get("kept.do", "/").await?.text(), "kept");
    Ok(())
}

/// Starts the platform as a program whose end can be observed, and waits until it has started wrangler.
async fn observed(state: &TempDir) -> Result<std::process::Child> {
    let mut child = Command::dev(free_port()?, state.path(), &["--json"])
        .into_std()
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    let output = child.stdout.take().context("no standard output")?;
    let line = tokio::task::spawn_blocking(move || {
        let mut line = String::new();
        std::io::BufRead::read_line(&mut std::io::BufReader::new(output), &mut line).map(|_| line)
    })
    .await??;
    assert!(line.starts_with('{'), "{line}");
    Ok(child)
}

fn group(state: &TempDir) -> Option<i32> {
    processes::recorded_group(state.path()).ok()
}

#[end_to_end::test]
async fn a_stop_during_a_restart_ends_everything() -> Result<()> {
    let state = TempDir::with_prefix("dotdo-stopped-")?;
    let mut child = observed(&state).await?;
    let first = group(&state).context("no group")?;
    kill(&format!("-{first}"), "-9")?;
    let next = until("wrangler is started again", async || {
        Ok(group(&state).filter(|next| *next != first))
    })
    .await?;
    kill(&child.id().to_string(), "-TERM")?;
    let status = deadline::wait(&mut child, "the platform", Duration::from_secs(30))?;
    assert!(status.success(), "{status}");
    assert_eq!(processes::in_group(next)?, []);
    Ok(())
}

#[end_to_end::test]
async fn a_runtime_that_ends_again_and_again_ends_the_platform_with_its_output() -> Result<()> {
    let state = TempDir::with_prefix("dotdo-ending-")?;
    let mut child = observed(&state).await?;
    let mut last = None;
    for _ in 0..3 {
        let next = until("wrangler runs", async || {
            Ok(group(&state).filter(|next| Some(*next) != last))
        })
        .await?;
        kill(&format!("-{next}"), "-9")?;
        last = Some(next);
    }
    let status = deadline::wait(&mut child, "the platform", Duration::from_mins(1))?;
    assert!(!status.success());
    let mut errors = String::new();
    std::io::Read::read_to_string(
        &mut child.stderr.take().context("no standard error")?,
        &mut errors,
    )?;
    assert!(
        errors.contains("wrangler ended 3 times within a minute"),
        "{errors}"
    );
    Ok(())
}
