//! The deploy itself, and what wrangler asks before and does after it.

use dotdo_names::WorkerName;
use serde::Deserialize;
use serde_json::{Value, json};

use super::message::{Body, Request, read_body};
use super::query::Parameters;
use super::serve::Reply;
use super::worker_target::resolve;
use super::{Absent, Envelope, Message};
use crate::audit::Verb;
use crate::code::Code;
use crate::deployments::{Deployment, Turn, deploy, described, without_own};
use crate::engine::{Engine, Outside};
use crate::identity::Caller;
use crate::policy::{self, Action};
use crate::problem::Problem;
use crate::sql::Sql;
use crate::store::recent_targets;
use crate::target::Target;
use crate::upload::{self, MAX_UPLOAD};
use crate::v1;

/// The parameters of an upload's query that wrangler sends.
const PARAMETERS: [&str; 2] = ["excludeScript", "bindings_inherit"];

/// The longest body of a change of tags, in bytes.
const MAX_SETTINGS: usize = 256 * 1024;

/// Whether the namespace has the script, and at which migration tag.
pub(super) async fn script<S: Sql, O: Outside>(
    engine: &Engine<'_, S, O>,
    caller: &Caller,
    target: &Target,
) -> Result<Reply, Problem> {
    let deploy = policy::Request::worker(Action::Deploy, target.clone());
    if !engine.access.may(caller, &deploy)? {
        let read = policy::Request::worker(Action::Read, target.clone());
        engine.access.authorize(caller, &read, Verb::Read)?;
    }
    remember(engine, caller, target)?;
    let Some(mut found) = described(engine.outside, target)
        .await
        .map_err(|failure| failure.problem)?
    else {
        return Ok(Reply::Absent(Absent::NamespaceScript));
    };
    if let Some(tags) = found.pointer_mut("/script/tags") {
        let own: Vec<String> = serde_json::from_value(tags.take()).unwrap_or_default();
        *tags = json!(without_own(own));
    }
    Ok(Reply::Success(Envelope::of(found)))
}

/// Remembers of which namespace wrangler speaks, for its calls that leave that out.
fn remember<S: Sql, O: Outside>(
    engine: &Engine<'_, S, O>,
    caller: &Caller,
    target: &Target,
) -> Result<(), Problem> {
    if let Some(token) = &caller.token {
        recent_targets::forget(engine.access.sql, engine.access.now)?;
        recent_targets::remember(engine.access.sql, token, target, engine.access.now)?;
    }
    Ok(())
}

/// The upload.
pub(super) async fn put<S: Sql, O: Outside, B: Body>(
    engine: &Engine<'_, S, O>,
    caller: &Caller,
    target: &Target,
    request: Request<'_, B>,
) -> Result<Reply, Problem> {
    let allowed = engine.access.authorize(
        caller,
        &policy::Request::worker(Action::Deploy, target.clone()),
        Verb::Deploy,
    )?;
    remember(engine, caller, target)?;
    let content_type = request.header("content-type").map(str::to_owned);
    let query = Parameters::parse(request.query).and_then(|parameters| parameters.only(&PARAMETERS));
    // What the body is may go on record only after its turn has come, but reading takes long, and nobody should wait
    // for a slow client.
    let upload = match query {
        Err(problem) => Err(problem),
        Ok(query) => match read_body(request.body, MAX_UPLOAD).await {
            Err(problem) => Err(problem),
            Ok(body) => upload::read(content_type.as_deref(), body)
                .await
                .map(|upload| (upload, query)),
        },
    };
    let turn = Turn::wait(engine, caller, allowed, target, Verb::Deploy).await;
    let (upload, query) = upload.map_err(|problem| turn.refuse(engine, problem))?;
    let deployment = deploy(engine, &turn, upload, query).await?;
    Ok(Reply::Success(deployed(&deployment)))
}

fn deployed(deployment: &Deployment) -> Envelope {
    let result = json!({
        "id": deployment.target.worker.as_str(),
        "etag": deployment.etag,
        "startup_time_ms": deployment.startup_time_ms.unwrap_or_default(),
        "deployment_id": deployment.id,
        "pipeline_hash": Value::Null,
        "mutable_pipeline_id": Value::Null,
        "tags": deployment.tags,
        "migration_tag": deployment.migration_tag,
    });
    let messages = deployment
        .warnings
        .iter()
        .map(|warning| Message {
            code: Code::from_name(&warning.code).unwrap_or(Code::Internal).number(),
            message: warning.message.clone(),
        })
        .collect();
    Envelope::of(result).with_messages(messages)
}

/// The tags that wrangler sets after a deploy with environments in its configuration.
pub(super) async fn tags<S: Sql, O: Outside, B: Body>(
    engine: &Engine<'_, S, O>,
    caller: &Caller,
    worker: &WorkerName,
    request: Request<'_, B>,
) -> Result<Reply, Problem> {
    #[derive(Deserialize)]
    struct Settings {
        #[serde(default)]
        tags: Option<Vec<String>>,
    }
    let target = resolve(engine, caller, worker, Action::Deploy)?;
    let body = read_body(request.body, MAX_SETTINGS).await?;
    let settings: Settings = serde_json::from_slice(&body).map_err(|_| {
        Problem::new(
            Code::BodyInvalid,
            "The settings cannot be read.",
            "Send {\"tags\": [\"…\"]}; other settings come with a deploy.",
        )
    })?;
    let tags = settings.tags.unwrap_or_default();
    v1::tags::set(engine, caller, &target, &tags).await?;
    Ok(Reply::Success(Envelope::of(json!({ "tags": tags }))))
}
