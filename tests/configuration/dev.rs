//! `npm run dev`: its output, rejected starts, and its end.

use std::{
    env, fs,
    io::{BufRead, BufReader},
    net::{Ipv4Addr, TcpListener},
    path::Path,
    process::Stdio,
    time::Duration,
};

use anyhow::{Context, Result};
use dotdo_names::{ACCOUNT_ID, Environment};
use end_to_end::{
    Command, Finished, Options, Platform, Script, deadline, free_port, processes, until, workspace_program,
};
use tempfile::TempDir;

async fn start(port: u16, state: &Path) -> Result<Finished> {
    start_with(port, state, &[]).await
}

async fn start_with(port: u16, state: &Path, more: &[&str]) -> Result<Finished> {
    Command::dev(port, state, &[&["--json"], more].concat())
        .limit(Duration::from_mins(2))
        .run()
        .await
}

#[end_to_end::test]
async fn rejects_a_port_in_use_before_wrangler_starts() -> Result<()> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let port = listener.local_addr()?.port();
    let state = TempDir::with_prefix("dotdo-taken-")?;
    let zero = start(0, state.path()).await?;
    assert!(zero.errors.contains("1..=65535"), "{}", zero.errors);
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

/// `--reset` removes only files of a platform.
#[end_to_end::test]
async fn rejects_a_state_folder_with_other_files() -> Result<()> {
    let folder = TempDir::with_prefix("dotdo-precious-")?;
    let precious = folder.path().join("precious.txt");
    fs::write(&precious, "precious")?;
    for more in [&["--reset"][..], &[]] {
        let finished = start_with(free_port()?, folder.path(), more).await?;
        assert!(!finished.succeeded);
        let folder = folder.path().display().to_string();
        assert!(
            finished.errors.contains(&folder) && finished.errors.contains("--state"),
            "{}",
            finished.errors
        );
        assert_eq!(fs::read_to_string(&precious)?, "precious");
    }
    Ok(())
}

/// One test, because each step needs a running platform, and a start takes seconds.
#[end_to_end::test]
async fn rejects_a_second_platform_and_ends_the_processes_of_a_killed_one() -> Result<()> {
    let platform = Platform::start(Options::new().rest_api());
    platform
        .deploy(Environment::Production, "kept", &Script::answering("kept"))
        .await?;

    // A second platform would overwrite the files of the first one.
    for more in [&[][..], &["--reset"]] {
        let second = start_with(free_port()?, platform.state(), more).await?;
        assert!(!second.succeeded, "{}", second.output);
        assert!(second.errors.contains("already"), "{}", second.errors);
        assert_eq!(platform.get("kept.do", "/").await?.text(), "kept");
    }

    let log = platform.log().text()?;
    assert!(!log.contains(platform.token()), "the log holds the token");

    // The killed program leaves wrangler and the runtime running; the next start ends them.
    let group = platform.group();
    let platform = platform.kill_watcher_and_restart();
    assert_ne!(platform.group(), group);
    assert_eq!(
        processes::in_group(group)?,
        [],
        "a process of the killed platform is still running"
    );
    assert_eq!(platform.get("kept.do", "/").await?.text(), "kept");

    let group = platform.group();
    platform.stop();
    assert_eq!(
        processes::in_group(group)?,
        [],
        "a process of the stopped platform is still running"
    );
    Ok(())
}

/// `npm run check` after a pull builds the tool again while `npm run dev` runs.
#[end_to_end::test]
async fn a_replaced_build_tool_keeps_the_lock_of_the_state_folder() -> Result<()> {
    let folder = TempDir::with_prefix("dotdo-tool-")?;
    let tool = folder.path().join("xtask");
    let original = match env::var_os("XTASK") {
        Some(path) => path.into(),
        None => workspace_program("xtask")?,
    };
    fs::copy(&original, &tool)?;
    let platform = Platform::start(Options::new().rest_api().program(&tool));
    platform
        .deploy(Environment::Production, "kept", &Script::answering("kept"))
        .await?;

    let new = folder.path().join("xtask.new");
    fs::copy(&original, &new)?;
    fs::rename(&new, &tool)?;

    let second = start(free_port()?, platform.state()).await?;
    assert!(!second.succeeded, "{}", second.output);
    let process = format!("process {} already", platform.watcher());
    assert!(second.errors.contains(&process), "{}", second.errors);
    assert_eq!(platform.get("kept.do", "/").await?.text(), "kept");
    Ok(())
}

