use serde_json::Value;

use super::{DeploymentId, TAG_PREFIX};
use crate::engine::Outside;
use crate::target::Target;
use crate::upstream::{CallFailure, Method, call, script};

/// What the upstream holds under a Worker's name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Held {
    /// The deployment that its tags name; nothing where it came another way.
    pub deployment: Option<DeploymentId>,
    /// Its other tags.
    pub tags: Vec<String>,
}

/// Asks which deployment the upstream holds; nothing where it holds none.
///
/// Each upload carries its deployment's id as a tag of the script, which the upstream keeps with the script in one step.
/// So this tells what became of a call whose answer was lost, and whether something was deployed past this API.
pub(crate) async fn held(outside: &impl Outside, target: &Target) -> Result<Option<Held>, CallFailure> {
    let answer = call(outside, script::script(Method::Get, target, &["tags"])).await;
    match answer.outcome {
        Ok(reply) => {
            let tags: Vec<String> = serde_json::from_value(reply.result).unwrap_or_default();
            Ok(Some(Held {
                deployment: DeploymentId::of_tags(&tags),
                tags: without_own(tags),
            }))
        }
        Err(failure) if failure.absent => Ok(None),
        Err(failure) => Err(failure),
    }
}

/// Tags without the one that names the deployment.
pub(crate) fn without_own(mut tags: Vec<String>) -> Vec<String> {
    tags.retain(|tag| !tag.starts_with(TAG_PREFIX));
    tags
}

/// The script itself, as the upstream describes it; nothing where it holds none.
pub(crate) async fn described(outside: &impl Outside, target: &Target) -> Result<Option<Value>, CallFailure> {
    let answer = call(outside, script::script(Method::Get, target, &[])).await;
    match answer.outcome {
        Ok(reply) => Ok(Some(reply.result)),
        Err(failure) if failure.absent => Ok(None),
        Err(failure) => Err(failure),
    }
}

/// The Durable Object migration tag of a script as the upstream describes it.
pub(crate) fn migration_tag(described: &Value) -> Option<String> {
    let script = described.get("script").unwrap_or(described);
    script
        .get("migration_tag")?
        .as_str()
        .filter(|tag| !tag.is_empty())
        .map(str::to_owned)
}
