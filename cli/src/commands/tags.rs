//! `dotdo tags`.

use clap::Subcommand;
use deploy_api::v1::types::{Tags, TagsRequest};
use ureq::http::Method;

use crate::arguments::WorkerArguments;
use crate::client::{Answer, worker_path};
use crate::confirm::Confirmation;
use crate::failure::{Exit, Failure};
use crate::output::Output;
use crate::progress;
use crate::session::Session;

/// A command about tags.
#[derive(Debug, Subcommand)]
pub enum TagsCommand {
    /// List the tags
    #[command(after_help = "JSON: {\"tags\": […]}.")]
    List(WorkerArguments),
    /// Replace all tags; without a tag, remove them
    #[command(after_help = "JSON: {\"tags\": […]}.")]
    Set {
        #[command(flatten)]
        worker: WorkerArguments,
        /// The tags, at most seven
        #[arg(value_name = "TAG")]
        tags: Vec<String>,
        /// Do not ask before a change of production
        #[arg(long, short)]
        yes: bool,
    },
}

/// Runs a command about tags.
pub fn run(command: &TagsCommand, session: &Session) -> Result<Exit, Failure> {
    match command {
        TagsCommand::List(worker) => {
            let client = session.client()?;
            let answer: Answer<Tags<'static>> =
                progress::during("listing the tags", || client.get(&path(worker)))?;
            show(&session.output, &answer)
        }
        TagsCommand::Set { worker, tags, yes } => {
            let client = session.client()?;
            let WorkerArguments { name, env } = worker;
            Confirmation::of(*env, *yes).ask(&format!("Replace all tags of {name} in {env}?"))?;
            let request = TagsRequest(tags.clone());
            let answer: Answer<Tags<'static>> = progress::during("setting the tags", || {
                client.send(&Method::PUT, &path(worker), &request)
            })?;
            show(&session.output, &answer)
        }
    }?;
    Ok(Exit::Success)
}

fn path(worker: &WorkerArguments) -> String {
    format!("{}/tags", worker_path(worker.env, &worker.name))
}

fn show(output: &Output, answer: &Answer<Tags<'static>>) -> Result<(), Failure> {
    output.either(&answer.json, |output| {
        if answer.value.tags.is_empty() {
            return output.line("There are no tags.");
        }
        answer.value.tags.iter().try_for_each(|tag| output.line(tag))
    })
}
