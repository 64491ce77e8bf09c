use std::time::Duration;

use anyhow::{Context, Result};
use serde::Deserialize;

use super::Credentials;

/// A dispatch namespace, as the REST API lists it.
#[derive(Deserialize)]
pub struct Namespace {
    /// Its name.
    #[serde(rename = "namespace_name")]
    pub name: String,
    /// The number of its Workers.
    pub script_count: u64,
}

#[derive(Deserialize)]
struct Envelope {
    result: Vec<Namespace>,
}

/// Lists the namespaces of a running platform.
///
/// # Errors
/// When the platform does not respond, or not with a list.
pub fn namespaces(credentials: &Credentials) -> Result<Vec<Namespace>> {
    let Credentials {
        base_url,
        token,
        account,
    } = credentials;
    let text = ureq::get(format!(
        "{base_url}/accounts/{account}/workers/dispatch/namespaces"
    ))
    .header("Authorization", format!("Bearer {token}"))
    .config()
    .timeout_global(Some(Duration::from_secs(30)))
    .build()
    .call()
    .context("the platform does not list its namespaces")?
    .body_mut()
    .read_to_string()?;
    let envelope: Envelope =
        serde_json::from_str(&text).context("the platform's list of namespaces is malformed")?;
    Ok(envelope.result)
}
