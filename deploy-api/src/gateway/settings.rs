//! The settings of a Worker, which wrangler reads before a deploy and for `wrangler secret bulk`.

use dotdo_names::WorkerName;
use serde_json::{Map, Value, json};

use super::response::Reply;
use super::worker_target::{Alternative, Found, find};
use super::{Absent, Envelope};
use crate::audit;
use crate::deploys::{Gateway, remote_settings, without_own};
use crate::identity::ShownCredential;
use crate::ledger::LedgerClient;
use crate::policy::{self, Action};
use crate::problem::Problem;
use crate::services::Services;
use crate::target::Target;
use crate::upload::redacted;

/// The members of the settings that are returned. A new member of Cloudflare's response may contain a secret.
const SHOWN: [&str; 14] = [
    "annotations",
    "bindings",
    "compatibility_date",
    "compatibility_flags",
    "limits",
    "logpush",
    "migration_tag",
    "observability",
    "placement",
    "placement_mode",
    "streaming_tail_consumers",
    "tags",
    "tail_consumers",
    "usage_model",
];

/// The call that returns a Worker and its deployment.
const READ: Alternative<'_> = Alternative {
    method: "GET",
    below: "deployments",
    body: None,
};

/// The settings of the Worker of a call that does not name a namespace. wrangler inherits a binding without an id if they contain a
/// binding of this name and type. An ambiguous Worker is an error: wrangler ignores it during a deploy, but `wrangler secret bulk`
/// would create a Worker of the account if the response said that there is none.
///
/// # Errors
/// `NAMESPACE_AMBIGUOUS`; `PERMISSION_DENIED`; `UPSTREAM_…`.
pub(super) async fn of_worker<L: LedgerClient, O: Services>(
    gateway: &Gateway<'_, L, O>,
    credential: &ShownCredential,
    worker: &WorkerName,
) -> Result<Reply, Problem> {
    let target = match find(gateway, credential, worker, READ).await? {
        Found::One(target) => target,
        Found::None(Reply::Unclear(problem)) => return Err(problem),
        Found::None(reply) => return Ok(reply),
    };
    authorize(gateway, credential, &target).await?;
    let settings = read(gateway, &target).await?;
    Ok(settings.map_or(Reply::Absent(Absent::AccountScript), |settings| {
        Reply::Success(Envelope::of(Value::Object(settings)))
    }))
}

/// Allows a look-up to a caller who may deploy the Worker or read it.
pub(super) async fn authorize<L: LedgerClient, O: Services>(
    gateway: &Gateway<'_, L, O>,
    credential: &ShownCredential,
    target: &Target,
) -> Result<(), Problem> {
    let requests = [Action::Deploy, Action::Read]
        .map(|action| policy::Request::worker(action, target.clone()))
        .to_vec();
    gateway
        .authorize_for(credential, requests, audit::Action::Read, target)
        .await
        .map(drop)
}

/// Allows a caller to change the secrets of a Worker, before the change begins.
pub(super) async fn authorize_secrets<L: LedgerClient, O: Services>(
    gateway: &Gateway<'_, L, O>,
    credential: &ShownCredential,
    target: &Target,
) -> Result<(), Problem> {
    let secrets = policy::Request::worker(Action::Secrets, target.clone());
    gateway
        .authorize_for(credential, vec![secrets], audit::Action::SecretsBulk, target)
        .await
        .map(drop)
}

/// The settings of a Worker without the values of secrets and without the tag that names the deployment; `None` if the upstream has no
/// such Worker.
///
/// # Errors
/// `UPSTREAM_…`.
pub(super) async fn read<L: LedgerClient, O: Services>(
    gateway: &Gateway<'_, L, O>,
    target: &Target,
) -> Result<Option<Map<String, Value>>, Problem> {
    let remote = remote_settings(gateway.services, target)
        .await
        .map_err(|failure| failure.problem)?;
    Ok(remote.map(shown))
}

fn shown(remote: Map<String, Value>) -> Map<String, Value> {
    let mut settings: Map<String, Value> = remote
        .into_iter()
        .filter(|(name, _)| SHOWN.contains(&name.as_str()))
        .collect();
    // wrangler reads this list without a check.
    let bindings = settings.entry("bindings").or_insert_with(|| json!([]));
    for binding in bindings.as_array_mut().into_iter().flatten() {
        *binding = redacted(binding);
    }
    if let Some(tags) = settings.get_mut("tags") {
        let all: Vec<String> = serde_json::from_value(tags.take()).unwrap_or_default();
        *tags = json!(without_own(all));
    }
    settings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_known_members_and_no_secrets_are_shown() {
        let remote = json!({
            "bindings": [
                { "type": "secret_text", "name": "KEY", "text": "marker" },
                { "type": "kv_namespace", "name": "KV", "namespace_id": "k1" }
            ],
            "tags": ["a", "dotdo-deployment-0190f5c0-0000-7000-8000-000000000000"],
            "compatibility_date": "2026-01-01",
            "future": "marker"
        });
        let Value::Object(remote) = remote else {
            unreachable!()
        };
        assert_eq!(
            Value::Object(shown(remote)),
            json!({
                "bindings": [
                    { "type": "secret_text", "name": "KEY" },
                    { "type": "kv_namespace", "name": "KV", "namespace_id": "k1" }
                ],
                "tags": ["a"],
                "compatibility_date": "2026-01-01"
            })
        );
        assert_eq!(Value::Object(shown(Map::new())), json!({ "bindings": [] }));
    }
}
