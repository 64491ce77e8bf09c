//! What there is in the Cloudflare account.

use std::collections::BTreeMap;

use dotdo_names::{ACCOUNT_ID, ACCOUNT_NAME, Environment};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use ureq::http::Method;
use wrangler_config::PlatformWorker;

use super::comparison::{Comparison, compare};
use super::permission::{Permission, missing};
use super::remaining::{self, Routed};
use crate::cloudflare::{Cloudflare, CloudflareError};
use crate::failure::Failure;

/// The secrets that the deploy API cannot work without.
pub const SECRETS: [&str; 3] = ["CLOUDFLARE_API_TOKEN", "CHECKPOINT_KEY", "UPLOAD_KEY"];

/// The secret of the first administrator.
pub const BOOTSTRAP: &str = "BOOTSTRAP_TOKEN";

/// The state of the account, as far as setup changes it.
#[derive(Debug)]
pub struct Account {
    /// The part of `SUBDOMAIN.workers.dev`; `None` if none is registered.
    pub subdomain: Option<String>,
    /// The ids of the platform's dispatch namespaces that exist.
    pub namespaces: BTreeMap<&'static str, String>,
    /// Whether the deploy API's bucket exists.
    pub has_bucket: bool,
    /// The Workers of the platform that exist.
    pub workers: Vec<(PlatformWorker, Deployed)>,
    /// The names of the deploy API's secrets; empty if it does not exist.
    pub secrets: Vec<String>,
}

/// A Worker of the platform in the account.
#[derive(Debug)]
pub struct Deployed {
    /// The binding that differs, or `None`.
    pub difference: Option<String>,
    /// Whether workers.dev serves it.
    pub has_address: bool,
}

#[derive(Deserialize)]
struct Named {
    id: String,
    name: String,
}

#[derive(Deserialize)]
struct Verified {
    status: String,
}

#[derive(Deserialize)]
struct Subdomain {
    subdomain: String,
}

#[derive(Deserialize)]
struct Namespace {
    namespace_id: String,
    namespace_name: String,
}

#[derive(Deserialize)]
struct Settings {
    #[serde(default)]
    bindings: Vec<Map<String, Value>>,
}

#[derive(Deserialize)]
struct Address {
    enabled: bool,
}

#[derive(Deserialize)]
struct Secret {
    name: String,
}

/// A path below the account.
#[must_use]
pub fn path(rest: &str) -> String {
    format!("/accounts/{ACCOUNT_ID}{rest}")
}

/// The path of a Worker of the platform.
#[must_use]
pub fn script(worker: PlatformWorker, rest: &str) -> String {
    path(&format!("/workers/scripts/{}{rest}", worker.script()))
}

impl Account {
    /// Reads the account. `bucket` is the bucket of the deploy API.
    ///
    /// # Errors
    /// If the token is not valid, cannot read everything, or belongs to another account, a product is not subscribed, or a Worker of
    /// another purpose has the name of one of the platform's.
    pub fn read(cloudflare: &Cloudflare, bucket: &str) -> Result<Self, Failure> {
        verify(cloudflare)?;
        check_account(cloudflare)?;
        let mut refused = Refused::default();
        let scripts = refused.note(
            Permission::WorkersScripts,
            cloudflare.get::<Value>(&path("/workers/scripts")),
        )?;
        let buckets = refused.note(Permission::R2, read_bucket(cloudflare, bucket))?;
        check_zones(cloudflare, &remaining::zones(), &mut refused)?;
        refused.into_result()?;
        let (Some(_), Some(has_bucket)) = (scripts, buckets) else {
            return Err(missing(&[]));
        };
        let of_workers = |error: CloudflareError| Permission::WorkersScripts.failure(&error);
        let listed: Vec<Namespace> = cloudflare
            .get(&path("/workers/dispatch/namespaces"))
            .map_err(of_workers)?;
        let namespaces = Environment::ALL
            .iter()
            .filter_map(|environment| {
                let found = listed
                    .iter()
                    .find(|listed| listed.namespace_name == environment.namespace())?;
                Some((environment.namespace(), found.namespace_id.clone()))
            })
            .collect();
        let subdomain = match cloudflare.get::<Subdomain>(&path("/workers/subdomain")) {
            Ok(found) => Some(found.subdomain),
            Err(error) if error.is_not_found() => None,
            Err(error) => return Err(of_workers(error)),
        };
        let mut workers = Vec::new();
        for worker in PlatformWorker::ALL {
            if let Some(deployed) = read_worker(cloudflare, worker, bucket)? {
                workers.push((worker, deployed));
            }
        }
        let has_api = workers
            .iter()
            .any(|(worker, _)| *worker == PlatformWorker::DeployApi);
        let secrets: Vec<Secret> = if has_api {
            cloudflare
                .get(&script(PlatformWorker::DeployApi, "/secrets"))
                .map_err(of_workers)?
        } else {
            Vec::new()
        };
        Ok(Self {
            subdomain,
            namespaces,
            has_bucket,
            workers,
            secrets: secrets.into_iter().map(|secret| secret.name).collect(),
        })
    }

