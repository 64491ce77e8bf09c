//! The remote state of a Worker.

use serde_json::{Map, Value, json};

use crate::deployments::{DeploymentId, RemoteVersion, TAG_PREFIX};
use crate::problem::Problem;
use crate::services::Services;
use crate::target::Target;
use crate::upload::{as_authored, remove_log_consumer, remove_own_deployment};
use crate::upstream::{CallFailure, Method, call, script};

/// The tags of a script.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct RemoteTags {
    /// The deployment that they name; `None` if the script was not uploaded through this API.
    pub deployment: Option<DeploymentId>,
    /// The other tags.
    pub tags: Vec<String>,
}

/// A script as the upstream describes it.
#[derive(Clone, Debug, Default)]
pub(crate) struct RemoteState {
    /// Its version.
    pub version: RemoteVersion,
    /// Its tags without the one that names the deployment; `None` if the upstream did not return them.
    pub tags: Option<Vec<String>>,
    /// Its Durable Object migration tag.
    pub migration_tag: Option<String>,
}

impl RemoteState {
    /// Reads a script, as a list or the call about one script returns it.
    pub fn read(described: &Value) -> Self {
        let script = described.get("script").unwrap_or(described);
        let text = |name: &str| {
            let found = script.get(name).or_else(|| described.get(name));
            found.and_then(Value::as_str)
        };
        let tags: Option<Vec<String>> = script
            .get("tags")
            .filter(|tags| tags.is_array())
            .and_then(|tags| serde_json::from_value(tags.clone()).ok());
        Self {
            version: RemoteVersion {
                deployment: tags.as_ref().and_then(DeploymentId::of_tags),
                has_tags: tags.is_some(),
                etag: text("etag").map(str::to_owned),
                modified: text("modified_on").and_then(|time| time.parse().ok()),
            },
            tags: tags.map(without_own),
            migration_tag: migration_tag(described),
        }
    }
}

/// A script and its version; `None` if the upstream has no such script.
pub(crate) async fn remote_state(
    services: &impl Services,
    target: &Target,
) -> Result<Option<RemoteState>, CallFailure> {
    match remote_script(services, target).await? {
        Some(described) => read_state(services, target, &described).await.map(Some),
        None => Ok(None),
    }
}

/// The state of a script that the upstream has described. If the description has no tags, they are requested.
pub(crate) async fn read_state(
    services: &impl Services,
    target: &Target,
    described: &Value,
) -> Result<RemoteState, CallFailure> {
    let mut state = RemoteState::read(described);
    if state.tags.is_none()
        && let Some(there) = remote_tags(services, target).await?
    {
        state.version.deployment = there.deployment;
        state.version.has_tags = true;
        state.tags = Some(there.tags);
    }
    Ok(state)
}

/// The tags of a script; `None` if the upstream has no such script.
///
/// Each upload carries its deployment's id as a tag, which the upstream stores with the script in one step. So the tags say
/// whether a call whose answer was lost was carried out, and whether something was deployed outside of this API.
pub(crate) async fn remote_tags(
    services: &impl Services,
    target: &Target,
) -> Result<Option<RemoteTags>, CallFailure> {
    // A script of the account has no call for its tags.
    let part = if target.is_in_account() {
        "script-settings"
    } else {
        "tags"
    };
    let answer = call(services, script::script(Method::Get, target, &[part])).await;
    match answer.outcome {
        Ok(mut reply) => {
            if let Some(tags) = reply.result.get_mut("tags") {
                reply.result = tags.take();
            }
            let tags: Vec<String> = serde_json::from_value(reply.result).unwrap_or_default();
            Ok(Some(RemoteTags {
                deployment: DeploymentId::of_tags(&tags),
                tags: without_own(tags),
            }))
        }
        Err(failure) if failure.absent => Ok(None),
        Err(failure) => Err(failure),
    }
}

