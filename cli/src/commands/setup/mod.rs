//! `dotdo setup`: from a token of Cloudflare's API and an empty account to a working platform.
//!
//! Setup reads what there is ([`account`]), lists the changes that are missing ([`plan`]), and makes them one after the other. It keeps
//! no record: a second run reads the account again, so it continues after a failure, and changes nothing if nothing is missing.

mod account;
mod administrator;
mod comparison;
mod deploy;
mod edit;
mod files;
mod permission;
mod plan;
mod remaining;

use std::env;
use std::path::PathBuf;

use clap::Args;
use deploy_api::v1::types::{DispatchWorker, Health, Subject};
use dotdo_names::{ACCOUNT_ID, ACCOUNT_NAME, DEPLOY_API_WORKER};
use secrecy::SecretString;
use serde_json::json;
use wrangler_config::PlatformWorker;

use self::account::{Account, BOOTSTRAP, SECRETS};
use self::administrator::{Administrator, Created};
use self::files::Repository;
use self::plan::Change;
use super::policy;
use crate::client::Client;
use crate::cloudflare::{BaseUrl, Cloudflare, TokenArguments};
use crate::confirm::Confirmation;
use crate::credentials::{self, Credentials};
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

/// What all changes need.
struct Setup<'s> {
    session: &'s Session,
    arguments: &'s SetupArguments,
    cloudflare: Cloudflare,
    repository: Repository,
    account: Account,
    /// The token that the deploy API will use.
    deploy_token: Option<SecretString>,
    /// What a person must know, besides the changes.
    notes: Vec<String>,
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
    let account = progress::during("reading the account", || Account::read(&cloudflare, &bucket))?;
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

