//! `/v1/account/…`: the Workers of the account that are in no namespace, for a migration. Every call needs `admin`.

use super::Answer;
use super::page::{Cursors, Page, Parameters, parameter_invalid};
use crate::account::{self, AccountWorkerName};
use crate::audit;
use crate::deploys::Gateway;
use crate::identity::ShownCredential;
use crate::ledger::{Ask, LedgerClient};
use crate::policy::{Action, Request};
use crate::problem::Problem;
use crate::services::Services;

/// The most pages of zones or queues.
const MAX_PAGE: u32 = 1000;

/// `GET /v1/account/workers`: the account Workers, by name. Parameters: `limit`, `cursor`.
///
/// # Errors
/// `PERMISSION_DENIED`, `PARAMETER_INVALID`, `UPSTREAM_…`, `RECORD_UNAVAILABLE`.
pub async fn list<L: LedgerClient, O: Services>(
    gateway: &Gateway<'_, L, O>,
    credential: &ShownCredential,
    parameters: &[(&str, &str)],
) -> Result<Answer, Problem> {
    authorize(gateway, credential).await?;
    let parameters = Parameters::new(parameters, &["limit", "cursor"])?;
    let limit = parameters.limit()?;
    let cursors = Cursors::new(gateway.cursor_key, "account workers");
    let after = parameters
        .cursor(&cursors, |name| Some(name.to_owned()))?
        .unwrap_or_default();
    let all = account::scripts(gateway.services).await?;
    let more = usize::try_from(limit).unwrap_or(usize::MAX).saturating_add(1);
    let rest = all.into_iter().filter(|listed| listed.name > after).take(more);
    let page = Page::of(rest.collect(), limit, &cursors, |last| last.name.clone());
    Answer::json(200, &page)
}

/// `GET /v1/account/workers/{account_worker}`: one account Worker in detail.
///
/// # Errors
/// `PERMISSION_DENIED`, `PARAMETER_INVALID`, `ACCOUNT_WORKER_UNKNOWN`, `UPSTREAM_…`, `RECORD_UNAVAILABLE`.
pub async fn get<L: LedgerClient, O: Services>(
    gateway: &Gateway<'_, L, O>,
    credential: &ShownCredential,
    name: &str,
) -> Result<Answer, Problem> {
    authorize(gateway, credential).await?;
    let name = read_name(name)?;
    Answer::json(200, &account::inspect(gateway.services, &name).await?)
}

/// `GET /v1/account/hosts`: the routes and custom domains of the account, a page of zones at a time. Parameter: `cursor`.
///
/// # Errors
/// `PERMISSION_DENIED`, `PARAMETER_INVALID`, `UPSTREAM_…`, `RECORD_UNAVAILABLE`.
pub async fn hosts<L: LedgerClient, O: Services>(
    gateway: &Gateway<'_, L, O>,
    credential: &ShownCredential,
    parameters: &[(&str, &str)],
) -> Result<Answer, Problem> {
    authorize(gateway, credential).await?;
    let cursors = Cursors::new(gateway.cursor_key, "account hosts");
    let mut hosts =
        account::hosts(gateway.services, gateway.worker_urls, page(parameters, &cursors)?).await?;
    hosts.cursor = hosts.cursor.map(|next| cursors.seal(&next));
    Answer::json(200, &hosts)
}

/// `GET /v1/account/queues`: the account Workers that consume queues, a page of queues at a time. Parameter: `cursor`.
///
/// # Errors
/// `PERMISSION_DENIED`, `PARAMETER_INVALID`, `UPSTREAM_…`, `RECORD_UNAVAILABLE`.
pub async fn queues<L: LedgerClient, O: Services>(
    gateway: &Gateway<'_, L, O>,
    credential: &ShownCredential,
    parameters: &[(&str, &str)],
) -> Result<Answer, Problem> {
    authorize(gateway, credential).await?;
    let cursors = Cursors::new(gateway.cursor_key, "account queues");
    let mut queues = account::queues(gateway.services, page(parameters, &cursors)?).await?;
    queues.cursor = queues.cursor.map(|next| cursors.seal(&next));
    Answer::json(200, &queues)
}

/// The name of an account Worker in a request.
///
/// # Errors
/// `PARAMETER_INVALID`.
pub(super) fn read_name(name: &str) -> Result<AccountWorkerName, Problem> {
    AccountWorkerName::parse(name).map_err(|invalid| {
        parameter_invalid(
            format!("The name of the account Worker is not valid: {invalid}."),
            "GET /v1/account/workers lists the names.",
        )
    })
}

async fn authorize<L: LedgerClient, O: Services>(
    gateway: &Gateway<'_, L, O>,
    credential: &ShownCredential,
) -> Result<(), Problem> {
    let ask = Ask::OneOf {
        requests: vec![Request::platform(Action::Admin)],
        action: audit::Action::Read,
    };
    gateway.authorize(credential, ask).await.map(drop)
}

/// The number of the page of the parameter `cursor`.
fn page(parameters: &[(&str, &str)], cursors: &Cursors<'_>) -> Result<u32, Problem> {
    let parameters = Parameters::new(parameters, &["cursor"])?;
    let page = parameters.cursor(cursors, |page| {
        page.parse().ok().filter(|page| (1..=MAX_PAGE).contains(page))
    })?;
    Ok(page.unwrap_or(1))
}