/// Two processes start at the same moment on a folder that does not exist: exactly one gets it.
#[end_to_end::test]
async fn rejects_one_of_two_starts_at_once() -> Result<()> {
    let parent = TempDir::with_prefix("dotdo-race-")?;
    let state = parent.path().join("state");
    // The port is in use, so that the start that gets the folder ends, too, and with another error.
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let port = listener.local_addr()?.port();
    for _ in 0..5 {
        let (first, second) = tokio::join!(
            start_with(port, &state, &["--temporary"]),
            start_with(port, &state, &["--temporary"])
        );
        let errors = [first?.errors, second?.errors];
        let refused = errors.iter().filter(|text| text.contains("already")).count();
        let started = errors.iter().filter(|text| text.contains("--port")).count();
        // The second may also come after the end of the first.
        assert!(started >= 1 && started + refused == 2, "{errors:?}");
        assert!(!state.exists(), "{errors:?}");
    }
    Ok(())
}

#[end_to_end::test]
async fn a_stop_does_not_wait_for_the_start() -> Result<()> {
    let state = TempDir::with_prefix("dotdo-stopped-")?;
    // The platform never becomes ready with this entry.
    let build = TempDir::with_prefix("dotdo-stopped-build-")?;
    fs::write(
        build.path().join("entry.js"),
        "export default { fetch() { return new Promise(() => {}); } };",
    )?;
    let build_text = build.path().display().to_string();
    let more = ["--json", "--until-stdin-ends", "--dispatcher-build", &build_text];
    let mut child = Command::dev(free_port()?, state.path(), &more)
        .into_std()
        .stdin(Stdio::piped())
        .spawn()?;
    let log = state.path().join("wrangler.log");
    until("wrangler is started", async || {
        Ok(fs::read(&log).is_ok_and(|log| !log.is_empty()).then_some(()))
    })
    .await?;
    let group = processes::recorded_group(state.path())?;
    assert_ne!(processes::in_group(group)?, []);

    let kill = std::process::Command::new("kill")
        .arg(child.id().to_string())
        .status()?;
    assert!(kill.success());
    let status = deadline::wait(&mut child, "the platform", Duration::from_secs(30))?;
    assert!(!status.success());
    assert_eq!(processes::in_group(group)?, []);
    Ok(())
}

/// The address, the empty namespaces, how to deploy the example, and the three variables.
#[end_to_end::test]
async fn prints_its_address_and_how_to_deploy() -> Result<()> {
    let state = TempDir::with_prefix("dotdo-greeting-")?;
    let port = free_port()?;
    let mut child = Command::dev(port, state.path(), &["--until-stdin-ends"])
        .into_std()
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()?;
    let output = child.stdout.take().context("no standard output")?;
    let mut printed = String::new();
    for line in BufReader::new(output).lines() {
        let line = line?;
        printed.push_str(&line);
        printed.push('\n');
        if line.contains("Ctrl-C") {
            break;
        }
    }
    drop(child.stdin.take());
    deadline::wait(&mut child, "the platform", deadline::platform())?;
    let variables = fs::read_to_string(state.path().join(".env"))?;
    for expected in [
        format!("http://localhost:{port}"),
        format!(
            "cp \"{}\" examples/hello/.env",
            state.path().join(".env").display()
        ),
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
        assert!(printed.contains(&expected), "{expected}: {printed}");
    }
    for environment in Environment::ALL {
        let line = printed
            .lines()
            .find(|line| line.trim().starts_with(environment.namespace()));
        assert!(line.is_some_and(|line| line.contains("empty")), "{printed}");
    }
    Ok(())
}
