//! `dotdo setup`: from a token of Cloudflare's API and an empty account to a working platform.
//!
//! Setup checks the [`token`], reads what there is ([`account`], [`files`]), lists the changes that are missing ([`plan`]), and makes them
//! one after the other ([`execution`]). It keeps no record except its [`keys`] until it is through: a second run reads the account again,
//! so it continues after a failure, and changes nothing if nothing is missing.

mod account;
mod administrator;
mod comparison;
mod deploy;
mod edit;
mod execution;
mod files;
mod keys;
mod permission;
mod plan;
mod remaining;
mod resources;
mod token;

use std::path::PathBuf;

use clap::Args;
use deploy_api::v1::types::Subject;
use dotdo_names::{ACCOUNT_ID, ACCOUNT_NAME, DEPLOY_API_WORKER};
use wrangler_config::PlatformWorker;

use self::account::Account;
use self::execution::Setup;
use self::files::Repository;
use self::keys::Keys;
use self::plan::Change;
use super::policy;
use crate::cloudflare::{BaseUrl, Cloudflare, TokenArguments};
use crate::credentials;
use crate::failure::{Exit, Failure};
use crate::progress;
use crate::session::Session;

/// The arguments of `dotdo setup`.
#[derive(Args, Debug)]
#[command(after_help = "\
The token needs the permissions \"Account, Workers Scripts, Edit\" and \"Account, Workers R2 Storage, Edit\", and for the zones of \
dotdo.jsonc also \"Zone, Zone, Read\", \"Zone, Workers Routes, Edit\" and \"Zone, DNS, Read\". The account needs Workers for Platforms and R2.

Nothing is deleted, and no secret is replaced, except the temporary BOOTSTRAP_TOKEN of the deploy API. After a failure, the same command \
continues with what is missing.

JSON: {\"account\", \"api\", \"dry_run\", \"changes\": [{\"change\", \"detail\"}], \"notes\", \"remaining\"}; the changes are those that were made, or with \
--dry-run those that would be. The exit code is 1 if Cloudflare refuses a change.")]
pub struct SetupArguments {
    #[command(flatten)]
    token: TokenArguments,
    /// A file with the token that the deploy API will use; default: the token of this command
    #[arg(long, value_name = "FILE")]
    deploy_token_file: Option<PathBuf>,
    /// The subdomain of workers.dev to register, if the account has none
    #[arg(long, value_name = "NAME", value_parser = subdomain)]
    subdomain: Option<String>,
    /// The address of the deploy API, if it has another one than at workers.dev
    #[arg(long, value_name = "URL")]
    api: Option<String>,
    /// The person for whom the first policy and the first token are created; default: the user of this machine
    #[arg(long, value_name = "SUBJECT", value_parser = policy::subject)]
    administrator: Option<Subject>,
    /// Show what would change, and change nothing
    #[arg(long)]
    dry_run: bool,
    /// Do not ask
    #[arg(long, short)]
    yes: bool,
}

/// Parses a subdomain of workers.dev.
fn subdomain(text: &str) -> Result<String, String> {
    let is_valid = (1..=63).contains(&text.len())
        && !text.starts_with('-')
        && !text.ends_with('-')
        && text
            .bytes()
            .all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-'));
    if is_valid {
        Ok(text.to_owned())
    } else {
        Err("write 1 to 63 of a-z, 0-9 and '-', without '-' at either end".to_owned())
    }
}

/// Sets the platform up.
pub fn run(arguments: &SetupArguments, session: &Session) -> Result<Exit, Failure> {
    let repository = Repository::find()?;
    let bucket = repository.bucket()?;
    let given_api = arguments.api.as_deref().map(credentials::address).transpose()?;
    let deploy_token = match &arguments.deploy_token_file {
        Some(file) => TokenArguments {
            token_file: Some(file.clone()),
        }
        .given()?,
        None => None,
    };
    let cloudflare = Cloudflare::new(BaseUrl::of_variables()?, arguments.token.find()?);
    let zones = remaining::zones(repository.zones());
    let account = progress::during("reading the account", || {
        Account::read(&cloudflare, &bucket, &zones)
    })?;
    let subdomain = account.subdomain.as_deref().or(arguments.subdomain.as_deref());
    let api = match (given_api, subdomain) {
        (Some(api), _) => Some(api),
        (None, Some(subdomain)) => Some(format!("https://{DEPLOY_API_WORKER}.{subdomain}.workers.dev")),
        (None, None) => None,
    };
    let administrator = match &api {
        Some(api) if account.worker(PlatformWorker::DeployApi).is_some() => {
            Some(progress::during("asking the deploy API", || {
                administrator::find(api)
            })?)
        }
        _ => None,
    };
    let changes = plan::changes(&account, &repository, &bucket, subdomain, administrator.as_ref())?;
    let api = api.unwrap_or_default();
    show_plan(session, &changes)?;
    let setup = Setup {
        session,
        arguments,
        cloudflare,
        repository,
        account,
        deploy_token,
        keys: Keys::open(&keys::file()?)?,
        notes: Vec::new(),
    };
    setup.finish(&changes, administrator, &api)
}

fn show_plan(session: &Session, changes: &[Change]) -> Result<(), Failure> {
    if session.output.is_json() {
        return Ok(());
    }
    session
        .output
        .line(format!("Account {ACCOUNT_NAME} ({ACCOUNT_ID})"))?;
    if changes.is_empty() {
        return session
            .output
            .line("Everything is in place: nothing was changed.");
    }
    session.output.line("Missing:")?;
    changes
        .iter()
        .try_for_each(|change| session.output.line(format!("  {change}")))
}
