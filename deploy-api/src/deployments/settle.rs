use jiff::Timestamp;
use serde_json::Value;

use super::conclude::{failed, succeeded};
use super::look::{described, held};
use super::owed_probe::{self, Owed, PROBE_AGAIN_AFTER};
use super::{Deployment, DeploymentId, Line};
use crate::audit::{Client, Entry, Link, Outcome, Reason, Verb};
use crate::code::Code;
use crate::engine::{Engine, Outside};
use crate::problem::Problem;
use crate::sql::Sql;
use crate::store::{audit_log, deployments, workers};
use crate::target::Target;

/// Closes the intents of a Worker that no outcome has closed, and makes the probe that is owed. The caller is first in the
/// Worker's line, so that nothing of it is under way in this process.
///
/// # Errors
/// `DEPLOYMENT_UNSETTLED` when one may still be at work, or the upstream cannot be asked; `RECORD_UNAVAILABLE`.
pub(crate) async fn settle<S: Sql, O: Outside>(
    engine: &Engine<'_, S, O>,
    target: &Target,
    resumed: Option<u64>,
    line: &Line,
) -> Result<(), Problem> {
    for link in audit_log::open_changes_of(engine.access.sql, target)? {
        if Some(link.sequence) != resumed && !settle_one(engine, target, &link).await? {
            let since = began(&link).unwrap_or(engine.outside.now());
            let left = engine.settle_after - engine.outside.now().duration_since(since);
            let seconds = u32::try_from(left.as_secs().clamp(1, 60)).unwrap_or(60);
            return Err(unsettled(target, seconds));
        }
    }
    match owed_probe::make(engine, target, line).await? {
        Owed::Nothing | Owed::Failed(_) => Ok(()),
        Owed::Still => Err(unsettled(target, PROBE_AGAIN_AFTER)),
    }
}

/// The answer while it is not known what became of an earlier change.
pub(super) fn unsettled(target: &Target, seconds: u32) -> Problem {
    Problem::new(
        Code::DeploymentUnsettled,
        format!("The answer to an earlier change of {target} was lost, and it may still be at work."),
        format!("Try again in {seconds} seconds; by then it is known what became of it."),
    )
    .retry_after(seconds)
}

/// The same for one intent, whichever way it ends.
///
/// # Errors
/// `RECORD_UNAVAILABLE`.
pub(crate) async fn settle_intent<S: Sql, O: Outside>(
    engine: &Engine<'_, S, O>,
    target: &Target,
    sequence: u64,
) -> Result<(), Problem> {
    for link in audit_log::open_changes_of(engine.access.sql, target)? {
        if link.sequence == sequence {
            settle_one(engine, target, &link).await?;
        }
    }
    Ok(())
}

/// Asks the upstream what became of an intent, and closes it if that is known. Says whether it is closed.
///
/// # Errors
/// `RECORD_UNAVAILABLE`.
pub(crate) async fn settle_one<S: Sql, O: Outside>(
    engine: &Engine<'_, S, O>,
    target: &Target,
    link: &Link,
) -> Result<bool, Problem> {
    let over =
        began(link).is_none_or(|since| engine.outside.now().duration_since(since) >= engine.settle_after);
    let verb = link.verb();
    match verb {
        Some(Verb::Deploy | Verb::Rollback | Verb::Promote) => {
            let id = text(link, "deployment").and_then(|id| DeploymentId::parse(id).ok());
            let deployment = match id {
                Some(id) => deployments::get(engine.access.sql, &id)?,
                None => None,
            };
            let Some(deployment) = deployment else {
                return close_unknown(engine, target, link, verb).map(|()| true);
            };
            settle_deployment(engine, deployment, link, over).await
        }
        Some(Verb::Delete) => settle_delete(engine, target, link, over).await,
        // They hold no place in the Worker's line, so that the call may be under way in this very process.
        Some(verb) if verb.is_of_assets() && !over => Ok(false),
        // Setting a secret or tags or uploading an asset again is safe, and whether it was done cannot be told from outside.
        _ => close_unknown(engine, target, link, verb).map(|()| true),
    }
}

async fn settle_deployment<S: Sql, O: Outside>(
    engine: &Engine<'_, S, O>,
    deployment: Deployment,
    link: &Link,
    over: bool,
) -> Result<bool, Problem> {
    let Ok(there) = held(engine.outside, &deployment.target).await else {
        return Ok(false);
    };
    let entry = afterwards(engine, &deployment.target, link, deployment.verb);
    if there.and_then(|held| held.deployment).as_ref() == Some(&deployment.id) {
        succeeded(engine, deployment, entry, &Value::Null)?;
        return Ok(true);
    }
    if over {
        let problem = Problem::new(Code::UpstreamUnavailable, "The upstream never took it.", "");
        failed(engine, deployment, entry, &problem)?;
    }
    Ok(over)
}

async fn settle_delete<S: Sql, O: Outside>(
    engine: &Engine<'_, S, O>,
    target: &Target,
    link: &Link,
    over: bool,
) -> Result<bool, Problem> {
    let mut entry = afterwards(engine, target, link, Verb::Delete);
    match described(engine.outside, target).await {
        Err(_) => return Ok(false),
        Ok(Some(_)) if !over => return Ok(false),
        Ok(Some(_)) => {
            entry.outcome = Outcome::Failed;
            entry.reason = Some(Reason::code(Code::UpstreamUnavailable));
            engine.access.record(&entry)?;
        }
        Ok(None) => {
            let sql = engine.access.sql;
            sql.transaction(|| {
                engine.access.record(&entry)?;
                workers::changed(sql, target)?;
                workers::serves(sql, target, None)?;
                Ok::<(), Problem>(())
            })?;
        }
    }
    Ok(true)
}

fn close_unknown<S: Sql, O: Outside>(
    engine: &Engine<'_, S, O>,
    target: &Target,
    link: &Link,
    verb: Option<Verb>,
) -> Result<(), Problem> {
    let mut entry = afterwards(engine, target, link, verb.unwrap_or(Verb::SettingsChange));
    entry.outcome = Outcome::Failed;
    entry.reason = Some(Reason::code(Code::UpstreamUnavailable).because("the answer was lost"));
    engine.access.record(&entry).map(drop)
}

/// The entry that closes an intent after the request that wrote it is gone: by whom it was, at the present time, from
/// no client.
fn afterwards<S: Sql, O: Outside>(
    engine: &Engine<'_, S, O>,
    target: &Target,
    link: &Link,
    verb: Verb,
) -> Entry {
    let client = Client {
        address: None,
        request_id: engine.access.client.request_id.clone(),
    };
    let mut entry = Entry::new(engine.outside.now(), verb, Outcome::Succeeded, client).about(target);
    entry.intent = Some(link.sequence);
    entry.deployment = text(link, "deployment").map(str::to_owned);
    entry.previous_deployment = text(link, "previous_deployment").map(str::to_owned);
    let member = |name: &str| link.entry.get(name).cloned().unwrap_or(Value::Null);
    entry.identity = serde_json::from_value(member("identity")).ok();
    entry.token = serde_json::from_value(member("token")).ok();
    entry
}

fn text<'a>(link: &'a Link, name: &str) -> Option<&'a str> {
    link.entry.get(name)?.as_str()
}

fn began(link: &Link) -> Option<Timestamp> {
    text(link, "time")?.parse().ok()
}
