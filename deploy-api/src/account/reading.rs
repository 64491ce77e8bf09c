//! Reads parts of the inventory, some of which the token may not be permitted to read.

use std::borrow::Cow;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::code::Code;
use crate::problem::Problem;
use crate::services::Services;
use crate::upstream::{Called, Reply, UpstreamRequest, call};

/// The longest text of the Cloudflare API that is returned, in bytes.
const MAX_TEXT: usize = 512;

/// A part of the inventory that is not known.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "UnreadablePart")]
pub struct Unreadable {
    /// What is not known, such as `crons`.
    pub what: Cow<'static, str>,
    /// The permission that the Cloudflare token of the deploy API lacks; null if the reason is another one.
    pub permission: Option<Cow<'static, str>>,
    /// Why it is not known.
    pub reason: Cow<'static, str>,
}

impl Unreadable {
    /// A part for which the token lacks a permission.
    pub(super) fn without(permission: &'static str, what: impl Into<Cow<'static, str>>) -> Self {
        Self {
            what: what.into(),
            permission: Some(Cow::Borrowed(permission)),
            reason: Cow::Borrowed("The Cloudflare token of the deploy API lacks the permission."),
        }
    }

    /// A part that is not known for another reason.
    pub(super) fn because(reason: &'static str, what: impl Into<Cow<'static, str>>) -> Self {
        Self {
            what: what.into(),
            permission: None,
            reason: Cow::Borrowed(reason),
        }
    }
}

/// Makes a call for information. `None` if the token may not make it, which is added to `unknown`.
///
/// # Errors
/// `UPSTREAM_…`; `ACCOUNT_WORKER_UNKNOWN` if the upstream says that there is no such script.
pub(super) async fn read(
    services: &impl Services,
    request: UpstreamRequest,
    permission: &'static str,
    what: impl Into<Cow<'static, str>>,
    unknown: &mut Vec<Unreadable>,
) -> Result<Option<Reply>, Problem> {
    let Called { record, outcome } = call(services, request.for_information()).await;
    match outcome {
        Ok(reply) => Ok(Some(reply)),
        Err(failure)
            if matches!(record.status, Some(401 | 403))
                && failure.problem.code == Code::UpstreamCredentialRefused =>
        {
            unknown.push(Unreadable::without(permission, what));
            Ok(None)
        }
        Err(failure) if failure.absent => Err(account_worker_unknown()),
        Err(failure) => Err(failure.problem),
    }
}

/// The error if a script of the account does not exist.
pub(super) fn account_worker_unknown() -> Problem {
    Problem::new(
        Code::AccountWorkerUnknown,
        "The account has no Worker of this name outside of the namespaces.",
        "GET /v1/account/workers lists them.",
    )
}

/// A text member of a JSON object; `None` if it is absent or not a text of a usual length.
pub(super) fn text(object: &Value, member: &str) -> Option<String> {
    object
        .get(member)?
        .as_str()
        .filter(|text| text.len() <= MAX_TEXT)
        .map(str::to_owned)
}

/// The texts of a list; those of an unusual length are left out.
pub(super) fn texts(list: Option<&Value>) -> Vec<String> {
    list.and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .filter(|text| text.len() <= MAX_TEXT)
        .map(str::to_owned)
        .collect()
}

/// The items of a list; empty if it is not a list.
pub(super) fn items(result: &Value) -> &[Value] {
    result.as_array().map(Vec::as_slice).unwrap_or_default()
}

/// Whether a list has more pages than the one with this number.
pub(super) fn has_next_page(reply: &Reply, page: u32) -> bool {
    let number = |member: &str| reply.info.as_ref()?.get(member)?.as_u64();
    let pages = number("total_pages").or_else(|| {
        let (total, size) = (number("total_count")?, number("per_page")?);
        Some(total.div_ceil(size.max(1)))
    });
    pages.is_some_and(|pages| pages > u64::from(page))
}
