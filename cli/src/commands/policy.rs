//! `dotdo policy`: the policy is a file in version control.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, Subcommand, ValueEnum};
use deploy_api::v1::types::{
    Action, ChangeSentences, ExplainRequest, Explained, ExplainedIdentity, ExplanationLines, PolicyChange,
    PolicyVersion, Subject,
};
use dotdo_names::{Namespace, WorkerName};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value as Json, json};
use ureq::http::Method;

use crate::arguments;
use crate::client::{Answer, Client, with_parameters};
use crate::confirm::Confirmation;
use crate::failure::{Exit, Failure};
use crate::output::Output;
use crate::progress;
use crate::session::Session;
use crate::table::Table;
use crate::times;

/// A command about the policy.
#[derive(Debug, Subcommand)]
pub enum PolicyCommand {
    /// Print the policy as it was stored
    #[command(
        after_help = "JSON: the response of GET /v1/policy. Without --json only the document, for a file."
    )]
    Get {
        /// An earlier version
        #[arg(long)]
        version: Option<u64>,
    },
    /// List the versions
    #[command(after_help = "JSON: {\"items\": […]}; the items are those of GET /v1/policy/versions.")]
    Versions,
    /// Show in sentences what a file would allow and forbid
    #[command(after_help = "JSON: the response of PUT /v1/policy?dry_run=true.")]
    Diff {
        /// The policy, JSON
        file: PathBuf,
    },
    /// Replace the policy by a file, after showing the effect and asking
    #[command(after_help = "JSON: the response of PUT /v1/policy.")]
    Apply(ApplyArguments),
    /// Say which rule allows something, or why none does
    #[command(after_help = "JSON: the response of POST /v1/policy/explain. The exit code is 1 for a denial.")]
    Explain(ExplainArguments),
}

/// The arguments of `dotdo policy apply`.
#[derive(Args, Debug)]
pub struct ApplyArguments {
    /// The policy, JSON
    file: PathBuf,
    /// Do not ask
    #[arg(long, short)]
    yes: bool,
    /// Store a policy without an administrator, or one that takes `admin` from you
    #[arg(long)]
    lock_out: bool,
}

/// The arguments of `dotdo policy explain`.
#[derive(Args, Debug)]
pub struct ExplainArguments {
    /// The action
    #[arg(value_parser = action())]
    action: Action,
    /// The Worker; default: the whole namespace
    #[arg(value_parser = arguments::worker_name, requires = "env")]
    worker: Option<WorkerName>,
    /// The environment; default: the whole platform
    #[arg(long, value_name = "ENV", value_parser = arguments::namespace())]
    env: Option<Namespace>,
    /// The subject of an API token; default: you
    #[arg(long, value_parser = subject)]
    subject: Option<Subject>,
    /// A claim of a CI job, such as `repository_id=1001`; default: you. `head_repository` is the fork of a pull request
    #[arg(long = "claim", value_name = "NAME=VALUE", conflicts_with = "subject", value_parser = claim)]
    claims: Vec<(String, String)>,
    /// The service whose claims they are
    #[arg(long, value_name = "SERVICE", default_value = "github", requires = "claims")]
    ci: Service,
}

/// A CI service.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Service {
    /// GitHub Actions
    Github,
    /// GitLab CI
    Gitlab,
    /// Buildkite
    Buildkite,
}

impl Service {
    /// The job of the service that has these claims.
    const fn job(self, claims: BTreeMap<String, String>) -> ExplainedIdentity {
        match self {
            Self::Github => ExplainedIdentity::Github(claims),
            Self::Gitlab => ExplainedIdentity::Gitlab(claims),
            Self::Buildkite => ExplainedIdentity::Buildkite(claims),
        }
    }
}

/// Parses an action of the policy.
pub fn action() -> impl TypedValueParser<Value = Action> {
    PossibleValuesParser::new(Action::ALL.map(Action::name)).try_map(|name| {
        Action::ALL
            .into_iter()
            .find(|action| action.name() == name)
            .ok_or("it is not an action")
    })
}

/// Parses the subject of a token.
///
/// # Errors
/// Why it is not one.
pub fn subject(text: &str) -> Result<Subject, String> {
    Subject::parse(text).map_err(|error| error.to_string())
}

fn claim(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("write NAME=VALUE")?;
    Ok((name.to_owned(), value.to_owned()))
}

/// A stored policy. Its document is not parsed, so that it is printed as it was stored.
#[derive(Deserialize)]
struct Stored<'a> {
    version: u64,
    #[serde(borrow)]
    document: &'a RawValue,
}

/// Runs a command about the policy.
pub fn run(command: &PolicyCommand, session: &Session) -> Result<Exit, Failure> {
    match command {
        PolicyCommand::Get { version } => get(*version, session),
        PolicyCommand::Versions => versions(session),
        PolicyCommand::Diff { file } => diff(file, session),
        PolicyCommand::Apply(arguments) => apply(arguments, session),
        PolicyCommand::Explain(arguments) => explain(arguments, session),
    }
}

fn get(version: Option<u64>, session: &Session) -> Result<Exit, Failure> {
    let client = session.client()?;
    let path = with_parameters(
        "/v1/policy",
        &[("version", version.map(|version| version.to_string()))],
    );
    let text = progress::during("reading the policy", || client.text(&path))?;
    if session.output.is_json() {
        session.output.json(&read::<Json>(&text)?)?;
    } else {
        let stored: Stored<'_> = read(&text)?;
        session.output.line(stored.document.get())?;
    }
    Ok(Exit::Success)
}

