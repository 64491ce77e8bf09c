//! `dotdo ci check`: the credentials of Cloudflare in the GitHub workflows of a repository, and their replacement by `actions/login`.

mod document;
mod fix;
mod report;
mod text;
mod uses;

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
    /// Find credentials of Cloudflare in GitHub workflows, and replace them by the action that logs in
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
    /// Change the workflows; comments and layout stay as they are
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

/// A workflow with its uses.
struct Workflow {
    file: PathBuf,
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

/// Reads the workflows of a repository.
fn read(folder: &Path) -> Result<Vec<Workflow>, Failure> {
    let folder = folder.join(".github/workflows");
    let unreadable = |path: &Path, error: &dyn std::fmt::Display| {
        Failure::usage(
            format!("{} cannot be read: {error}", path.display()),
            "Name the folder of a repository with GitHub workflows, and correct the file.",
        )
    };
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
    files
        .into_iter()
        .map(|file| {
            let text = fs::read_to_string(&file).map_err(|error| unreadable(&file, &error))?;
            let root = document::parse(&text).map_err(|error| unreadable(&file, &error))?;
            let uses = uses::find(&text, &root);
            Ok(Workflow {
                file,
                text,
                root,
                uses,
            })
        })
        .collect()
}
