//! The paths of what the account has, and what setup creates in it besides Workers.

use dotdo_names::{ACCOUNT_ID, Environment};
use serde::Deserialize;
use serde_json::{Value, json};
use ureq::http::Method;
use wrangler_config::PlatformWorker;

use super::permission::Permission;
use crate::cloudflare::Cloudflare;
use crate::failure::Failure;

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

/// A dispatch namespace.
#[derive(Deserialize)]
pub struct Namespace {
    /// Its id, a UUID.
    pub namespace_id: String,
    /// Its name.
    pub namespace_name: String,
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
