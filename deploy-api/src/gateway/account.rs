//! The calls about the caller and the account, which wrangler makes for `whoami`, `dispatch-namespace list` and before
//! a deploy.

use dotdo_names::{ACCOUNT_ID, ACCOUNT_NAME, Environment, Namespace};
use serde_json::{Value, json};

use super::Envelope;
use super::response::Reply;
use crate::deploys::Gateway;
use crate::identity::ShownCredential;
use crate::ledger::{Ask, Authorized, LedgerClient};
use crate::policy::{Action, Caller, Request};
use crate::problem::Problem;
use crate::services::Services;
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

/// The namespaces that the caller may read something in. Who may deploy a Worker of the platform gets all: the dispatch Worker is bound to
/// them, and wrangler tries to create a namespace that is not in the list.
pub(super) async fn namespaces<L: LedgerClient, O: Services>(
    gateway: &Gateway<'_, L, O>,
    credential: &ShownCredential,
) -> Result<Reply, Problem> {
    let mut visible = namespaces::visible(gateway, credential).await?;
    let requests = vec![Request::any_worker(Action::Deploy, Namespace::Account)];
    if gateway
        .authorize(credential, Ask::Which { requests })
        .await?
        .which
        == [true]
    {
        let is_visible = |environment| visible.iter().any(|(visible, _)| *visible == environment);
        let others: Vec<_> = Environment::ALL
            .into_iter()
            .filter(|environment| !is_visible(*environment))
            .map(|environment| (environment, None))
            .collect();
        visible.extend(others);
    }
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
