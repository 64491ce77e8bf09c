//! Makes the changes one after the other, and reports what remains.

use std::env;

use deploy_api::v1::types::{DispatchWorker, Health, Subject};
use dotdo_names::{ACCOUNT_ID, ACCOUNT_NAME};
use secrecy::SecretString;
use serde_json::json;
use wrangler_config::PlatformWorker;

use super::account::{Account, BOOTSTRAP, SECRETS};
use super::administrator::{self, Administrator, Created};
use super::files::Repository;
use super::keys::Keys;
use super::plan::Change;
use super::{SetupArguments, deploy, remaining, resources};
use crate::client::Client;
use crate::cloudflare::Cloudflare;
use crate::confirm::Confirmation;
use crate::credentials::{self, Credentials};
use crate::failure::{Exit, Failure};
use crate::progress;
use crate::session::Session;

/// What all changes need.
pub struct Setup<'s> {
    /// The output.
    pub session: &'s Session,
    /// The command line.
    pub arguments: &'s SetupArguments,
    /// The client with the token of this command.
    pub cloudflare: Cloudflare,
    /// The clone.
    pub repository: Repository,
    /// What there is.
    pub account: Account,
    /// The token that the deploy API will use.
    pub deploy_token: Option<SecretString>,
    /// The generated secrets of the deploy API.
    pub keys: Keys,
    /// What a person must know, besides the changes.
    pub notes: Vec<String>,
}

impl Setup<'_> {
    /// Makes the changes, and shows what remains.
    ///
    /// # Errors
    /// If a change fails, or the platform does not answer afterwards.
    pub fn finish(
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
        if !is_dry_run {
            self.keys.forget()?;
        }
        let json = json!({
            "account": ACCOUNT_ID, "api": api, "dry_run": is_dry_run, "changes": changes, "notes": self.notes, "remaining": remaining,
        });
        self.session.output.either(&json, |output| {
            for note in &self.notes {
                output.line(note)?;
            }
            if known.is_some() && !is_dry_run {
                output.line(format!("The platform answers at {api}."))?;
            }
            if !remaining.is_empty() {
                output.line("\nTo do by hand:")?;
                for step in &remaining {
                    output.line(format!("  {step}"))?;
                }
            }
            if is_dry_run {
                return output.line("Nothing was changed (--dry-run).");
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
                progress::during(what, || resources::register_subdomain(cloudflare, name))?;
            }
            Change::CreateNamespace(environment) => {
                let id = progress::during(what, || resources::create_namespace(cloudflare, *environment))?;
                account.namespaces.insert(environment.namespace(), id);
            }
            Change::CreateBucket(name) => {
                progress::during(what, || resources::create_bucket(cloudflare, name))?;
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

    /// The value of a secret: the token, or a generated key.
    fn secret(&mut self, name: &str) -> Result<SecretString, Failure> {
        if name != "CLOUDFLARE_API_TOKEN" {
            return self.keys.get(name);
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
        let zones = remaining::zones(self.repository.zones());
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
