//! The outcome of a change whose answer was lost, as far as the state of the upstream shows it.

use super::remote::{remote_script, remote_state, secret_names};
use crate::audit::Action;
use crate::code::Code;
use crate::deployments::{Deployment, DeploymentId, ExpectedState, RemoteVersion, SentChange};
use crate::ledger::{End, ScriptState};
use crate::problem::Problem;
use crate::services::Services;
use crate::target::Target;
use crate::upstream::CallFailure;

/// A change whose answer was lost.
pub(super) struct LostChange<'a> {
    /// The Worker.
    pub target: &'a Target,
    /// What was done.
    pub action: Action,
    /// The deployment, for an upload.
    pub deployment: Option<&'a Deployment>,
    /// The change of secrets or tags, if it was sent.
    pub sent: Option<&'a SentChange>,
    /// Whether the upstream will not execute the change any more if it has not done so.
    pub is_over: bool,
    /// The deployment that this instance of the deploy API is; `None` if it was not deployed through itself.
    pub own: Option<&'a DeploymentId>,
}

/// Asks the upstream how a change ended. `None` if it may still be executed, or the upstream does not answer.
pub(super) async fn outcome(services: &impl Services, change: &LostChange<'_>) -> Option<End> {
    let known = match (change.action, change.deployment) {
        (
            Action::Deploy
            | Action::Import
            | Action::Rollback
            | Action::Promote
            | Action::Preview
            | Action::Adopt,
            Some(deployment),
        ) => {
            if change.target.is_deploy_api() && change.own != Some(&deployment.id) {
                Ok(Known::NotExecuted("The deploy API runs another version."))
            } else {
                upload(services, change.target, deployment).await
            }
        }
        (Action::Delete, _) => deletion(services, change.target).await,
        _ => match change.sent {
            Some(sent) => small_change(services, change.target, sent).await,
            // Nothing was sent, or it was an upload of assets, which changes no Worker.
            None => Ok(Known::NotExecuted("Nothing was sent to the upstream.")),
        },
    };
    match known.ok()? {
        Known::Executed(state) => Some(End::Succeeded {
            upstream: None,
            script: state,
        }),
        Known::NotExecuted(why) => change.is_over.then(|| End::Failed {
            upstream: None,
            problem: Box::new(Problem::new(Code::UpstreamUnavailable, why, "")),
        }),
        Known::NotTold(why) => change.is_over.then(|| End::Undetermined {
            problem: Box::new(Problem::new(
                Code::UpstreamUnavailable,
                why,
                "Read the secrets and tags, and repeat the change.",
            )),
        }),
    }
}

/// What the state of the upstream says about a change.
enum Known {
    Executed(Box<ScriptState>),
    /// It was not executed until now.
    NotExecuted(&'static str),
    /// The state is the same with the change and without it.
    NotTold(&'static str),
}

async fn upload(
    services: &impl Services,
    target: &Target,
    deployment: &Deployment,
) -> Result<Known, CallFailure> {
    let Some(found) = remote_state(services, target).await? else {
        return Ok(Known::NotExecuted("The upstream never received it."));
    };
    if found.version.deployment.as_ref() != Some(&deployment.id) {
        return Ok(Known::NotExecuted("The upstream never received it."));
    }
    Ok(Known::Executed(Box::new(ScriptState {
        etag: found.version.etag.clone(),
        tags: found.tags,
        migration_tag: Some(found.migration_tag),
        after: Some(found.version),
        ..ScriptState::default()
    })))
}

async fn deletion(services: &impl Services, target: &Target) -> Result<Known, CallFailure> {
    Ok(match remote_script(services, target).await? {
        None => Known::Executed(Box::default()),
        Some(_) => Known::NotExecuted("The upstream still has the Worker."),
    })
}

async fn small_change(
    services: &impl Services,
    target: &Target,
    sent: &SentChange,
) -> Result<Known, CallFailure> {
    let Some(found) = remote_state(services, target).await? else {
        return Ok(Known::NotExecuted(
            "The upstream does not have the Worker any more.",
        ));
    };
    let after = |version: RemoteVersion, tags: Option<Vec<String>>| {
        Known::Executed(Box::new(ScriptState {
            tags,
            after: Some(version),
            ..ScriptState::default()
        }))
    };
    match &sent.expected {
        ExpectedState::Tags { tags, before } => {
            let found_tags = found.tags.unwrap_or_default();
            let there = sorted(&found_tags);
            Ok(if there == sorted(tags) {
                after(found.version, Some(tags.clone()))
            } else if there == sorted(before) {
                Known::NotExecuted("The Worker has the tags that it had before.")
            } else {
                Known::NotTold("The Worker has other tags than before and after the change.")
            })
        }
        ExpectedState::Secrets { set, removed } => {
            let names = secret_names(services, target).await?;
            let is_as_expected = set.iter().all(|name| names.contains(name))
                && !removed.iter().any(|name| names.contains(name));
            // The values of secrets cannot be read. A secret that was set before may have its old value.
            Ok(if !is_as_expected {
                Known::NotExecuted("The Worker does not have the changed secrets.")
            } else if set.is_empty() || found.version.is_modified_since(&sent.before) == Some(true) {
                after(found.version, None)
            } else {
                Known::NotTold("The upstream does not tell whether a secret has its new value.")
            })
        }
    }
}

fn sorted(tags: &[String]) -> Vec<&str> {
    let mut sorted: Vec<&str> = tags.iter().map(String::as_str).collect();
    sorted.sort_unstable();
    sorted
}
