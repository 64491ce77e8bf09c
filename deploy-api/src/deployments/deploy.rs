use jiff::SignedDuration;

use super::owed_probe::{self, Owed, PROBE_AGAIN_AFTER};
use super::probed::probed;
use super::settle::unsettled;
use super::ship::{Shipment, ship};
use super::turn::Turn;
use super::{Deployment, State, assets};
use crate::audit::{Outcome, Verb};
use crate::bundles::{AssetManifest, Bundle};
use crate::engine::{Engine, Outside};
use crate::lint::{self, Findings, Refusal};
use crate::problem::Problem;
use crate::sql::Sql;
use crate::store::{deployments, fingerprint_key, workers};
use crate::target::Target;
use crate::upload::{self, Upload};
use crate::upstream::{Method, call, script};

/// Within which time the same upload by the same token is a retry, and no new deployment. wrangler tries three times,
/// and waits up to a minute in between.
const RETRY_WINDOW: SignedDuration = SignedDuration::from_mins(10);

/// Deploys an upload. The policy has allowed it; `turn` has waited, and begun nothing yet.
///
/// # Errors
/// Why it was not deployed; on record.
pub(crate) async fn deploy<S: Sql, O: Outside>(
    engine: &Engine<'_, S, O>,
    turn: &Turn<'_>,
    upload: Upload,
    query: Vec<(&'static str, String)>,
) -> Result<Deployment, Problem> {
    let fingerprint = fingerprint(engine, turn, &upload, &query)?;
    let resumed = match earlier(engine, turn, &fingerprint).await? {
        Some(Earlier::Done(deployment)) => {
            // The try that made it may have ended before its probe did.
            return match owed_probe::make(engine, turn.target, &turn.line).await? {
                Owed::Nothing => replayed(engine, turn, *deployment),
                Owed::Failed(problem) => Err(problem),
                Owed::Still => Err(turn.refuse(engine, unsettled(turn.target, PROBE_AGAIN_AFTER))),
            };
        }
        Some(Earlier::Open(deployment)) => Some(*deployment),
        None => None,
    };
    turn.begin(engine, resumed.as_ref().map(|deployment| deployment.intent))
        .await?;
    let findings = match check(engine, turn.target, &upload).await {
        Ok(findings) => findings,
        Err(refusal) => return Err(turn.refuse_because(engine, refusal.problem, refusal.binding)),
    };
    let assets = match static_assets(engine, turn, &upload).await {
        Ok(assets) => assets,
        Err(problem) => return Err(turn.refuse(engine, problem)),
    };
    let shipment = Shipment {
        verb: Verb::Deploy,
        source: None,
        bundle: Bundle::of(&upload, assets),
        stored: None,
        migrations: upload.metadata.migrations(),
        metadata: upload.metadata,
        query,
        fingerprint: Some(fingerprint),
        warnings: findings.warnings,
    };
    let deployment = ship(engine, turn, shipment, resumed).await?;
    probed(engine, turn, deployment).await
}

fn fingerprint<S: Sql, O: Outside>(
    engine: &Engine<'_, S, O>,
    turn: &Turn<'_>,
    upload: &Upload,
    query: &[(&'static str, String)],
) -> Result<String, Problem> {
    let entropy = [engine.outside.entropy(), engine.outside.entropy()];
    let key = fingerprint_key::get_or_make(engine.access.sql, entropy)?;
    let holder = match &turn.caller.token {
        Some(token) => token.to_string(),
        None => turn.caller.identity.to_string(),
    };
    let about = format!("{} {query:?}", turn.target);
    Ok(key.of(&holder, &about, upload).0)
}

/// An earlier try of the same upload.
enum Earlier {
    /// It is what serves.
    Done(Box<Deployment>),
    /// It is not known yet what became of it.
    Open(Box<Deployment>),
}

async fn earlier<S: Sql, O: Outside>(
    engine: &Engine<'_, S, O>,
    turn: &Turn<'_>,
    fingerprint: &str,
) -> Result<Option<Earlier>, Problem> {
    let sql = engine.access.sql;
    let now = engine.outside.now();
    let since = now.saturating_sub(RETRY_WINDOW).unwrap_or(now);
    let Some(mut found) = deployments::same_upload(sql, turn.target, fingerprint, since)? else {
        return Ok(None);
    };
    if found.state == State::Pending {
        super::settle::settle_intent(engine, turn.target, found.intent).await?;
        match deployments::get(sql, &found.id)? {
            Some(settled) => found = settled,
            None => return Ok(None),
        }
    }
    let unchanged = workers::get(sql, turn.target)?.is_some_and(|worker| {
        found.revision == Some(worker.revision) && worker.deployment.as_ref() == Some(&found.id)
    });
    Ok(match found.state {
        State::Pending => Some(Earlier::Open(Box::new(found))),
        State::Succeeded if unchanged => Some(Earlier::Done(Box::new(found))),
        _ => None,
    })
}

/// Answers a retry with the deployment that the first try made, and puts that on record.
fn replayed<S: Sql, O: Outside>(
    engine: &Engine<'_, S, O>,
    turn: &Turn<'_>,
    deployment: Deployment,
) -> Result<Deployment, Problem> {
    let mut entry = turn.entry(engine, Outcome::Replayed);
    entry.deployment = Some(deployment.id.to_string());
    engine.access.record(&entry)?;
    Ok(deployment)
}

async fn check<S: Sql, O: Outside>(
    engine: &Engine<'_, S, O>,
    target: &Target,
    upload: &Upload,
) -> Result<Findings, Box<Refusal>> {
    upload::check_compressed(&upload.parts).map_err(Refusal::new)?;
    let findings = lint::metadata(&upload.metadata, target, engine.outside.now())?;
    for service in &findings.services {
        if is_only_in_a_namespace(engine, target, &service.service)
            .await
            .map_err(Refusal::new)?
        {
            return Err(lint::unreachable_service(service));
        }
    }
    Ok(findings)
}

/// Whether a Worker of that name is in a namespace and not in the account. Where the upstream does not say, it is not
/// held against the upload: the upstream itself refuses what it does not find.
async fn is_only_in_a_namespace<S: Sql, O: Outside>(
    engine: &Engine<'_, S, O>,
    target: &Target,
    service: &str,
) -> Result<bool, Problem> {
    let Ok(worker) = dotdo_names::WorkerName::parse(service) else {
        return Ok(false);
    };
    let mut in_namespace =
        *service == *target.worker.as_str() || workers::is_deployed_somewhere(engine.access.sql, service)?;
    if !in_namespace {
        let there = Target {
            environment: target.environment,
            worker,
        };
        in_namespace = matches!(super::look::described(engine.outside, &there).await, Ok(Some(_)));
    }
    if !in_namespace {
        return Ok(false);
    }
    let request = script::account(Method::Get, &["workers", "services", service]);
    let answer = call(engine.outside, request).await;
    Ok(answer.record.status == Some(404))
}

async fn static_assets<S: Sql, O: Outside>(
    engine: &Engine<'_, S, O>,
    turn: &Turn<'_>,
    upload: &Upload,
) -> Result<Option<AssetManifest>, Problem> {
    if let Some(jwt) = upload.metadata.assets_jwt() {
        return assets::of_upload(engine, turn.target, jwt).await.map(Some);
    }
    if !upload.metadata.keeps_assets() {
        return Ok(None);
    }
    let serving = workers::get(engine.access.sql, turn.target)?.and_then(|worker| worker.deployment);
    let Some(serving) = serving else { return Ok(None) };
    let Some(serving) = deployments::get(engine.access.sql, &serving)? else {
        return Ok(None);
    };
    let bundle = super::again::stored(engine.outside, &serving).await?;
    Ok(bundle.assets)
}