    /// A Worker of the platform, if it is deployed.
    #[must_use]
    pub fn worker(&self, worker: PlatformWorker) -> Option<&Deployed> {
        self.workers
            .iter()
            .find(|(found, _)| *found == worker)
            .map(|(_, deployed)| deployed)
    }
}

/// Creates a dispatch namespace, and returns its id.
///
/// # Errors
/// The refusal of Cloudflare.
pub fn create_namespace(cloudflare: &Cloudflare, environment: Environment) -> Result<String, Failure> {
    let body = json!({ "name": environment.namespace() });
    cloudflare
        .send::<Namespace>(Method::POST, &path("/workers/dispatch/namespaces"), &body)
        .map(|created| created.namespace_id)
        .map_err(|error| Permission::WorkersScripts.failure(&error))
}

/// Creates a bucket.
///
/// # Errors
/// The refusal of Cloudflare.
pub fn create_bucket(cloudflare: &Cloudflare, bucket: &str) -> Result<(), Failure> {
    cloudflare
        .send::<Value>(Method::POST, &path("/r2/buckets"), &json!({ "name": bucket }))
        .map(|_| ())
        .map_err(|error| Permission::R2.failure(&error))
}

/// Registers the subdomain of workers.dev.
///
/// # Errors
/// The refusal of Cloudflare, for example because another account has it.
pub fn register_subdomain(cloudflare: &Cloudflare, subdomain: &str) -> Result<(), Failure> {
    cloudflare
        .send::<Value>(
            Method::PUT,
            &path("/workers/subdomain"),
            &json!({ "subdomain": subdomain }),
        )
        .map(|_| ())
        .map_err(|error| Permission::WorkersScripts.failure(&error))
}

/// Calls whose permission is missing, so that one failure lists all.
#[derive(Default)]
struct Refused(Vec<(Permission, String)>);

impl Refused {
    /// The result of a call; `None` if its permission is missing.
    fn note<T>(
        &mut self,
        permission: Permission,
        result: Result<T, CloudflareError>,
    ) -> Result<Option<T>, Failure> {
        match result {
            Ok(value) => Ok(Some(value)),
            Err(error) if error.is_permission_missing() => {
                if self.0.iter().all(|(noted, _)| *noted != permission) {
                    self.0.push((permission, error.to_string()));
                }
                Ok(None)
            }
            Err(error) => Err(permission.failure(&error)),
        }
    }

    fn into_result(self) -> Result<(), Failure> {
        if self.0.is_empty() {
            Ok(())
        } else {
            Err(missing(&self.0))
        }
    }
}

/// Checks that the token is valid. Tokens of a user and tokens of an account have different calls for that.
fn verify(cloudflare: &Cloudflare) -> Result<(), Failure> {
    let verified = cloudflare
        .get::<Verified>("/user/tokens/verify")
        .or_else(|of_user| {
            cloudflare
                .get::<Verified>(&path("/tokens/verify"))
                .map_err(|_| of_user)
        });
    match verified {
        Ok(verified) if verified.status == "active" => Ok(()),
        Ok(verified) => Err(Failure::usage(
            format!("the token of Cloudflare's API is {}", verified.status),
            "Create another one: https://dash.cloudflare.com/profile/api-tokens.",
        )),
        Err(error) if error.is_token_invalid() || error.is_permission_missing() => Err(Failure::usage(
            format!("Cloudflare does not accept the token: {error}"),
            "Copy it again, or create another one: https://dash.cloudflare.com/profile/api-tokens.",
        )),
        Err(error) => Err(error.failure("Check the network, and type the same command again.")),
    }
}

