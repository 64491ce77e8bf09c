//! The calls about the caller and the account, which wrangler makes for `whoami`, `dispatch-namespace list` and before
//! a deploy.

use dotdo_names::{ACCOUNT_ID, ACCOUNT_NAME, Environment};
use serde_json::{Value, json};

use super::Envelope;
use super::query::Parameters;
use super::serve::Reply;
use crate::code::Code;
use crate::deploys::Gateway;
use crate::identity::ShownCredential;
use crate::ledger::{Authorized, LedgerClient};
use crate::policy::Caller;
use crate::problem::Problem;
use crate::services::Services;
use crate::upstream::{Method, call, script};
use crate::v1::namespaces;

/// The token of the request, and until when it is valid.
pub(super) fn verify_token(authorized: &Authorized) -> Reply {
    let token = authorized.caller.token.as_ref();
    Reply::Success(Envelope::of(json!({
        "id": token.map_or("bootstrap".to_owned(), ToString::to_string),
        "status": "active",
        "expires_on": authorized.expires.map(|expires| expires.to_string()),
    })))
}

/// The caller. wrangler prints it as an email address.
pub(super) fn user(caller: &Caller) -> Reply {
    Reply::Success(Envelope::of(user_of(caller)))
}

fn user_of(caller: &Caller) -> Value {
    json!({
        "id": caller.token.as_ref().map_or("bootstrap".to_owned(), ToString::to_string),
        "email": caller.identity.to_string(),
    })
}

/// The one account.
pub(super) fn accounts() -> Reply {
    Reply::Success(Envelope::of(json!([{ "id": ACCOUNT_ID, "name": ACCOUNT_NAME }])).with_info(info(1)))
}

/// The one account, of which the caller is a member.
pub(super) fn memberships(caller: &Caller) -> Reply {
    let account = json!({ "id": ACCOUNT_ID, "name": ACCOUNT_NAME });
    let membership = json!({ "id": "deploy-api", "status": "accepted", "account": account, "roles": [], "user": user_of(caller) });
    Reply::Success(Envelope::of(json!([membership])).with_info(info(1)))
}

fn info(count: usize) -> Value {
    json!({ "page": 1, "per_page": 50, "count": count, "total_count": count, "total_pages": 1 })
}

/// The namespaces that the caller may read something in.
pub(super) async fn namespaces<L: LedgerClient, O: Services>(
    gateway: &Gateway<'_, L, O>,
    credential: &ShownCredential,
) -> Result<Reply, Problem> {
    let visible = namespaces::visible(gateway, credential).await?;
    let described: Vec<Value> = visible
        .into_iter()
        .map(|(environment, described)| {
            described.unwrap_or_else(|| {
                json!({
                    "namespace_id": environment.namespace_id(), "namespace_name": environment.namespace(),
                })
            })
        })
        .collect();
    let count = described.len();
    Ok(Reply::Success(
        Envelope::of(Value::Array(described)).with_info(info(count)),
    ))
}

/// One namespace.
pub(super) async fn namespace<L: LedgerClient, O: Services>(
    gateway: &Gateway<'_, L, O>,
    credential: &ShownCredential,
    environment: Environment,
) -> Result<Reply, Problem> {
    let described = namespaces::described(gateway, credential, environment).await?;
    Ok(Reply::Success(Envelope::of(described)))
}

/// The queue that a binding names, by name and id only; an empty list if the account has no queue of this name.
pub(super) async fn queues<L: LedgerClient, O: Services>(
    gateway: &Gateway<'_, L, O>,
    query: &str,
) -> Result<Reply, Problem> {
    let parameters = Parameters::parse(query)?;
    let name = parameters.get("name").unwrap_or_default();
    let is_name = !name.is_empty()
        && name.len() <= 63
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
    if !is_name {
        return Err(Problem::new(
            Code::ParameterInvalid,
            "Queues are not listed here; only a query by name is supported.",
            "Add the name of the queue to the query.",
        ));
    }
    let request = script::account(Method::Get, &["queues"]).parameter("name", name);
    let reply = call(gateway.services, request)
        .await
        .outcome
        .map_err(|failure| failure.problem)?;
    let found: Vec<Value> = reply
        .result
        .as_array()
        .into_iter()
        .flatten()
        .filter(|queue| queue.get("queue_name").and_then(Value::as_str) == Some(name))
        .map(|queue| json!({ "queue_id": queue.get("queue_id"), "queue_name": name }))
        .collect();
    let count = found.len();
    Ok(Reply::Success(
        Envelope::of(Value::Array(found)).with_info(info(count)),
    ))
}
