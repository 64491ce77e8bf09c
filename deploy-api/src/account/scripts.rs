use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::AccountWorkerName;
use super::reading::{items, text, texts};
use crate::problem::Problem;
use crate::services::Services;
use crate::upstream::{Method, call, script};

/// An account Worker in the list of all.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "ListedAccountWorker")]
pub struct ListedWorker {
    /// Its name.
    pub name: String,
    /// Cloudflare's digest of the script; null if it returned none.
    pub etag: Option<String>,
    /// The handlers of its default export, such as `fetch`; null if Cloudflare returned none.
    pub handlers: Option<Vec<String>>,
    /// Whether it has static assets, which cannot be read back.
    pub has_assets: bool,
    /// Whether it is in the format of ES modules; otherwise it is a service worker.
    pub has_modules: bool,
    /// The tag of the last migration of its Durable Objects; null if it never had any.
    pub migration_tag: Option<String>,
    /// Its tags.
    pub tags: Vec<String>,
    /// When it was created, as Cloudflare returns it.
    pub created_on: Option<String>,
    /// When it was changed last, as Cloudflare returns it.
    pub modified_on: Option<String>,
    /// What deployed it last, such as `wrangler` or `dash`.
    pub last_deployed_from: Option<String>,
}

impl ListedWorker {
    fn read(script: &Value) -> Option<Self> {
        let name = AccountWorkerName::parse(script.get("id")?.as_str()?).ok()?;
        let flag = |member: &str| script.get(member).and_then(Value::as_bool).unwrap_or(false);
        Some(Self {
            name: name.to_string(),
            etag: text(script, "etag"),
            handlers: script
                .get("handlers")
                .is_some_and(Value::is_array)
                .then(|| texts(script.get("handlers"))),
            has_assets: flag("has_assets"),
            has_modules: flag("has_modules"),
            migration_tag: text(script, "migration_tag").filter(|tag| !tag.is_empty()),
            tags: texts(script.get("tags")),
            created_on: text(script, "created_on"),
            modified_on: text(script, "modified_on"),
            last_deployed_from: text(script, "last_deployed_from"),
        })
    }
}

/// All account Workers, by name: one call. Cloudflare's list has no pages.
///
/// # Errors
/// `UPSTREAM_…`; `UPSTREAM_CREDENTIAL_REFUSED` if the token may not read scripts, without which there is no inventory.
pub async fn scripts(services: &impl Services) -> Result<Vec<ListedWorker>, Problem> {
    let request = script::account(Method::Get, &["workers", "scripts"]).for_information();
    let reply = call(services, request)
        .await
        .outcome
        .map_err(|failure| failure.problem)?;
    let mut listed: Vec<ListedWorker> = items(&reply.result)
        .iter()
        .filter_map(ListedWorker::read)
        .collect();
    listed.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(listed)
}
