//! `dotdo audit`.

mod chain;
mod export;
mod verify;

use std::path::PathBuf;

use clap::{Args, Subcommand};
use deploy_api::audit::chain::Link;
use deploy_api::audit::{Action, Checkpoint, Outcome};
use deploy_api::v1::types::Identity;
use dotdo_names::{Namespace, WorkerName};
use jiff::Timestamp;
use serde_json::Value as Json;

use crate::arguments;
use crate::client::Answer;
use crate::failure::{Exit, Failure};
use crate::progress;
use crate::session::{Session, who};
use crate::table::{Table, Tone};
use crate::times;

/// A command about the audit log.
#[derive(Debug, Subcommand)]
pub enum AuditCommand {
    /// List entries, the newest first
    #[command(after_help = "JSON: {\"items\": […]}; the items are those of GET /v1/audit.")]
    List(ListArguments),
    /// Store the whole log in a folder: archived segments and later entries
    #[command(
        after_help = "JSON: {\"folder\", \"segments\", \"entries\"}. The command can be repeated: segments that are stored already are kept."
    )]
    Export {
        /// The folder, which is created if it is missing
        folder: PathBuf,
    },
    /// Verify the hash chain: of an exported log without the deploy API, or else of the log in the deploy API
    Verify(verify::VerifyArguments),
    /// Get the signed length and head of the log, for an auditor to store
    #[command(after_help = "JSON: the response of GET /v1/audit/checkpoint, with --json or without.")]
    Checkpoint,
}

/// The arguments of `dotdo audit list`.
#[derive(Args, Debug)]
pub struct ListArguments {
    /// Only entries about this Worker
    #[arg(value_parser = arguments::worker_name)]
    name: Option<WorkerName>,
    /// Only entries about this environment
    #[arg(long, value_name = "ENV", value_parser = arguments::namespace())]
    env: Option<Namespace>,
    /// Only what API tokens of this subject did
    #[arg(long)]
    subject: Option<String>,
    /// Only what this token did, by its id
    #[arg(long, value_name = "ID")]
    token: Option<String>,
    /// Only what jobs of this repository did: owner/name, a project of GitLab, organization/pipeline of Buildkite, or an id
    #[arg(long)]
    repository: Option<String>,
    /// Only entries about this
    #[arg(long, value_parser = verb)]
    verb: Option<Action>,
    /// Only entries with this outcome
    #[arg(long, value_parser = outcome)]
    outcome: Option<Outcome>,
    /// Only what this request did, by its id
    #[arg(long, value_name = "ID")]
    request: Option<String>,
    /// Only entries since a time: 90m, 1h, 2d, a date or a time
    #[arg(long, value_name = "TIME", value_parser = times::filter)]
    since: Option<String>,
    /// Only entries before a time
    #[arg(long, value_name = "TIME", value_parser = times::filter)]
    until: Option<String>,
    /// The most entries to list
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..))]
    limit: u32,
}

fn verb(text: &str) -> Result<Action, String> {
    Action::from_name(text)
        .ok_or_else(|| "it is not an action of the audit log, such as deploy or rollback".to_owned())
}

fn outcome(text: &str) -> Result<Outcome, String> {
    serde_json::from_value(Json::from(text)).map_err(|error| error.to_string())
}

/// Runs a command about the audit log.
pub fn run(command: &AuditCommand, session: &Session) -> Result<Exit, Failure> {
    match command {
        AuditCommand::List(arguments) => list(arguments, session),
        AuditCommand::Export { folder } => export::export(folder, session),
        AuditCommand::Verify(arguments) => verify::verify(arguments, session),
        AuditCommand::Checkpoint => {
            let client = session.client()?;
            let answer: Answer<Checkpoint> =
                progress::during("signing a checkpoint", || client.get("/v1/audit/checkpoint"))?;
            session.output.json(&answer.json)?;
            Ok(Exit::Success)
        }
    }
}

fn list(arguments: &ListArguments, session: &Session) -> Result<Exit, Failure> {
    let client = session.client()?;
    let parameters = [
        ("worker", arguments.name.as_ref().map(ToString::to_string)),
        ("namespace", arguments::namespace_name(arguments.env)),
        ("subject", arguments.subject.clone()),
        ("token", arguments.token.clone()),
        ("repository", arguments.repository.clone()),
        ("verb", arguments.verb.map(|verb| verb.name().to_owned())),
        ("outcome", arguments.outcome.map(|outcome| outcome.to_string())),
        ("request_id", arguments.request.clone()),
        ("since", arguments.since.clone()),
        ("until", arguments.until.clone()),
    ];
    let limit = usize::try_from(arguments.limit).ok();
    let answer: Answer<Vec<Link>> = progress::during("reading the audit log", || {
        client.items("/v1/audit", &parameters, limit)
    })?;
    session.output.either(&answer.json, |output| {
        let now = Timestamp::now();
        let mut table = Table::new(&["entry", "when", "verb", "outcome", "Worker", "by", "rule"]);
        for link in &answer.value {
            let text = |pointer: &str| {
                link.entry
                    .pointer(pointer)
                    .and_then(Json::as_str)
                    .unwrap_or_default()
            };
            let time: Option<Timestamp> = text("/time").parse().ok();
            let by: Option<Identity> = link
                .entry
                .get("identity")
                .and_then(|identity| serde_json::from_value(identity.clone()).ok());
            let namespace = Namespace::from_name(text("/namespace"));
            let outcome = text("/outcome");
            let tone = match outcome {
                "failed" | "denied" => Tone::Bad,
                "unknown" => Tone::Warning,
                _ => Tone::Plain,
            };
            table.row([
                link.sequence.to_string().into(),
                time.map_or_else(String::new, |time| times::ago(time, now)).into(),
                text("/verb").into(),
                tone.of(outcome),
                place(text("/worker"), namespace).into(),
                by.as_ref().map_or_else(String::new, who).into(),
                text("/authority/rule").into(),
            ]);
        }
        if table.is_empty() {
            return output.line("There are no such entries.");
        }
        output.table(table)
    })?;
    Ok(Exit::Success)
}

/// The Worker and the environment of an entry, as far as it has them.
fn place(worker: &str, namespace: Option<Namespace>) -> String {
    match (worker, namespace) {
        (worker, None) => worker.to_owned(),
        ("", Some(namespace)) => namespace.to_string(),
        (worker, Some(namespace)) => format!("{worker} in {namespace}"),
    }
}