impl Setup<'_> {
    /// Makes the changes, and shows what remains.
    fn finish(
        mut self,
        changes: &[Change],
        administrator: Option<Administrator>,
        api: &str,
    ) -> Result<Exit, Failure> {
        let is_dry_run = self.arguments.dry_run;
        let mut known = match administrator {
            Some(Administrator::Known(credentials)) => Some(credentials),
            _ => None,
        };
        if !is_dry_run && !changes.is_empty() {
            Confirmation::of_platform(self.arguments.yes)
                .ask(&format!("Make these changes in the account {ACCOUNT_NAME}?"))?;
            let _lock = self.repository.lock()?;
            for change in changes {
                let made = self.make(change, api)?;
                known = made.or(known);
                if !self.session.output.is_json() {
                    self.session.output.line(format!("Done: {}", change.title()))?;
                }
            }
        }
        let remaining = self.remaining()?;
        if !is_dry_run && let Some(credentials) = &known {
            check_health(credentials, !changes.is_empty())?;
        }
        let json = json!({
            "account": ACCOUNT_ID, "api": api, "dry_run": is_dry_run, "changes": changes, "notes": self.notes, "remaining": remaining,
        });
        self.session.output.either(&json, |output| {
            if is_dry_run {
                return output.line("Nothing was changed (--dry-run).");
            }
            for note in &self.notes {
                output.line(note)?;
            }
            if known.is_some() {
                output.line(format!("The platform answers at {api}."))?;
            }
            if !remaining.is_empty() {
                output.line("\nTo do by hand:")?;
                for step in &remaining {
                    output.line(format!("  {step}"))?;
                }
            }
            output.line(
                if changes.iter().any(|change| matches!(change, Change::WriteFile(..))) {
                    "\nNext: commit the files that changed, and type `dotdo doctor`, which checks everything. docs/deploy-api.md continues with the \
                     first deploy."
                } else {
                    "\nNext: `dotdo doctor` checks everything. docs/deploy-api.md continues with the first deploy."
                },
            )
        })?;
        Ok(Exit::Success)
    }

    /// Makes a change. Returns the credentials that it created.
    fn make(&mut self, change: &Change, api: &str) -> Result<Option<Credentials>, Failure> {
        let Self {
            cloudflare,
            repository,
            account,
            ..
        } = self;
        let what = &change.title();
        match change {
            Change::RegisterSubdomain(name) => {
                progress::during(what, || account::register_subdomain(cloudflare, name))?;
            }
            Change::CreateNamespace(environment) => {
                let id = progress::during(what, || account::create_namespace(cloudflare, *environment))?;
                account.namespaces.insert(environment.namespace(), id);
            }
            Change::CreateBucket(name) => {
                progress::during(what, || account::create_bucket(cloudflare, name))?;
            }
            Change::WriteFile(file, _) => repository.write(file, &account.namespaces)?,
            Change::Deploy(worker, why) => {
                let is_new_api = *worker == PlatformWorker::DeployApi && why.is_none();
                let secrets = if is_new_api { self.secrets()? } else { Vec::new() };
                progress::during(what, || {
                    deploy::deploy(self.repository.root(), &self.cloudflare, *worker, &secrets)
                })?;
            }
            Change::SetSecret(name) => {
                let value = self.secret(name)?;
                progress::during(what, || deploy::set_secret(&self.cloudflare, name, &value))?;
            }
            Change::CreateAdministrator(_) => return self.create_administrator(what, api),
            Change::RemoveBootstrap => {
                progress::during(what, || deploy::remove_secret(cloudflare, BOOTSTRAP))?;
            }
        }
        Ok(None)
    }

    fn create_administrator(&mut self, what: &str, api: &str) -> Result<Option<Credentials>, Failure> {
        let subject = match &self.arguments.administrator {
            Some(subject) => subject.clone(),
            None => user()?,
        };
        if let Some(other) = credentials::stored(&credentials::stored_file()?)?
            && other.api != api
        {
            Confirmation::of_platform(self.arguments.yes).ask(&format!(
                "Replace the credentials of {} that `dotdo login` stored on this machine?",
                other.api
            ))?;
        }
        let created = progress::during(what, || administrator::create(&self.cloudflare, api, &subject))?;
        match created {
            Created::Token(credentials, warnings) => {
                self.notes.push(format!(
                    "{subject} administers the platform. The token is stored in {}.",
                    credentials::stored_file()?.display()
                ));
                self.notes
                    .extend(warnings.into_iter().map(|warning| format!("Warning: {warning}")));
                Ok(Some(credentials))
            }
            Created::Existing(token) => {
                self.notes.push(format!(
                    "Somebody administers the platform already, with the token {token}: no policy and no token were created. With a token \
                     that they give you, type `dotdo login {api}`."
                ));
                Ok(None)
            }
        }
    }

    /// The secrets of a new deploy API.
    fn secrets(&mut self) -> Result<Vec<(&'static str, SecretString)>, Failure> {
        SECRETS
            .into_iter()
            .map(|name| Ok((name, self.secret(name)?)))
            .collect()
    }

    /// The value of a secret: the token, or a random one.
    fn secret(&mut self, name: &str) -> Result<SecretString, Failure> {
        if name != "CLOUDFLARE_API_TOKEN" {
            return deploy::random();
        }
        if let Some(token) = &self.deploy_token {
            return Ok(token.clone());
        }
        self.notes.push(
            "The deploy API uses the token of this command, which may do more than it needs. Create one with only \"Account, Workers Scripts, \
             Edit\", and type `npx wrangler secret put CLOUDFLARE_API_TOKEN -c deploy-api/wrangler.jsonc`."
                .to_owned(),
        );
        Ok(self.cloudflare.token().clone())
    }

    fn remaining(&self) -> Result<Vec<String>, Failure> {
        let zones = remaining::zones();
        if zones.is_empty() {
            return Ok(vec![
                "Write your domains to \"zones\" in dotdo.jsonc, and type `npm run dotdo -- setup` again: until then, no host leads to the \
                 dispatch Worker."
                    .to_owned(),
            ]);
        }
        progress::during("reading the zones", || {
            let mut steps = Vec::new();
            for zone in zones {
                steps.extend(remaining::of_zone(&self.cloudflare, zone)?);
            }
            Ok(steps)
        })
    }
}

/// The user of this machine as the subject of a token.
fn user() -> Result<Subject, Failure> {
    let name = env::var("USER").unwrap_or_default();
    Subject::parse(&name).map_err(|error| {
        Failure::usage(
            format!("the user of this machine, {name:?}, cannot be the first administrator: {error}"),
            "Add --administrator NAME.",
        )
    })
}

/// Checks that the deploy API and the dispatch Worker answer. After changes, it waits until they do.
fn check_health(credentials: &Credentials, is_changed: bool) -> Result<(), Failure> {
    let client = Client::new(credentials);
    let check = || {
        client.get::<Health>("/v1/health")?;
        client.get::<DispatchWorker>("/v1/dispatcher")?;
        Ok(())
    };
    progress::during("checking the platform", || {
        if is_changed {
            administrator::propagated(|_| false, check)
        } else {
            check()
        }
    })
}
