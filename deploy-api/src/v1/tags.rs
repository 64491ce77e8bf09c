//! `…/workers/{worker}/tags`: tags that Workers are found by. The tag that names the deployment is not among them.

use serde::Serialize;

use super::{Answer, body};
use crate::audit::Verb;
use crate::code::Code;
use crate::deployments::{MAX_TAGS, TAG_PREFIX, Trace, Turn, change, held, too_many_tags, worker_unknown};
use crate::engine::{Engine, Outside};
use crate::identity::Caller;
use crate::policy::{Action, Request};
use crate::problem::Problem;
use crate::sql::Sql;
use crate::target::Target;
use crate::upstream::{Method, script};

/// The longest tag, in characters.
const MAX_TAG: usize = 256;

#[derive(Serialize)]
struct Tags<'a> {
    tags: &'a [String],
}

/// `GET …/tags`: the tags.
///
/// # Errors
/// `PERMISSION_DENIED`, `WORKER_UNKNOWN`, `UPSTREAM_…`, `RECORD_UNAVAILABLE`.
pub async fn list<S: Sql, O: Outside>(
    engine: &Engine<'_, S, O>,
    caller: &Caller,
    target: &Target,
) -> Result<Answer, Problem> {
    let request = Request::worker(Action::Read, target.clone());
    engine.access.authorize(caller, &request, Verb::Read)?;
    let held = held(engine.outside, target)
        .await
        .map_err(|failure| failure.problem)?
        .ok_or_else(|| worker_unknown(target))?;
    Answer::json(200, &Tags { tags: &held.tags })
}

/// `PUT …/tags`, `["a", "b"]`: replaces all of them, at most seven. Needs the action `deploy`.
///
/// # Errors
/// `PERMISSION_DENIED`, `BODY_INVALID`, `WORKER_LOCKED`, `WORKER_UNKNOWN`, `DEPLOYMENT_UNSETTLED`, `UPSTREAM_…`,
/// `RECORD_UNAVAILABLE`.
pub async fn put<S: Sql, O: Outside>(
    engine: &Engine<'_, S, O>,
    caller: &Caller,
    target: &Target,
    body: &[u8],
) -> Result<Answer, Problem> {
    let tags: Vec<String> = body::read(body, "a list of texts, such as [\"team:agents\"]")?;
    set(engine, caller, target, &tags).await?;
    Answer::json(200, &Tags { tags: &tags })
}

/// Replaces a Worker's tags, for a call of either API.
pub(crate) async fn set<S: Sql, O: Outside>(
    engine: &Engine<'_, S, O>,
    caller: &Caller,
    target: &Target,
    tags: &[String],
) -> Result<(), Problem> {
    let turn = Turn::take(engine, caller, target, Action::Deploy, Verb::SettingsChange).await?;
    check(tags).map_err(|problem| turn.refuse(engine, problem))?;
    let held = held(engine.outside, target)
        .await
        .map_err(|failure| failure.problem)
        .and_then(|held| held.ok_or_else(|| worker_unknown(target)))
        .map_err(|problem| turn.refuse(engine, problem))?;
    let mut all = tags.to_vec();
    all.extend(held.deployment.map(|deployment| deployment.tag()));
    let request = script::script(Method::Put, target, &["tags"]).with_body(
        "application/json",
        serde_json::Value::from(all).to_string().into_bytes(),
    );
    change(engine, &turn, None, request, Trace::Tags(tags.to_vec()))
        .await
        .map(drop)
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
            format!("Tag {} of the list cannot be one.", index + 1),
            format!(
                "Write 1 to {MAX_TAG} characters without commas and ampersands, not beginning with {TAG_PREFIX:?}."
            ),
        )),
    }
}