/// Checks that the token is for the account of `dotdo.jsonc`, if it may list its accounts.
fn check_account(cloudflare: &Cloudflare) -> Result<(), Failure> {
    let accounts: Vec<Named> = cloudflare.list("/accounts").unwrap_or_default();
    if accounts.is_empty() || accounts.iter().any(|account| account.id == ACCOUNT_ID) {
        return Ok(());
    }
    let lines: Vec<String> = accounts
        .iter()
        .map(|account| format!("{} ({})", account.id, account.name))
        .collect();
    let lines = lines.join("\n  ");
    Err(Failure::usage(
        format!(
            "the token is not for the account {ACCOUNT_ID} ({ACCOUNT_NAME}) of dotdo.jsonc, but for:\n  {lines}"
        ),
        "Correct \"account\" in dotdo.jsonc, or use a token of that account. Then type `npm run dotdo -- setup`.",
    ))
}

/// Checks that the zones exist, and notes the permissions that are missing for their routes.
fn check_zones(cloudflare: &Cloudflare, zones: &[Routed<'_>], refused: &mut Refused) -> Result<(), Failure> {
    let mut absent = Vec::new();
    for zone in zones {
        match refused.note(Permission::Zones, remaining::find(cloudflare, zone.name))? {
            Some(Some(found)) => {
                refused.note(Permission::Routes, remaining::routes(cloudflare, &found))?;
            }
            Some(None) => absent.push(zone.name),
            None => {}
        }
    }
    if absent.is_empty() {
        return Ok(());
    }
    Err(Failure::refused(
        format!(
            "the account {ACCOUNT_NAME} has no zone {}, which dotdo.jsonc names",
            absent.join(", ")
        ),
        "Add it in the dashboard, Domains, Onboard a domain. Or remove it from dotdo.jsonc, and type `npm run dotdo -- setup`.",
    ))
}

fn read_bucket(cloudflare: &Cloudflare, bucket: &str) -> Result<bool, CloudflareError> {
    match cloudflare.get::<Value>(&path(&format!("/r2/buckets/{bucket}"))) {
        Ok(_) => Ok(true),
        Err(error) if error.is_not_found() => Ok(false),
        Err(error) => Err(error),
    }
}

fn read_worker(
    cloudflare: &Cloudflare,
    worker: PlatformWorker,
    bucket: &str,
) -> Result<Option<Deployed>, Failure> {
    let of_workers = |error: CloudflareError| Permission::WorkersScripts.failure(&error);
    let settings: Settings = match cloudflare.get(&script(worker, "/settings")) {
        Ok(settings) => settings,
        Err(error) if error.is_not_found() => return Ok(None),
        Err(error) => return Err(of_workers(error)),
    };
    let difference = match compare(worker, &settings.bindings, bucket) {
        Comparison::Same => None,
        Comparison::Differs(binding) => Some(binding),
        Comparison::Foreign => {
            return Err(Failure::refused(
                format!(
                    "the account has a Worker \"{}\", which is not {}",
                    worker.script(),
                    worker.title()
                ),
                format!(
                    "Write another name to \"{}\" in dotdo.jsonc, and type `npm run dotdo -- setup`. Or delete that Worker, if nothing uses it.",
                    worker.name_member()
                ),
            ));
        }
    };
    let address: Address = cloudflare
        .get(&script(worker, "/subdomain"))
        .map_err(of_workers)?;
    Ok(Some(Deployed {
        difference,
        has_address: address.enabled,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cloudflare::scripted::{failure, server, success};

    #[test]
    fn every_missing_permission_of_the_zones_is_named_once() {
        let zones = ["agents.do", "apis.do"].map(|name| Routed {
            name,
            is_custom: false,
        });
        let zone = || success(&json!([{ "id": "z1" }]), &Value::Null);
        let (cloudflare, _) = server(vec![zone(), failure(403, 10000), zone(), failure(403, 10000)]);
        let mut refused = Refused::default();
        check_zones(&cloudflare, &zones, &mut refused).unwrap();
        let failure = refused.into_result().unwrap_err().text();
        assert_eq!(
            failure.matches("Zone, Workers Routes, Edit").count(),
            1,
            "{failure}"
        );
        assert!(failure.contains("api-tokens"), "{failure}");
    }

    #[test]
    fn a_zone_that_the_account_does_not_have_is_named() {
        let zones = [Routed {
            name: "agents.do",
            is_custom: false,
        }];
        let (cloudflare, _) = server(vec![success(&json!([]), &Value::Null)]);
        let failure = check_zones(&cloudflare, &zones, &mut Refused::default()).unwrap_err();
        assert!(failure.text().contains("no zone agents.do"), "{}", failure.text());
    }

    #[test]
    fn the_secrets_are_those_that_the_deploy_api_requires() {
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../deploy-api/wrangler.jsonc");
        let configuration = wrangler_config::read(std::path::Path::new(file)).unwrap();
        assert_eq!(configuration["secrets"]["required"], json!(SECRETS));
    }
}
