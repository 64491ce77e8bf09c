use futures_util::future::join;
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::conclude::{failed, succeeded};
use super::look::{described, held, migration_tag};
use super::turn::Turn;
use super::{Deployment, DeploymentId, State, Warning, assets};
use crate::audit::{Entry, Outcome, Verb};
use crate::bundles::{Bundle, Digest};
use crate::code::Code;
use crate::engine::{Engine, Outside};
use crate::problem::Problem;
use crate::sql::Sql;
use crate::store::{deployments, workers};
use crate::target::Target;
use crate::upload::{Metadata, Migrations, script_form};
use crate::upstream::{Effect, Method, UpstreamRequest, call, script};

/// The most tags of a script, one of which names the deployment.
/// <https://developers.cloudflare.com/cloudflare-for-platforms/workers-for-platforms/platform/limits/>
pub const MAX_TAGS: usize = 8;

/// Something to be shipped: an upload of a client, or a bundle again.
pub(crate) struct Shipment {
    /// As what it goes on record.
    pub verb: Verb,
    /// The deployment whose bundle is shipped again.
    pub source: Option<DeploymentId>,
    /// What is stored of it.
    pub bundle: Bundle,
    /// The digest under which the bundle was read from the store just now, where it was.
    pub stored: Option<Digest>,
    /// The metadata that goes upstream, secrets included.
    pub metadata: Metadata,
    /// The parameters of the upload's query.
    pub query: Vec<(&'static str, String)>,
    /// By which the same upload is recognised.
    pub fingerprint: Option<String>,
    /// What is questionable about it.
    pub warnings: Vec<Warning>,
    /// The migrations that it carries out.
    pub migrations: Option<Migrations>,
}

/// What a Worker had before a shipment.
struct Before {
    deployment: Option<DeploymentId>,
    tags: Vec<String>,
    migration_tag: Option<String>,
}

/// Ships something: intent on record and bundle stored, upload upstream, outcome on record. `resumed` is the same shipment's
/// deployment, if its answer was lost and it is not known what became of it.
///
/// # Errors
/// The failure, which is on record. With `UPSTREAM_TIMEOUT` and `UPSTREAM_UNAVAILABLE` it may have gone up; then the
/// intent stays open, and the same upload again ends it.
pub(crate) async fn ship<S: Sql, O: Outside>(
    engine: &Engine<'_, S, O>,
    turn: &Turn<'_>,
    shipment: Shipment,
    resumed: Option<Deployment>,
) -> Result<Deployment, Problem> {
    let (digest, packed) = shipment.bundle.pack().map_err(|error| {
        Problem::new(Code::Internal, "The bundle could not be written.", "").caused_by(&error)
    })?;
    // The bundle is on its way while the intent is made durable: it is kept by its digest, and tells nobody anything. What
    // goes upstream waits for both.
    let store = async {
        if shipment.stored.as_ref() == Some(&digest) {
            return Ok(());
        }
        engine.outside.put(&digest, &packed).await
    };
    let begin = async {
        match resumed {
            Some(deployment) => Ok(deployment),
            None => begin(engine, turn, &shipment, &digest).await,
        }
    };
    let (stored, deployment) = join(store, begin).await;
    let deployment = deployment?;
    let outcome = |outcome| {
        let mut entry = turn.entry(engine, outcome);
        entry.verb = deployment.verb;
        entry.intent = Some(deployment.intent);
        entry.deployment = Some(deployment.id.to_string());
        entry.previous_deployment = deployment.previous.as_ref().map(ToString::to_string);
        entry
    };
    if let Err(error) = stored {
        let problem = bundle_store_unavailable(&error);
        failed(engine, deployment.clone(), outcome(Outcome::Failed), &problem)?;
        return Err(problem);
    }
    drop(packed);
    let metadata = match (&shipment.source, &shipment.bundle.assets) {
        (Some(_), Some(manifest)) => {
            match assets::upload_again(engine.outside, turn.target, manifest).await {
                Ok(jwt) => shipment.metadata.with_assets_jwt(&jwt),
                Err(problem) => {
                    failed(engine, deployment.clone(), outcome(Outcome::Failed), &problem)?;
                    return Err(problem);
                }
            }
        }
        _ => shipment.metadata,
    };
    let request = upload_request(turn, &deployment, metadata, &shipment.bundle, shipment.query);
    let called = call(engine.outside, request).await;
    let entry = |result| Entry {
        upstream: Some(called.record.clone()),
        ..outcome(result)
    };
    let failure = match called.outcome {
        Ok(reply) => {
            return succeeded(
                engine,
                deployment.clone(),
                entry(Outcome::Succeeded),
                &reply.result,
            );
        }
        Err(failure) => failure,
    };
    let mut certain = failure.effect == Effect::None;
    if !certain && let Ok(there) = held(engine.outside, turn.target).await {
        if there.and_then(|held| held.deployment).as_ref() == Some(&deployment.id) {
            return succeeded(
                engine,
                deployment.clone(),
                entry(Outcome::Succeeded),
                &Value::Null,
            );
        }
        certain = failure.effect == Effect::Unknown;
    }
    if certain {
        failed(
            engine,
            deployment.clone(),
            entry(Outcome::Failed),
            &failure.problem,
        )?;
        return Err(failure.problem);
    }
    Err(failure.problem.note(format!(
        "Whether deployment {} went up is not known yet; the same upload again continues it.",
        deployment.id
    )))
}

/// Puts the intent and the deployment on record.
async fn begin<S: Sql, O: Outside>(
    engine: &Engine<'_, S, O>,
    turn: &Turn<'_>,
    shipment: &Shipment,
    digest: &Digest,
) -> Result<Deployment, Problem> {
    let before = match before(engine, turn).await {
        Ok(before) => before,
        Err(problem) => return Err(turn.refuse(engine, problem)),
    };
    let tags = super::look::without_own(shipment.metadata.tags().unwrap_or(before.tags));
    if tags.len() >= MAX_TAGS {
        return Err(turn.refuse(engine, too_many_tags(tags.len())));
    }
    let now = engine.outside.now();
    let mut deployment = Deployment {
        id: next_id(engine, turn.target, now)?,
        target: turn.target.clone(),
        verb: shipment.verb,
        state: State::Pending,
        intent: 0,
        bundle: shipment.bundle.record(digest),
        identity: turn.caller.identity.clone(),
        token: turn.caller.token.as_ref().map(ToString::to_string),
        source: shipment.source.clone(),
        previous: before.deployment,
        created: now,
        finished: None,
        etag: None,
        startup_time_ms: None,
        migration_tag: match &shipment.migrations {
            Some(migrations) => Some(migrations.new_tag.clone()),
            None => before.migration_tag,
        },
        migrations: shipment.migrations.clone(),
        tags,
        failure: None,
        warnings: shipment.warnings.clone(),
        revision: None,
    };
    let mut entry = turn.entry(engine, Outcome::Intent);
    entry.verb = shipment.verb;
    entry.deployment = Some(deployment.id.to_string());
    entry.previous_deployment = deployment.previous.as_ref().map(ToString::to_string);
    entry.bundle = Some(deployment.bundle.clone());
    engine.access.sql.transaction(|| {
        deployment.intent = engine.access.record(&entry)?;
        deployments::begin(engine.access.sql, &deployment, shipment.fingerprint.as_deref())?;
        Ok::<(), Problem>(())
    })?;
    Ok(deployment)
}

/// An id that sorts after those of the Worker's earlier deployments, two of which may fall into one millisecond.
fn next_id<S: Sql, O: Outside>(
    engine: &Engine<'_, S, O>,
    target: &Target,
    now: Timestamp,
) -> Result<DeploymentId, Problem> {
    let last = deployments::list(engine.access.sql, target, None, 1)?.pop();
    let after = last.and_then(|last| last.id.time().checked_add(SignedDuration::from_millis(1)).ok());
    let time = after.map_or(now, |after| after.max(now));
    Ok(DeploymentId::new(time, engine.outside.entropy()))
}

/// What the Worker has now. The upstream is asked only about a Worker that never went through here.
async fn before<S: Sql, O: Outside>(engine: &Engine<'_, S, O>, turn: &Turn<'_>) -> Result<Before, Problem> {
    let sql = engine.access.sql;
    if let Some(known) = workers::get(sql, turn.target)? {
        let deployment = match &known.deployment {
            Some(id) => deployments::get(sql, id)?,
            None => None,
        };
        return Ok(Before {
            deployment: known.deployment,
            tags: known.tags,
            migration_tag: deployment.and_then(|deployment| deployment.migration_tag),
        });
    }
    let script = described(engine.outside, turn.target)
        .await
        .map_err(|failure| failure.problem)?;
    let mut before = Before {
        deployment: None,
        tags: Vec::new(),
        migration_tag: script.as_ref().and_then(migration_tag),
    };
    if script.is_some() {
        let held = held(engine.outside, turn.target)
            .await
            .map_err(|failure| failure.problem)?;
        before.tags = held.unwrap_or_default().tags;
    }
    Ok(before)
}

fn upload_request(
    turn: &Turn<'_>,
    deployment: &Deployment,
    metadata: Metadata,
    bundle: &Bundle,
    query: Vec<(&'static str, String)>,
) -> UpstreamRequest {
    let mut tags = deployment.tags.clone();
    tags.push(deployment.id.tag());
    let (content_type, body) = script_form(&metadata.with_tags(&tags), &bundle.parts);
    let request = script::script(Method::Put, turn.target, &[]).with_body(content_type, body);
    query
        .into_iter()
        .fold(request, |request, (name, value)| request.parameter(name, value))
}

pub(crate) fn bundle_store_unavailable(error: &impl ToString) -> Problem {
    Problem::new(
        Code::BundleStoreUnavailable,
        "The bundle store failed, so nothing was deployed.",
        "Try again in a moment.",
    )
    .caused_by(error)
    .retry_after(5)
}

pub(crate) fn too_many_tags(number: usize) -> Problem {
    Problem::new(
        Code::BodyInvalid,
        format!(
            "The Worker would have {number} tags; seven is the most, beside the one that names the deployment."
        ),
        "Leave some out.",
    )
}
