//! What setup creates in the account besides Workers.

use dotdo_names::Environment;
use serde::Deserialize;
use serde_json::{Value, json};
use ureq::http::Method;

use super::account::path;
use super::permission::Permission;
use crate::cloudflare::Cloudflare;
use crate::failure::Failure;

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
