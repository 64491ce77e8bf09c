//! `npm run dev`: what it says, and what it refuses.

use std::{
    io::{BufRead, BufReader},
    net::{Ipv4Addr, TcpListener},
    path::Path,
    process::Stdio,
};

use anyhow::{Context, Result};
use dotdo_names::{ACCOUNT_ID, Environment};
use end_to_end::{Command, Finished, Options, Platform, Script, processes};
use tempfile::TempDir;

async fn start(port: u16, state: &Path) -> Result<Finished> {
    let (port, state) = (port.to_string(), state.display().to_string());
    let arguments = [
        "dev", "--json", "--api", "rest", "--port", &port, "--state", &state,
    ];
    Command::new(&arguments).run().await
}

#[tokio::test]
async fn a_port_that_is_taken_is_refused_before_anything_is_started() -> Result<()> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let port = listener.local_addr()?.port();
    let state = TempDir::with_prefix("dotdo-taken-")?;
    let finished = start(port, state.path()).await?;
    assert!(!finished.succeeded, "{}", finished.output);
    assert!(
        finished.errors.contains(&port.to_string()) && finished.errors.contains("--port"),
        "{}",
        finished.errors
    );
    assert!(
        !state.path().join("wrangler.log").exists(),
        "wrangler was started"
    );
    Ok(())
}

/// `--reset` only ever empties what a platform made.
#[tokio::test]
async fn reset_leaves_another_folder_alone() -> Result<()> {
    let folder = TempDir::with_prefix("dotdo-precious-")?;
    let precious = folder.path().join("precious.txt");
    std::fs::write(&precious, "precious")?;
    let state = folder.path().display().to_string();
    let finished = Command::new(&["dev", "--json", "--reset", "--state", &state])
        .run()
        .await?;
    assert!(!finished.succeeded);
    assert!(finished.errors.contains("left alone"), "{}", finished.errors);
    assert_eq!(std::fs::read_to_string(precious)?, "precious");
    Ok(())
}

/// One test, because each step needs a platform, and a start takes its time.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_state_folder_has_one_platform_and_a_killed_one_leaves_nothing() -> Result<()> {
    let platform = Platform::start(Options::new().rest_api());
    platform
        .deploy(Environment::Production, "kept", &Script::answering("kept"))
        .await?;

    // A second start would overwrite what the first one writes.
    let second = start(platform.port() ^ 1, platform.state()).await?;
    assert!(!second.succeeded, "{}", second.output);
    assert!(second.errors.contains("already"), "{}", second.errors);
    assert_eq!(platform.get("kept.do", "/").await?.text(), "kept");

    let log = platform.log().text()?;
    assert!(!log.contains(platform.token()), "the log holds the token");

    // Killed without a chance to clean up, the watcher leaves wrangler and the runtime behind; the next start ends them.
    let group = platform.group();
    let platform = platform.kill_watcher_and_restart();
    assert_ne!(platform.group(), group);
    assert_eq!(
        processes::in_group(group)?,
        [],
        "something of the killed platform lives on"
    );
    assert_eq!(platform.get("kept.do", "/").await?.text(), "kept");

    let group = platform.group();
    platform.stop();
    assert_eq!(
        processes::in_group(group)?,
        [],
        "something of the stopped platform lives on"
    );
    Ok(())
}

/// Where it is, that it is empty, how to deploy the example, and the three variables.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_says_where_it_is_and_how_to_deploy() -> Result<()> {
    let state = TempDir::with_prefix("dotdo-greeting-")?;
    let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port();
    let (port_text, state_text) = (port.to_string(), state.path().display().to_string());
    let mut child = Command::new(&[
        "dev",
        "--until-stdin-ends",
        "--api",
        "rest",
        "--port",
        &port_text,
        "--state",
        &state_text,
    ])
    .into_std()
    .stdin(Stdio::piped())
    .stdout(Stdio::piped())
    .spawn()?;
    let output = child.stdout.take().context("no standard output")?;
    let mut said = String::new();
    for line in BufReader::new(output).lines() {
        let line = line?;
        said.push_str(&line);
        said.push('\n');
        if line.contains("Ctrl-C") {
            break;
        }
    }
    drop(child.stdin.take());
    child.wait()?;
    let variables = std::fs::read_to_string(state.path().join(".env"))?;
    for expected in [
        format!("http://localhost:{port}"),
        "cd examples/hello".to_owned(),
        format!(
            "npx wrangler deploy --dispatch-namespace {}",
            Environment::Production.namespace()
        ),
        format!("CLOUDFLARE_API_BASE_URL=http://localhost:{port}/client/v4"),
        format!("CLOUDFLARE_ACCOUNT_ID={ACCOUNT_ID}"),
    ]
    .into_iter()
    .chain(variables.lines().map(str::to_owned))
    {
        assert!(said.contains(&expected), "{expected}: {said}");
    }
    for environment in Environment::ALL {
        let line = said
            .lines()
            .find(|line| line.trim().starts_with(environment.namespace()));
        assert!(line.is_some_and(|line| line.contains("empty")), "{said}");
    }
    Ok(())
}
