//! The changes that lead from the account as it is to a working platform, in their order.

use std::fmt;

use dotdo_names::Environment;
use serde::{Serialize, Serializer};
use serde_json::json;
use wrangler_config::PlatformWorker;

use super::account::{Account, BOOTSTRAP, SECRETS};
use super::administrator::Administrator;
use super::files::Repository;
use crate::failure::Failure;

/// A change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// Register the subdomain of workers.dev.
    RegisterSubdomain(String),
    /// Create a dispatch namespace.
    CreateNamespace(Environment),
    /// Create the bucket of the deploy API.
    CreateBucket(String),
    /// Write these places of a file of the repository.
    WriteFile(&'static str, Vec<String>),
    /// Deploy a Worker; with the reason, if it is deployed already.
    Deploy(PlatformWorker, Option<String>),
    /// Set a secret of the deploy API, which is deployed without it.
    SetSecret(&'static str),
    /// Create the policy and the token; with the reason, if there may be some already.
    CreateAdministrator(Option<&'static str>),
    /// Remove the bootstrap secret that an earlier run left.
    RemoveBootstrap,
}

impl Change {
    /// What it does, in a line without details.
    #[must_use]
    pub fn title(&self) -> String {
        match self {
            Self::WriteFile(file, _) => format!("write {file}"),
            Self::Deploy(worker, _) => format!("deploy {}", worker.title()),
            Self::CreateAdministrator(_) => "create the first administrator".to_owned(),
            other => other.to_string(),
        }
    }

    /// The name for programs.
    const fn name(&self) -> &'static str {
        match self {
            Self::RegisterSubdomain(_) => "register_subdomain",
            Self::CreateNamespace(_) => "create_namespace",
            Self::CreateBucket(_) => "create_bucket",
            Self::WriteFile(..) => "write_file",
            Self::Deploy(..) => "deploy",
            Self::SetSecret(_) => "set_secret",
            Self::CreateAdministrator(_) => "create_administrator",
            Self::RemoveBootstrap => "remove_secret",
        }
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::RegisterSubdomain(name) => write!(f, "register the subdomain {name}.workers.dev"),
            Self::CreateNamespace(environment) => {
                write!(f, "create the dispatch namespace {}", environment.namespace())
            }
            Self::CreateBucket(name) => write!(f, "create the R2 bucket {name}"),
            Self::WriteFile(file, places) => {
                write!(f, "write to {file}:")?;
                places.iter().try_for_each(|place| write!(f, "\n    {place}"))
            }
            Self::Deploy(worker, None) => {
                write!(
                    f,
                    "build and deploy {}, the Worker {}",
                    worker.title(),
                    worker.script()
                )?;
                match worker {
                    PlatformWorker::DeployApi => write!(f, ", with the secrets {}", SECRETS.join(", ")),
                    _ => Ok(()),
                }
            }
            Self::Deploy(worker, Some(why)) => {
                write!(
                    f,
                    "deploy {} again, the Worker {}: {why}",
                    worker.title(),
                    worker.script()
                )
            }
            Self::SetSecret(name) => write!(f, "set the secret {name} of the deploy API, which is missing"),
            Self::CreateAdministrator(why) => {
                f.write_str(
                    "create the first policy and the first token, and store the token for this user as `dotdo login` does",
                )?;
                match why {
                    None => Ok(()),
                    Some(why) => write!(f, "; only if there is none: {why}"),
                }
            }
            Self::RemoveBootstrap => {
                write!(
                    f,
                    "remove the secret {BOOTSTRAP} of the deploy API, which an earlier run left"
                )
            }
        }
    }
}

impl Serialize for Change {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        json!({ "change": self.name(), "detail": self.to_string() }).serialize(serializer)
    }
}

/// The changes that are needed. `subdomain` is the one to register if there is none, and `administrator` is `None` if the deploy API is
/// not deployed.
///
/// # Errors
/// If a file of the clone cannot be read, or no subdomain is given although one is needed.
pub fn changes(
    account: &Account,
    repository: &Repository,
    bucket: &str,
    subdomain: Option<&str>,
    administrator: Option<&Administrator>,
) -> Result<Vec<Change>, Failure> {
    let mut changes = Vec::new();
    if account.subdomain.is_none() {
        let name = subdomain.ok_or_else(|| {
            Failure::usage(
                "the account has no subdomain of workers.dev, at which the deploy API is reached",
                "Choose a name that nobody else has, and add --subdomain NAME.",
            )
        })?;
        changes.push(Change::RegisterSubdomain(name.to_owned()));
    }
    changes.extend(
        Environment::ALL
            .into_iter()
            .filter(|environment| !account.namespaces.contains_key(environment.namespace()))
            .map(Change::CreateNamespace),
    );
    if !account.has_bucket {
        changes.push(Change::CreateBucket(bucket.to_owned()));
    }
    let differences = repository.differences(&account.namespaces)?;
    let routes_differ = differences
        .get(PlatformWorker::Dispatch.configuration())
        .is_some_and(|places| places.iter().any(|place| place.starts_with("routes")));
    changes.extend(
        differences
            .into_iter()
            .map(|(file, places)| Change::WriteFile(file, places)),
    );
    for worker in PlatformWorker::ALL {
        match account.worker(worker) {
            None => changes.push(Change::Deploy(worker, None)),
            Some(deployed) => {
                let why = if let Some(binding) = &deployed.difference {
                    Some(format!("its binding {binding} differs"))
                } else if !deployed.has_address && repository.has_address(worker)? {
                    Some("it has no address at workers.dev".to_owned())
                } else if routes_differ && worker == PlatformWorker::Dispatch {
                    Some("its routes differ".to_owned())
                } else {
                    None
                };
                changes.extend(why.map(|why| Change::Deploy(worker, Some(why))));
            }
        }
    }
    if account.worker(PlatformWorker::DeployApi).is_some() {
        let is_set = |name: &str| account.secrets.iter().any(|set| set == name);
        changes.extend(
            SECRETS
                .into_iter()
                .filter(|name| !is_set(name))
                .map(Change::SetSecret),
        );
    }
    match administrator {
        None => changes.push(Change::CreateAdministrator(None)),
        Some(Administrator::Unknown(why)) => changes.push(Change::CreateAdministrator(Some(why))),
        Some(Administrator::Known(_)) if account.secrets.iter().any(|name| name == BOOTSTRAP) => {
            changes.push(Change::RemoveBootstrap);
        }
        Some(Administrator::Known(_)) => {}
    }
    Ok(changes)
}
