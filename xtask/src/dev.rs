//! `npm run dev`: the whole platform on this machine, ready to deploy to.

use std::{
    io::{self, Read},
    path::PathBuf,
    sync::mpsc::{self, Receiver, Sender},
    thread,
    time::Duration,
};

use anyhow::{Context, Result, bail};
use clap::Args;
use dotdo_names::Environment;
use serde::Serialize;
use signal_hook::{
    consts::{SIGHUP, SIGINT, SIGTERM},
    iterator::Signals,
};

use crate::{
    build::{self, Worker},
    platform::{self, Api, Credentials, Overrides, Platform, State},
    workspace, wrangler_output,
};

#[derive(Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of the command line")]
pub struct Arguments {
    /// The one port of the platform, on loopback
    #[arg(long, default_value_t = 8787)]
    port: u16,
    /// Start empty: removes what is deployed and on record
    #[arg(long)]
    reset: bool,
    /// The folder for what is deployed and on record
    #[arg(long, value_name = "FOLDER")]
    state: Option<PathBuf>,
    /// Who answers /client/v4
    #[arg(long, value_enum, default_value_t = Api::Deploy)]
    api: Api,
    /// Print one line of JSON when it is ready, and no more
    #[arg(long)]
    json: bool,
    /// Stop when standard input ends: for a program that starts this one
    #[arg(long, hide = true)]
    until_stdin_ends: bool,
    /// Remove the state folder at the end: for a program that cannot do so itself
    #[arg(long, hide = true, requires = "state")]
    temporary: bool,
    #[command(flatten)]
    overrides: Overrides,
}

/// What `--json` prints.
#[derive(Serialize)]
struct Ready<'a> {
    port: u16,
    #[serde(flatten)]
    credentials: &'a Credentials,
    /// The process group of wrangler and the runtime.
    group: i32,
    /// The process that watches over it.
    watcher: u32,
}

/// Why the platform stops.
enum Stop {
    Asked,
    WranglerEnded,
}

pub fn run(arguments: &Arguments) -> Result<()> {
    let state = match &arguments.state {
        Some(folder) => State::at(folder)?,
        None => State::standard(),
    };
    if arguments.reset {
        platform::end_leftover(&state)?;
        state.reset()?;
    }
    if arguments.overrides.dispatcher_build.is_none() {
        build::build(Worker::Dispatcher, arguments.json)?;
    }
    if arguments.api == Api::Deploy && arguments.overrides.deploy_api_build.is_none() {
        build::build(Worker::DeployApi, arguments.json)?;
    }
    if !arguments.json {
        eprintln!("[dev] starting the local platform");
    }
    // Installed before anything is started, so that whatever ends this program ends that too.
    let (sender, receiver) = mpsc::channel();
    watch_signals(sender.clone(), state.clone())?;
    if arguments.until_stdin_ends {
        watch_stdin(sender.clone());
    }
    let mut platform = platform::start(&state, arguments.port, arguments.api, &arguments.overrides)?;
    state.write_private(".env", &platform.credentials.to_env_file())?;
    if arguments.json {
        let ready = Ready {
            port: arguments.port,
            credentials: &platform.credentials,
            group: platform.wrangler.group(),
            watcher: std::process::id(),
        };
        println!("{}", serde_json::to_string(&ready)?);
    } else {
        if arguments.state.is_none() {
            let example = workspace::path("examples/hello/.env");
            platform::write_private(&example, &platform.credentials.to_env_file())?;
        }
        greet(arguments, &state, &platform)?;
        platform.wrangler.on_line(wrangler_output::show);
    }
    match wait(&mut platform, &receiver)? {
        Stop::Asked if arguments.temporary => {
            drop(platform);
            state.reset()
        }
        Stop::Asked => Ok(()),
        Stop::WranglerEnded => bail!("wrangler ended by itself:\n{}", platform.wrangler.last_words()),
    }
}

fn wait(platform: &mut Platform, stop: &Receiver<()>) -> Result<Stop> {
    loop {
        if stop.recv_timeout(Duration::from_millis(250)).is_ok() {
            return Ok(Stop::Asked);
        }
        if platform.wrangler.exited()?.is_some() {
            return Ok(Stop::WranglerEnded);
        }
    }
}

fn watch_signals(stop: Sender<()>, state: State) -> Result<()> {
    let mut signals = Signals::new([SIGINT, SIGTERM, SIGHUP]).context("cannot listen for signals")?;
    thread::spawn(move || {
        let mut seen = false;
        for _ in signals.forever() {
            // While the platform is being started nobody receives; the second Ctrl-C does not wait for it.
            if seen || stop.send(()).is_err() {
                platform::abandon(&state);
                std::process::exit(130);
            }
            seen = true;
        }
    });
    Ok(())
}

fn watch_stdin(stop: Sender<()>) {
    thread::spawn(move || {
        let _ = io::stdin().lock().read_to_end(&mut Vec::new());
        // Nobody to tell is as good as told: the program is ending.
        let _ = stop.send(());
    });
}

fn greet(arguments: &Arguments, state: &State, platform: &Platform) -> Result<()> {
    let port = arguments.port;
    let credentials = &platform.credentials;
    println!("\nReady on http://localhost:{port}");
    let namespaces = platform::namespaces(credentials)?;
    for namespace in &namespaces {
        println!(
            "  {:<18} {}",
            namespace.name,
            worker_count(namespace.script_count)
        );
    }
    if namespaces.iter().all(|namespace| namespace.script_count == 0) {
        println!(
            "\nDeploy the example, then open http://hello.localhost:{port}\n  \
             cd examples/hello\n  \
             npx wrangler deploy --dispatch-namespace {}",
            Environment::Production.namespace()
        );
    }
    println!(
        "\nFor a project of yours, these variables stand in {}\n{}",
        state.path(".env").display(),
        indented(&credentials.to_env_file())
    );
    println!("Ctrl-C stops it; what is deployed stays.\n");
    Ok(())
}

fn indented(text: &str) -> String {
    text.lines().flat_map(|line| ["  ", line, "\n"]).collect()
}

fn worker_count(count: u64) -> String {
    match count {
        0 => "empty".to_owned(),
        1 => "1 Worker".to_owned(),
        count => format!("{count} Workers"),
    }
}