fn read<'a, T: Deserialize<'a>>(text: &'a str) -> Result<T, Failure> {
    serde_json::from_str(text).map_err(|error| {
        Failure::unreachable(
            format!("the answer of the deploy API cannot be read: {error}"),
            "Type `dotdo doctor`.",
        )
    })
}

fn versions(session: &Session) -> Result<Exit, Failure> {
    let client = session.client()?;
    let answer: Answer<Vec<PolicyVersion>> = progress::during("listing the versions", || {
        client.items("/v1/policy/versions", &[], None)
    })?;
    session.output.either(&answer.json, |output| {
        let now = Timestamp::now();
        let mut table = Table::new(&["version", "stored", "by", "SHA-256"]);
        for version in &answer.value {
            table.row([
                version.version.to_string().into(),
                times::ago(version.created, now).into(),
                version.created_by.as_str().into(),
                version.sha256.get(..16).unwrap_or_default().into(),
            ]);
        }
        output.table(table)
    })?;
    Ok(Exit::Success)
}

fn diff(file: &Path, session: &Session) -> Result<Exit, Failure> {
    let document = document(file)?;
    let client = session.client()?;
    let answer = preview(&client, &document)?;
    session
        .output
        .either(&answer.json, |output| shown(output, &answer.value))?;
    Ok(Exit::Success)
}

fn document(file: &Path) -> Result<String, Failure> {
    fs::read_to_string(file).map_err(|error| {
        Failure::usage(
            format!("{} cannot be read: {error}", file.display()),
            "Write the current policy to a file: `dotdo policy get > policy.json`.",
        )
    })
}

fn preview(client: &Client, document: &str) -> Result<Answer<PolicyChange<ChangeSentences>>, Failure> {
    let version = active(client)?;
    progress::during("checking the policy", || {
        client.replace("/v1/policy?dry_run=true", document.to_owned(), version)
    })
}

/// The version of the active policy; 0 if there is none.
fn active(client: &Client) -> Result<u64, Failure> {
    match client.text("/v1/policy") {
        Ok(text) => Ok(read::<Stored<'_>>(&text)?.version),
        Err(failure) if failure.is("POLICY_VERSION_UNKNOWN") => Ok(0),
        Err(failure) => Err(failure),
    }
}

fn shown(output: &Output, change: &PolicyChange<ChangeSentences>) -> Result<(), Failure> {
    if !change.changed {
        return output.line(format!("This is the policy, version {}.", change.version));
    }
    let sentences = |title: &str, sentences: &[deploy_api::v1::types::ChangeSentence]| {
        if sentences.is_empty() {
            return Ok(());
        }
        output.line(title)?;
        sentences
            .iter()
            .try_for_each(|change| output.line(format!("  {}", change.sentence)))
    };
    sentences("Newly allowed:", &change.changes.allowed)?;
    sentences("Newly forbidden:", &change.changes.forbidden)?;
    if change.changes.allowed.is_empty() && change.changes.forbidden.is_empty() {
        output.line("The document differs, and nobody may do more or less.")?;
    }
    change
        .warnings
        .iter()
        .try_for_each(|warning| output.line(format!("Warning: {warning}")))
}

fn apply(arguments: &ApplyArguments, session: &Session) -> Result<Exit, Failure> {
    let document = document(&arguments.file)?;
    let client = session.client()?;
    let answer = preview(&client, &document)?;
    if !session.output.is_json() {
        shown(&session.output, &answer.value)?;
    }
    if !answer.value.changed {
        if session.output.is_json() {
            session.output.json(&answer.json)?;
        }
        return Ok(Exit::Success);
    }
    Confirmation::of_platform(arguments.yes).ask(&format!(
        "Replace version {} of the policy?",
        answer.value.version
    ))?;
    let confirm = arguments.lock_out.then(|| "lock_out".to_owned());
    let path = with_parameters("/v1/policy", &[("confirm", confirm)]);
    // Another administrator may have stored a version since the effect was shown.
    let stored: Answer<PolicyChange<ChangeSentences>> = progress::during("storing the policy", || {
        client.replace(&path, document, answer.value.version)
    })
    .map_err(|failure| {
        failure.suggest(
            &["POLICY_LOCKS_OUT"],
            "Add a rule with \"admin\", or --lock-out if that is intended.",
        )
    })?;
    session.output.either(&stored.json, |output| {
        output.line(format!("Stored version {}.", stored.value.version))
    })?;
    Ok(Exit::Success)
}

fn explain(arguments: &ExplainArguments, session: &Session) -> Result<Exit, Failure> {
    let client = session.client()?;
    let of_token = arguments.subject.clone().map(ExplainedIdentity::Token);
    let claims: BTreeMap<String, String> = arguments.claims.iter().cloned().collect();
    let of_job = (!claims.is_empty()).then(|| arguments.ci.job(claims));
    let request = ExplainRequest {
        identity: of_token.or(of_job),
        action: arguments.action,
        namespace: arguments::namespace_name(arguments.env),
        worker: arguments.worker.as_ref().map(ToString::to_string),
    };
    let answer: Answer<Explained<ExplanationLines>> = progress::during("asking the policy", || {
        client.send(&Method::POST, "/v1/policy/explain", &request)
    })?;
    let Explained {
        allowed,
        rule,
        explanation,
        policy_version,
    } = &answer.value;
    session
        .output
        .either(&answer.json, |output| match (rule, explanation) {
            (Some(rule), _) => output.line(format!(
                "Allowed by the rule \"{rule}\" (version {policy_version})."
            )),
            (None, Some(explanation)) => explanation.lines.iter().try_for_each(|line| output.line(line)),
            (None, None) => output.json(&json!({ "allowed": allowed })),
        })?;
    Ok(if *allowed { Exit::Success } else { Exit::Refused })
}
