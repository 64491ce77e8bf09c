//! `dotdo logs` while a platform restarts, and of Workers that are deployed while `WORKER_LOGS` is `off`. The same platform lets
//! previews expire soon.

use std::process::Stdio;

use anyhow::{Context, Result, ensure};
use dotdo_names::Environment::Staging;
use end_to_end::{Command, Options, Platform, Script, until};
use serde_json::Value;
use tokio::io::{AsyncBufReadExt, BufReader};

use crate::previews::assert_that_a_preview_expires;

/// Throws for the path `/fail`.
const FAILING: &str = "export default { fetch(request) {
    if (new URL(request.url).pathname === '/fail') throw new TypeError('no such product');
    return new Response('ok');
} };";

fn dotdo(platform: &Platform, arguments: &[&str]) -> Result<Command> {
    Ok(Command::dotdo(arguments)?
        .variable("DOTDO_API", &format!("http://localhost:{}", platform.port()))
        .variable("DOTDO_TOKEN", platform.token()))
}

async fn visit(platform: &Platform, worker: &str, path: &str) -> Result<()> {
    platform
        .get(&format!("staging.{worker}.do"), path)
        .await
        .map(drop)
}

/// The sources and paths of the events of a Worker, the newest first, when there are as many as expected.
async fn events(platform: &Platform, worker: &str, count: usize) -> Result<Vec<String>> {
    until(&format!("{count} events of {worker}"), async || {
        let finished = dotdo(platform, &["logs", worker, "--env", "staging", "--json"])?
            .run()
            .await?;
        ensure!(finished.code == Some(0), "{}", finished.errors);
        let log: Value = serde_json::from_str(&finished.output)?;
        let items = log["items"].as_array().context("no items")?;
        let text = |event: &Value, member: &str| event[member].as_str().unwrap_or_default().to_owned();
        let described = items
            .iter()
            .map(|event| [text(event, "source"), text(event, "path")].concat());
        Ok((items.len() >= count).then(|| described.collect()))
    })
    .await
}

#[end_to_end::test]
async fn workers_are_logged_unless_it_is_off_and_a_followed_log_survives_a_restart() -> Result<()> {
    let options = Options::new()
        .deploy_api_variable("WORKER_LOGS", "off")
        .deploy_api_variable("PREVIEW_LIFETIME_SECONDS", "3");
    let platform = Platform::start(options);
    platform
        .deploy(Staging, "quiet", &Script::module(FAILING))
        .await?;
    visit(&platform, "quiet", "/fail").await?;
    // The dispatch Worker reports its failures nevertheless.
    assert_eq!(events(&platform, "quiet", 1).await?, ["dispatcher/fail"]);
    assert_that_a_preview_expires(&platform).await?;

    let platform = platform.restart_with(Options::new());
    visit(&platform, "quiet", "/before-the-next-deploy").await?;
    platform
        .deploy(Staging, "watched", &Script::module(FAILING))
        .await?;
    visit(&platform, "watched", "/one").await?;
    assert_eq!(events(&platform, "watched", 1).await?, ["worker/one"]);
    assert_eq!(events(&platform, "quiet", 1).await?, ["dispatcher/fail"]);
    // The same bytes would be a retry of the deploy.
    platform
        .deploy(Staging, "quiet", &Script::module(&format!("{FAILING} // Again.")))
        .await?;
    visit(&platform, "quiet", "/after").await?;
    assert_eq!(
        events(&platform, "quiet", 2).await?,
        ["worker/after", "dispatcher/fail"]
    );

    // One that has shown events, and one that has not.
    let mut first = Followed::start(&platform, &["--since", "1h"]).await?;
    let mut second = Followed::start(&platform, &[]).await?;
    assert!(first.next().await?.contains("/one "));
    let group = platform.group();
    end_to_end::processes::kill(-group)?;
    until("the runtime is started again", async || {
        Ok((platform.group() != group).then_some(()))
    })
    .await?;
    visit(&platform, "watched", "/two").await?;
    for followed in [&mut first, &mut second] {
        let shown = followed.next().await?;
        assert!(shown.contains("/two "), "{shown}");
    }
    visit(&platform, "watched", "/three").await?;
    for followed in [&mut first, &mut second] {
        let shown = followed.next().await?;
        assert!(shown.contains("/three "), "nothing is shown twice: {shown}");
    }
    platform.stop();
    for followed in [first, second] {
        followed.interrupt().await?;
    }
    Ok(())
}

/// A running `dotdo logs --follow`.
struct Followed {
    child: tokio::process::Child,
    output: tokio::io::Lines<BufReader<tokio::process::ChildStdout>>,
    errors: tokio::io::Lines<BufReader<tokio::process::ChildStderr>>,
}

impl Followed {
    /// Starts it, and waits until its stream is open.
    async fn start(platform: &Platform, more: &[&str]) -> Result<Self> {
        let arguments = [&["logs", "watched", "--env", "staging", "--follow"], more].concat();
        let mut command = tokio::process::Command::from(dotdo(platform, &arguments)?.into_std());
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        let output = BufReader::new(child.stdout.take().context("no output")?).lines();
        let mut errors = BufReader::new(child.stderr.take().context("no errors")?).lines();
        let begin = errors.next_line().await?.context("it ended")?;
        ensure!(begin.starts_with("Following watched in staging"), "{begin}");
        Ok(Self {
            child,
            output,
            errors,
        })
    }

    /// The next line that it shows.
    async fn next(&mut self) -> Result<String> {
        self.output.next_line().await?.context("the output ended")
    }

    /// Waits until it says that it tries again, and interrupts it. It has shown nothing more.
    async fn interrupt(mut self) -> Result<()> {
        while self.errors.next_line().await?.context("it ended")? != "Trying again until Ctrl-C." {}
        let id = self.child.id().context("it has ended")?.to_string();
        let sent = std::process::Command::new("kill").args(["-INT", &id]).status()?;
        ensure!(sent.success());
        assert_eq!(self.child.wait().await?.code(), Some(0));
        assert_eq!(self.output.next_line().await?, None);
        Ok(())
    }
}
