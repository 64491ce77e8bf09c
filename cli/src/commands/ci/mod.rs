//! `dotdo ci check`: the credentials of Cloudflare in the GitHub workflows and the composite actions of a repository, and their
//! replacement by `actions/login`.

mod actions;
mod document;
mod expressions;
mod fix;
mod login_step;
mod permissions;
mod report;
mod secrets;
mod text;
mod uses;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use serde_json::json;

use self::document::Node;
use self::expressions::Secrets;
use self::report::{Report, show};
use self::secrets::{Candidates, all_secrets, other_secrets};
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
    /// Whether it is a link to a file outside of the repository.
    is_outside: bool,
    text: String,
    root: Node,
    uses: Vec<Use>,
}

impl Workflow {
    /// Gives it a changed text.
    ///
    /// # Errors
    /// Why that is not YAML.
    fn set_text(&mut self, text: String) -> Result<(), String> {
        (self.root, self.uses) = parsed(&text)?;
        self.text = text;
        Ok(())
    }
}

fn check(arguments: &CheckArguments, output: &Output) -> Result<Exit, Failure> {
    let mut workflows = read(&arguments.folder)?;
    let is_used = workflows.iter().any(|workflow| !workflow.uses.is_empty());
    let api = match &arguments.api {
        _ if !arguments.fix || !is_used => None,
        Some(api) => Some(credentials::address(api)?),
        None => Some(credentials::find()?.api),
    };
    let report = report_of(&mut workflows, api.as_deref());
    let remains = !report.remaining.is_empty() || (!arguments.fix && is_used);
    output.either(&json!(report), |output| show(&report, arguments.fix, output))?;
    Ok(if remains { Exit::Refused } else { Exit::Success })
}

/// Reports about workflows, and changes them if `api` is the address with which they log in.
fn report_of(workflows: &mut [Workflow], api: Option<&str>) -> Report {
    let mut report = Report::default();
    let mut candidates = Candidates::default();
    for workflow in workflows.iter() {
        report.add(workflow);
        candidates.add(workflow);
    }
    if let Some(api) = api {
        for workflow in workflows.iter_mut().filter(|workflow| !workflow.uses.is_empty()) {
            report.fix(workflow, api);
        }
    }
    report.add_callers(workflows);
    let mut still_used = Secrets::default();
    for workflow in workflows.iter() {
        // Without a change, what the report lists is yet to be replaced.
        let used = match api {
            Some(_) => all_secrets(workflow),
            None => other_secrets(workflow),
        };
        if !report.uses.is_empty() {
            report.add_computed_secrets(workflow);
        }
        still_used.extend(used);
    }
    report.secrets = candidates.unused(&still_used);
    report
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
            // A link to nothing is an error, and a folder is no workflow.
            && path.metadata().map_or(true, |found| found.is_file())
        {
            files.push(path);
        }
    }
    files.sort();
    let mut read: Vec<Workflow> = Vec::new();
    for file in files {
        read.push(workflow(repository, file, false)?);
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
            let action = workflow(repository, file, true)?;
            found.extend(actions::used_by(repository, &action.root));
            read.push(action);
        }
    }
    read.sort_by(|one, other| (one.is_action, &one.file).cmp(&(other.is_action, &other.file)));
    Ok(read)
}

fn workflow(repository: &Path, file: PathBuf, is_action: bool) -> Result<Workflow, Failure> {
    let text = fs::read_to_string(&file).map_err(|error| unreadable(&file, &error))?;
    let (root, uses) = parsed(&text).map_err(|error| unreadable(&file, &error))?;
    let is_outside = match (file.canonicalize(), repository.canonicalize()) {
        (Ok(file), Ok(repository)) => !file.starts_with(repository),
        _ => true,
    };
    Ok(Workflow {
        file,
        is_action,
        is_outside,
        text,
        root,
        uses,
    })
}

/// The tree of a text, and its uses.
fn parsed(text: &str) -> Result<(Node, Vec<Use>), String> {
    let root = document::parse(text)?;
    let uses = uses::find(text, &root);
    Ok((root, uses))
}

fn unreadable(path: &Path, error: &dyn std::fmt::Display) -> Failure {
    Failure::usage(
        format!("{} cannot be read: {error}", path.display()),
        "Name the folder of a repository with GitHub workflows, and correct the file. For other CI services, docs/deploy-api.md has the \
         shell commands that replace the token.",
    )
}