/// Whether the upstream has a deployment of a Worker.
pub(crate) async fn has_deployment(
    services: &impl Services,
    target: &Target,
    id: &DeploymentId,
) -> Result<bool, CallFailure> {
    let there = remote_tags(services, target).await?;
    Ok(there.and_then(|there| there.deployment).as_ref() == Some(id))
}

/// Tags without the one that names the deployment.
pub(crate) fn without_own(mut tags: Vec<String>) -> Vec<String> {
    tags.retain(|tag| !tag.starts_with(TAG_PREFIX));
    tags
}

/// The script as the upstream describes it; `None` if it has no such script.
pub(crate) async fn remote_script(
    services: &impl Services,
    target: &Target,
) -> Result<Option<Value>, CallFailure> {
    // The same call about a script of the account returns its code.
    let request = if target.is_in_account() {
        script::account(Method::Get, &["workers", "services", target.worker.as_str()])
    } else {
        script::script(Method::Get, target, &[])
    };
    match call(services, request).await.outcome {
        Ok(mut reply) => Ok(Some(
            match reply.result.pointer_mut("/default_environment/script") {
                Some(script) => json!({ "script": script.take() }),
                None => reply.result,
            },
        )),
        Err(failure) if failure.absent => Ok(None),
        Err(failure) => Err(failure),
    }
}

/// The settings of a script as the upstream returns them, with the author's service bindings and tail consumers; `None` if it has no such
/// script.
pub(crate) async fn remote_settings(
    services: &impl Services,
    target: &Target,
) -> Result<Option<Map<String, Value>>, CallFailure> {
    let answer = call(services, script::script(Method::Get, target, &["settings"])).await;
    match answer.outcome {
        Ok(reply) => Ok(Some(match reply.result {
            Value::Object(settings) => as_authored_settings(settings, target),
            _ => Map::new(),
        })),
        Err(failure) if failure.absent => Ok(None),
        Err(failure) => Err(failure),
    }
}

fn as_authored_settings(mut settings: Map<String, Value>, target: &Target) -> Map<String, Value> {
    if target.is_in_account() {
        remove_own_deployment(&mut settings);
        return settings;
    }
    if let Some(Value::Array(bindings)) = settings.get_mut("bindings") {
        for binding in bindings {
            *binding = as_authored(binding.take());
        }
    }
    remove_log_consumer(&mut settings);
    settings
}

/// The bindings of a script; empty if the upstream has no such script, `None` if it returns none.
///
/// # Errors
/// `UPSTREAM_…`.
pub(crate) async fn current_bindings(
    services: &impl Services,
    target: &Target,
) -> Result<Option<Vec<Value>>, Problem> {
    let settings = remote_settings(services, target)
        .await
        .map_err(|failure| failure.problem)?;
    Ok(settings.map_or(Some(Vec::new()), |mut settings| {
        match settings.remove("bindings") {
            Some(Value::Array(bindings)) => Some(bindings),
            _ => None,
        }
    }))
}

/// The Durable Object migration tag of a script as the upstream describes it.
pub(crate) fn migration_tag(script: &Value) -> Option<String> {
    script
        .get("script")
        .unwrap_or(script)
        .get("migration_tag")?
        .as_str()
        .filter(|tag| !tag.is_empty())
        .map(str::to_owned)
}

/// The names of a Worker's secrets; empty if the upstream has no such Worker.
///
/// # Errors
/// `UPSTREAM_…`.
pub(crate) async fn secret_names(
    services: &impl Services,
    target: &Target,
) -> Result<Vec<String>, CallFailure> {
    let answer = call(services, script::script(Method::Get, target, &["secrets"])).await;
    let reply = match answer.outcome {
        Ok(reply) => reply,
        Err(failure) if failure.absent => return Ok(Vec::new()),
        Err(failure) => return Err(failure),
    };
    let list = reply.result.as_array().cloned().unwrap_or_default();
    Ok(list
        .iter()
        .filter_map(|secret| secret.get("name").and_then(Value::as_str).map(str::to_owned))
        .collect())
}
