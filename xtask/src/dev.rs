//! `npm run dev`: the whole platform on this machine, ready to deploy to.

use std::{path::PathBuf, time::Duration};

use anyhow::Result;
use clap::Args;
use dotdo_names::Environment;
use serde::Serialize;

use crate::{
    build::{self, Worker},
    platform::{self, Api, Credentials, Guard, Overrides, Platform, State, StateLock, Stop},
    workspace, wrangler_output,
};

/// How often the supervisor looks after the runtime.
const CHECK: Duration = Duration::from_millis(100);

#[derive(Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of the command line")]
pub struct Arguments {
    /// The platform's port, on loopback
    #[arg(long, default_value_t = 8787, value_parser = clap::value_parser!(u16).range(1..))]
    port: u16,
    /// Start empty: remove all deployed Workers and records
    #[arg(long)]
    reset: bool,
    /// The folder for deployed Workers and records
    #[arg(long, value_name = "FOLDER")]
    state: Option<PathBuf>,
    /// The Worker that serves /client/v4
    #[arg(long, value_enum, default_value_t = Api::Deploy)]
    api: Api,
    /// Run the crons of account Workers by the clock, in UTC
    #[arg(long)]
    crons: bool,
    /// Print one line of JSON when the platform is ready, and nothing else
    #[arg(long)]
    json: bool,
    /// Stop when standard input ends, for programs that start this one
    #[arg(long, hide = true)]
    until_stdin_ends: bool,
    /// Remove the state folder at the end, for programs that cannot do so themselves
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
    group: Option<i32>,
    /// This process, which stops them when it ends.
    watcher: u32,
}

/// Starts the platform and serves until a signal, the end of standard input, or the end of wrangler.
///
/// # Errors
/// When another process uses the state folder, a Worker does not build, or the platform does not start or ends early.
pub fn run(arguments: &Arguments) -> Result<()> {
    let state = match &arguments.state {
        Some(folder) => State::at(folder)?,
        None => State::standard(),
    };
    // Before anything is changed: a second start on the same folder must leave the first one alone.
    let lock = StateLock::acquire(state)?;
    let served = build_and_serve(arguments, &lock);
    if arguments.temporary {
        lock.remove()?;
    }
    served
}

fn build_and_serve(arguments: &Arguments, lock: &StateLock) -> Result<()> {
    let guard = Guard::bind(arguments.port)?;
    if arguments.reset {
        lock.reset()?;
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
    // Installed before wrangler starts, so that a signal at any time stops its processes.
    let stop = Stop::default();
    stop.on_signals(lock.group())?;
    if arguments.until_stdin_ends {
        stop.on_stdin_end();
    }
    serve(arguments, lock, guard, &stop)
}

/// The file in the state folder with the variables for the resources of the account.
const ACCOUNT_ENV: &str = "account.env";

fn serve(arguments: &Arguments, lock: &StateLock, guard: Guard, stop: &Stop) -> Result<()> {
    let mut platform = platform::start(lock, guard, arguments.api, &arguments.overrides, stop)?;
    if arguments.crons {
        platform.supervisor.run_crons();
    }
    let state = lock.state();
    state.write_private(".env", &platform.credentials.to_env_file())?;
    state.write_private(ACCOUNT_ENV, &platform.account_credentials.to_env_file())?;
    if arguments.json {
        let ready = Ready {
            port: arguments.port,
            credentials: &platform.credentials,
            group: platform.supervisor.group(),
            watcher: std::process::id(),
        };
        println!("{}", serde_json::to_string(&ready)?);
    } else {
        if arguments.state.is_none() {
            let example = workspace::path("examples/hello/.env");
            platform::write_private(&example, &platform.credentials.to_env_file())?;
        }
        greet(arguments, state, &platform)?;
        platform.supervisor.output().on_line(wrangler_output::show);
    }
    while !stop.wait(CHECK) {
        platform.supervisor.check()?;
    }
    Ok(())
}

fn greet(arguments: &Arguments, state: &State, platform: &Platform<'_>) -> Result<()> {
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
        // Only the standard folder's variables are written to the example.
        let copy = match &arguments.state {
            None => String::new(),
            Some(_) => format!("cp \"{}\" examples/hello/.env\n  ", state.path(".env").display()),
        };
        println!(
            "\nDeploy the example, then open http://hello.localhost:{port}\n  \
             {copy}cd examples/hello\n  \
             npx wrangler deploy --dispatch-namespace {}",
            Environment::Production.namespace()
        );
    }
    println!(
        "\nTo deploy another project, use these variables from {}\n{}",
        state.path(".env").display(),
        indented(&credentials.to_env_file())
    );
    println!(
        "To create and fill KV namespaces, R2 buckets and D1 databases ({}):\n  \
         npx wrangler kv key put KEY VALUE --binding NAME --remote --env-file \"{}\"\n",
        platform.account_credentials.base_url,
        state.path(ACCOUNT_ENV).display(),
    );
    println!("Ctrl-C stops the platform; deployed Workers are kept.\n");
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
