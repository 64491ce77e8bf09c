//! `…/workers/{worker}/tags`: the tags by which Workers are found, without the tag that names the deployment.

use std::borrow::Cow;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Answer, body};
use crate::audit;
use crate::code::Code;
use crate::deployments::{ExpectedState, TAG_PREFIX};
use crate::deploys::{
    Gateway, Lease, MAX_TAGS, SmallChange, change, remote_tags, too_many_tags, worker_unknown,
};
use crate::identity::ShownCredential;
use crate::ledger::{Change, LedgerClient};
use crate::policy::{Action, Request};
use crate::problem::Problem;
use crate::services::Services;
use crate::target::Target;
use crate::upstream::{Method, script};

/// The longest tag, in characters.
const MAX_TAG: usize = 256;

/// The tags of a Worker.
#[derive(Serialize, Clone, Debug, Deserialize, JsonSchema)]
pub struct Tags<'a> {
    /// The tags, without the one that names the deployment.
    pub tags: Cow<'a, [String]>,
}

/// The new tags of a Worker.
#[derive(Deserialize, Clone, Debug, Serialize, JsonSchema)]
#[serde(transparent)]
pub struct TagsRequest(
    /// The tags.
    #[schemars(length(max = MAX_TAGS - 1), inner(length(min = 1, max = MAX_TAG)))]
    pub Vec<String>,
);

/// `GET …/tags`: the tags.
///
/// # Errors
/// `PERMISSION_DENIED`, `WORKER_UNKNOWN`, `UPSTREAM_…`, `RECORD_UNAVAILABLE`.
pub async fn list<L: LedgerClient, O: Services>(
    gateway: &Gateway<'_, L, O>,
    credential: &ShownCredential,
    target: &Target,
) -> Result<Answer, Problem> {
    let request = Request::worker(Action::Read, target.clone());
    gateway
        .authorize_for(credential, vec![request], audit::Action::Read, target)
        .await?;
    let remote = remote_tags(gateway.services, target)
        .await
        .map_err(|failure| failure.problem)?
        .ok_or_else(|| worker_unknown(target))?;
    Answer::json(
        200,
        &Tags {
            tags: Cow::Owned(remote.tags),
        },
    )
}

/// `PUT …/tags`, `["a", "b"]`: replaces all of them, at most seven. Needs the action `deploy`.
///
/// # Errors
/// `PERMISSION_DENIED`, `BODY_INVALID`, `WORKER_LOCKED`, `WORKER_UNKNOWN`, `DEPLOYMENT_UNSETTLED`, `UPSTREAM_…`,
/// `RECORD_UNAVAILABLE`.
pub async fn put<L: LedgerClient, O: Services>(
    gateway: &Gateway<'_, L, O>,
    credential: &ShownCredential,
    target: &Target,
    body: &[u8],
) -> Result<Answer, Problem> {
    let TagsRequest(tags) = body::read(body, "a list of texts, such as [\"team:agents\"]")?;
    set(gateway, credential, target, &tags).await?;
    Answer::json(
        200,
        &Tags {
            tags: Cow::Owned(tags),
        },
    )
}

/// Replaces a Worker's tags, for a call of either API.
pub(crate) async fn set<L: LedgerClient, O: Services>(
    gateway: &Gateway<'_, L, O>,
    credential: &ShownCredential,
    target: &Target,
    tags: &[String],
) -> Result<(), Problem> {
    if let Err(problem) = check(tags) {
        let request = Request::worker(Action::Deploy, target.clone());
        let action = audit::Action::SettingsChange;
        let authorized = gateway
            .authorize_for(credential, vec![request], action, target)
            .await?;
        return Err(gateway.refuse(&authorized, target, action, problem, None).await);
    }
    let lease = Lease::begin(gateway, credential, target, Change::SetTags).await?;
    let remote = remote_tags(gateway.services, target)
        .await
        .map_err(|failure| failure.problem)
        .and_then(|remote| remote.ok_or_else(|| worker_unknown(target)));
    let remote = match remote {
        Ok(remote) => remote,
        Err(problem) => return Err(lease.fail(problem).await),
    };
    let mut all = tags.to_vec();
    all.extend(remote.deployment.map(|deployment| deployment.tag()));
    let request = script::script(Method::Put, target, &["tags"]).with_body(
        "application/json",
        serde_json::Value::from(all).to_string().into_bytes(),
    );
    let replacement = SmallChange {
        action: audit::Action::SettingsChange,
        request,
        expected: Some(ExpectedState::Tags {
            tags: tags.to_vec(),
            before: remote.tags,
        }),
        secret: None,
        may_be_absent: false,
    };
    change(&lease, replacement).await
}

fn check(tags: &[String]) -> Result<(), Problem> {
    if tags.len() >= MAX_TAGS {
        return Err(too_many_tags(tags.len()));
    }
    let is_bad = |tag: &&String| {
        tag.is_empty()
            || tag.len() > MAX_TAG
            || tag.starts_with(TAG_PREFIX)
            || tag.chars().any(|c| c.is_control() || matches!(c, ',' | '&'))
    };
    match tags.iter().position(|tag| is_bad(&tag)) {
        None => Ok(()),
        Some(index) => Err(Problem::new(
            Code::BodyInvalid,
            format!("Tag {} of the list is invalid.", index + 1),
            format!(
                "Write 1 to {MAX_TAG} characters without commas and ampersands, not beginning with {TAG_PREFIX:?}."
            ),
        )),
    }
}
