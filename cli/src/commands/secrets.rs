//! `dotdo secrets`.

use std::io::{self, IsTerminal as _, Read as _};

use clap::Subcommand;
use deploy_api::v1::types::{SecretName, SecretRequest, Secrets};
use secrecy::SecretString;
use serde_json::{Value as Json, json};
use ureq::http::Method;

use crate::arguments::WorkerArguments;
use crate::client::{Answer, worker_path};
use crate::confirm::Confirmation;
use crate::failure::{Exit, Failure};
use crate::progress;
use crate::session::Session;
use crate::table::Table;

/// A command about secrets.
#[derive(Debug, Subcommand)]
pub enum SecretsCommand {
    /// List the names; values can never be read
    #[command(after_help = "JSON: {\"items\": [{\"name\", \"type\"}]}.")]
    List(WorkerArguments),
    /// Set a secret; the value is asked for, or read from the standard input
    #[command(after_help = "JSON: {\"name\", \"type\"}.")]
    Set {
        #[command(flatten)]
        worker: WorkerArguments,
        /// The name of the secret
        secret: String,
        /// Do not ask before a change of production
        #[arg(long, short)]
        yes: bool,
    },
    /// Remove a secret
    #[command(after_help = "JSON: {\"removed\": true}.")]
    Remove {
        #[command(flatten)]
        worker: WorkerArguments,
        /// The name of the secret
        secret: String,
        /// Do not ask before a change of production
        #[arg(long, short)]
        yes: bool,
    },
}

/// Runs a command about secrets.
pub fn run(command: &SecretsCommand, session: &Session) -> Result<Exit, Failure> {
    match command {
        SecretsCommand::List(worker) => list(worker, session),
        SecretsCommand::Set { worker, secret, yes } => set(worker, secret, *yes, session),
        SecretsCommand::Remove { worker, secret, yes } => remove(worker, secret, *yes, session),
    }?;
    Ok(Exit::Success)
}

fn path(worker: &WorkerArguments) -> String {
    format!("{}/secrets", worker_path(worker.env, &worker.name))
}

/// The path of a secret. The deploy API checks the name; here it must only be one segment.
fn secret_path(worker: &WorkerArguments, secret: &str) -> Result<String, Failure> {
    let is_segment = !secret.is_empty()
        && secret
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'$'));
    if !is_segment {
        return Err(Failure::usage(
            format!("{secret:?} is not the name of a secret"),
            "Write letters, digits, _ and $, as the name of a variable of JavaScript.",
        ));
    }
    Ok(format!("{}/{secret}", path(worker)))
}

fn list(worker: &WorkerArguments, session: &Session) -> Result<(), Failure> {
    let client = session.client()?;
    let answer: Answer<Secrets> = progress::during("listing the secrets", || client.get(&path(worker)))?;
    session.output.either(&answer.json, |output| {
        if answer.value.items.is_empty() {
            return output.line("There are no secrets.");
        }
        let mut table = Table::new(&["secret", "type"]);
        for secret in &answer.value.items {
            table.row([secret.name.as_str().into(), secret.kind.as_str().into()]);
        }
        output.table(table)
    })
}

fn set(worker: &WorkerArguments, secret: &str, yes: bool, session: &Session) -> Result<(), Failure> {
    let path = secret_path(worker, secret)?;
    let client = session.client()?;
    let WorkerArguments { name, env } = worker;
    let is_piped = !io::stdin().is_terminal();
    let confirmation = Confirmation::of(*env, yes);
    // The value comes from where the answer would come from.
    if !is_piped || confirmation.is_needed && !yes {
        confirmation.ask(&format!("Set the secret {secret} of {name} in {env}?"))?;
    }
    let text = if is_piped {
        let mut text = String::new();
        io::stdin().read_to_string(&mut text)?;
        text.strip_suffix('\n').map(str::to_owned).unwrap_or(text)
    } else {
        rpassword::prompt_password(format!("Value of {secret} (not shown): "))?
    };
    if text.is_empty() {
        return Err(Failure::usage(
            "the value is empty",
            "Type it, or write it to the standard input.",
        ));
    }
    let request = SecretRequest {
        text: SecretString::from(text),
    };
    let answer: Answer<SecretName> = progress::during("setting the secret", || {
        client.send(&Method::PUT, &path, &request)
    })?;
    session.output.either(&answer.json, |output| {
        output.line(format!("Set {secret} of {name} in {env}."))
    })
}

fn remove(worker: &WorkerArguments, secret: &str, yes: bool, session: &Session) -> Result<(), Failure> {
    let path = secret_path(worker, secret)?;
    let client = session.client()?;
    let WorkerArguments { name, env } = worker;
    Confirmation::of(*env, yes).ask(&format!("Remove the secret {secret} of {name} in {env}?"))?;
    progress::during("removing the secret", || {
        client.call::<Json>(&Method::DELETE, &path)
    })
    .map_err(|failure| {
        failure.suggest(
            &["SECRET_UNKNOWN"],
            format!("Type `dotdo secrets list {name} --env {env}` to list the secrets."),
        )
    })?;
    session.output.either(&json!({ "removed": true }), |output| {
        output.line(format!("Removed {secret} of {name} in {env}."))
    })
}
