//! `dotdo ci check`: the credentials of Cloudflare in the GitHub workflows and the composite actions of a repository, and their
//! replacement by `actions/login`.

mod actions;
mod document;
mod fix;
mod login_step;
mod permissions;
mod report;
mod text;
mod uses;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use serde_json::json;

use self::document::Node;
use self::report::{Report, show};
use self::uses::Use;
use crate::credentials;
use crate::failure::{Exit, Failure};
use crate::output::Output;
use crate::session::Session;

/// The commands about CI.
#[derive(Debug, Subcommand)]
pub enum CiCommand {
    /// Find credentials of Cloudflare in GitHub workflows and local actions, and replace them by the action that logs in
    Check(CheckArguments),
}

/// The arguments of `dotdo ci check`.
#[derive(Args, Debug)]
#[command(
    after_help = "JSON: {\"uses\": [{\"file\", \"line\", \"place\", \"secrets\", \"fix\"}], \"fixed\", \"remaining\", \"notes\", \"secrets\": [{\"name\", \"environments\"}]}. The exit code is 1 if a use remains."
)]
pub struct CheckArguments {
    /// The folder of the repository
    #[arg(value_name = "DIR", default_value = ".")]
    folder: PathBuf,
    /// Change the workflows, not the actions; comments and layout stay as they are
    #[arg(long)]
    fix: bool,
    /// The address of the deploy API for the changed workflows; by default that of your credentials
    #[arg(long, value_name = "URL")]
    api: Option<String>,
}

/// Runs a command.
pub fn run(command: &CiCommand, session: &Session) -> Result<Exit, Failure> {
    match command {
        CiCommand::Check(arguments) => check(arguments, &session.output),
    }
}

/// A workflow, or an action of the repository, with its uses.
struct Workflow {
    file: PathBuf,
    is_action: bool,
    text: String,
    root: Node,
    uses: Vec<Use>,
}

fn check(arguments: &CheckArguments, output: &Output) -> Result<Exit, Failure> {
    let workflows = read(&arguments.folder)?;
    let mut report = Report::default();
    for workflow in &workflows {
        report.add(workflow);
    }
    if arguments.fix && !report.uses.is_empty() {
        let api = match &arguments.api {
            Some(api) => credentials::address(api)?,
            None => credentials::find()?.api,
        };
        for workflow in workflows.iter().filter(|workflow| !workflow.uses.is_empty()) {
            report.fix(workflow, &api)?;
        }
    }
    let remains = if arguments.fix {
        !report.remaining.is_empty()
    } else {
        !report.uses.is_empty()
    };
    output.either(&json!(report), |output| show(&report, arguments.fix, output))?;
    Ok(if remains { Exit::Refused } else { Exit::Success })
}

/// Reads the workflows of a repository, and then its actions.
fn read(repository: &Path) -> Result<Vec<Workflow>, Failure> {
    let folder = repository.join(".github/workflows");
    let entries = fs::read_dir(&folder).map_err(|error| unreadable(&folder, &error))?;
    let mut files = Vec::new();
    for entry in entries {
        let path = entry.map_err(|error| unreadable(&folder, &error))?.path();
        if path
            .extension()
            .is_some_and(|extension| extension == "yml" || extension == "yaml")
        {
            files.push(path);
        }
    }
    files.sort();
    let mut read: Vec<Workflow> = Vec::new();
    for file in files {
        read.push(workflow(file, false)?);
    }
    let mut found: Vec<PathBuf> = actions::below_github(repository).into_iter().collect();
    found.extend(
        read.iter()
            .flat_map(|workflow| actions::used_by(repository, &workflow.root)),
    );
    // The paths of actions can be written in several ways.
    let mut known = BTreeSet::new();
    while let Some(file) = found.pop() {
        if known.insert(file.canonicalize().unwrap_or_else(|_| file.clone())) {
            let action = workflow(file, true)?;
            found.extend(actions::used_by(repository, &action.root));
            read.push(action);
        }
    }
    read.sort_by(|one, other| (one.is_action, &one.file).cmp(&(other.is_action, &other.file)));
    Ok(read)
}

fn workflow(file: PathBuf, is_action: bool) -> Result<Workflow, Failure> {
    let text = fs::read_to_string(&file).map_err(|error| unreadable(&file, &error))?;
    let root = document::parse(&text).map_err(|error| unreadable(&file, &error))?;
    let uses = uses::find(&text, &root);
    Ok(Workflow {
        file,
        is_action,
        text,
        root,
        uses,
    })
}

fn unreadable(path: &Path, error: &dyn std::fmt::Display) -> Failure {
    Failure::usage(
        format!("{} cannot be read: {error}", path.display()),
        "Name the folder of a repository with GitHub workflows, and correct the file.",
    )
}
