//! Arguments that several commands have.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use clap::Args;
use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use dotdo_names::{Environment, Namespace, WorkerName};
use secrecy::SecretString;

use crate::failure::Failure;

/// Parses an environment: its name, the name of its namespace, or a label of its hosts.
pub fn environment() -> impl TypedValueParser<Value = Environment> {
    let names = Environment::ALL.map(|environment| {
        PossibleValue::new(environment.name())
            .alias(environment.namespace())
            .aliases(
                environment
                    .host_labels()
                    .iter()
                    .copied()
                    .filter(move |label| *label != environment.name()),
            )
    });
    PossibleValuesParser::new(names).try_map(|name| {
        Environment::from_name(&name)
            .or_else(|| Environment::from_namespace(&name))
            .or_else(|| Environment::from_host_label(&name))
            .ok_or("it is not an environment")
    })
}

/// Parses an environment, or `account` for the Workers of the platform itself.
pub fn namespace() -> impl TypedValueParser<Value = Namespace> {
    let names = Namespace::ALL.map(|namespace| {
        let labels = namespace.environment().map(Environment::host_labels);
        PossibleValue::new(namespace.short_name())
            .alias(namespace.name())
            .aliases(
                labels
                    .unwrap_or_default()
                    .iter()
                    .copied()
                    .filter(move |label| *label != namespace.short_name()),
            )
    });
    PossibleValuesParser::new(names).try_map(|name| {
        let environment = Environment::from_name(&name).or_else(|| Environment::from_host_label(&name));
        Namespace::from_name(&name)
            .or(environment.map(Namespace::Of))
            .ok_or("it is not an environment")
    })
}

/// The name of a namespace, as the deploy API takes it in a filter.
#[must_use]
pub fn namespace_name(namespace: Option<Namespace>) -> Option<String> {
    namespace.map(|namespace| namespace.name().to_owned())
}

/// Parses the name of a Worker.
///
/// # Errors
/// Why no Worker can have the name.
pub fn worker_name(text: &str) -> Result<WorkerName, String> {
    WorkerName::parse(text).map_err(|error| error.to_string())
}

/// One Worker in an environment.
#[derive(Args, Clone, Debug)]
pub struct WorkerArguments {
    /// The name of the Worker
    #[arg(value_parser = worker_name)]
    pub name: WorkerName,
    /// The environment: production, staging or development; account for a Worker of the platform
    #[arg(long, value_name = "ENV", value_parser = namespace())]
    pub env: Namespace,
}

/// How a change is made.
#[derive(Args, Clone, Copy, Debug)]
pub struct ChangeArguments {
    /// Show what would change, and change nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Do not ask before a change of production
    #[arg(long, short)]
    pub yes: bool,
}

/// How an earlier deployment is deployed again.
#[derive(Args, Clone, Debug)]
pub struct RedeployArguments {
    /// A JSON file with secrets to set, {"NAME": "value"}
    #[arg(long, value_name = "FILE")]
    pub secrets_file: Option<PathBuf>,
    /// Take bindings of the current version in place of those that are not known
    #[arg(long)]
    pub accept_inexact: bool,
}

impl RedeployArguments {
    /// The secrets of the file; none without a file.
    ///
    /// # Errors
    /// If the file is not an object of texts.
    pub fn secrets(&self) -> Result<BTreeMap<String, SecretString>, Failure> {
        match &self.secrets_file {
            Some(file) => read_secrets(file),
            None => Ok(BTreeMap::new()),
        }
    }

    /// The value of the parameter `confirm`.
    pub fn confirm(&self) -> Option<String> {
        self.accept_inexact.then(|| "inexact".to_owned())
    }
}

fn read_secrets(file: &Path) -> Result<BTreeMap<String, SecretString>, Failure> {
    let text = fs::read_to_string(file).map_err(|error| {
        Failure::usage(
            format!("{} cannot be read: {error}", file.display()),
            "Correct --secrets-file.",
        )
    })?;
    // The error of the parser could quote a secret.
    serde_json::from_str(&text).map_err(|error| {
        Failure::usage(
            format!(
                "{} has no JSON object of texts, see line {}",
                file.display(),
                error.line()
            ),
            "Write {\"NAME\": \"value\"}.",
        )
    })
}
