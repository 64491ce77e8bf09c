//! What there is in the Cloudflare account.

use std::collections::BTreeMap;

use dotdo_names::Environment;
use serde::Deserialize;
use serde_json::{Map, Value};
use wrangler_config::PlatformWorker;

use super::comparison::{Comparison, compare};
use super::permission::{Permission, missing};
use super::remaining::Routed;
use super::resources::{Namespace, path, script};
use super::token::{Refused, check_account, check_zones, verify};
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
struct Subdomain {
    subdomain: String,
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

impl Account {
    /// Reads the account. `bucket` is the bucket of the deploy API, and `zones` are those of `dotdo.jsonc`.
    ///
    /// # Errors
    /// If the token is not valid, cannot read everything, or belongs to another account, a product is not subscribed, or a Worker of
    /// another purpose has the name of one of the platform's.
    pub fn read(cloudflare: &Cloudflare, bucket: &str, zones: &[Routed<'_>]) -> Result<Self, Failure> {
        verify(cloudflare)?;
        check_account(cloudflare)?;
        let mut refused = Refused::default();
        let scripts = refused.note(
            Permission::WorkersScripts,
            cloudflare.get::<Value>(&path("/workers/scripts")),
        )?;
        let buckets = refused.note(Permission::R2, read_bucket(cloudflare, bucket))?;
        check_zones(cloudflare, zones, &mut refused)?;
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
    use serde_json::json;

    use super::*;

    #[test]
    fn the_secrets_are_those_that_the_deploy_api_requires() {
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../deploy-api/wrangler.jsonc");
        let configuration = wrangler_config::read(std::path::Path::new(file)).unwrap();
        assert_eq!(configuration["secrets"]["required"], json!(SECRETS));
    }
}
