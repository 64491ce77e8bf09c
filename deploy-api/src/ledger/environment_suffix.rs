//! The Workers that `wrangler deploy --env prod` makes by accident: `api-prod` beside `api`. wrangler shows the environment only
//! after the upload, in a tag, and on this platform an environment is a namespace.

use super::actor::Actor;
use crate::access::Access;
use crate::code::Code;
use crate::problem::Problem;
use crate::sql::Sql;
use crate::store::workers;
use crate::store::workers::WorkerRecord;
use crate::target::Target;

/// The tag that wrangler sets after a deploy with `--env`.
const ENVIRONMENT_TAG: &str = "cf:environment=";

/// Refuses an upload of `X-suffix` that is the first one while `X` exists, or that wrangler's tag shows to be an environment of
/// `X`, unless it is a preview of `X` or a rule for the caller names `X-suffix` literally.
///
/// # Errors
/// `ENVIRONMENT_SUFFIX`, `RECORD_UNAVAILABLE`.
pub(super) fn check<S: Sql>(
    access: &Access<'_, S>,
    actor: &Actor,
    target: &Target,
    record: Option<&WorkerRecord>,
) -> Result<(), Problem> {
    if target.preview().is_some() {
        // The preview of a Worker has its name and a suffix.
        return Ok(());
    }
    let name = target.worker.as_str();
    let tagged = record.and_then(|record| tagged_environment(name, &record.tags));
    let is_first = record.is_none_or(|record| record.deployment.is_none());
    let problem = match tagged {
        Some(environment) => was_deployed_with_env(target, environment),
        None if is_first => match existing_prefix(access.sql, name)? {
            Some((worker, suffix)) => looks_like_env(target, worker, suffix),
            None => return Ok(()),
        },
        None => return Ok(()),
    };
    if access.is_named_in_policy(&actor.caller, &target.worker)? {
        return Ok(());
    }
    Err(problem)
}

/// The environment of wrangler's tag, if it is the suffix of the Worker's name.
fn tagged_environment<'a>(name: &str, tags: &'a [String]) -> Option<&'a str> {
    tags.iter()
        .filter_map(|tag| tag.strip_prefix(ENVIRONMENT_TAG))
        .find(|environment| {
            name.strip_suffix(*environment)
                .is_some_and(|rest| rest.len() > 1 && rest.ends_with('-'))
        })
}

/// The longest name of a deployed Worker that is this name without a suffix, and the suffix.
fn existing_prefix<'a>(sql: &impl Sql, name: &'a str) -> Result<Option<(&'a str, &'a str)>, Problem> {
    for (hyphen, _) in name.rmatch_indices('-') {
        let (worker, suffix) = name.split_at(hyphen);
        if workers::is_deployed_somewhere(sql, worker)? {
            return Ok(Some((worker, suffix.trim_start_matches('-'))));
        }
    }
    Ok(None)
}

fn looks_like_env(target: &Target, worker: &str, suffix: &str) -> Problem {
    let (name, namespace) = (&target.worker, target.namespace());
    Problem::new(
        Code::EnvironmentSuffix,
        format!(
            "There is no Worker \"{name}\" yet, and \"{worker}\" exists: `wrangler deploy --env {suffix}` of \"{worker}\" sends \
             this name. On this platform an environment is a namespace, and a Worker has the same name in every namespace."
        ),
        format!(
            "Add \"name\": \"{worker}\" to env.{suffix} of the wrangler configuration, or omit --env; then deploy with \
             `--dispatch-namespace {namespace}`. If \"{name}\" is a Worker of its own, an administrator adds this name to \
             \"workers\" of a rule for you in the policy."
        ),
    )
}

fn was_deployed_with_env(target: &Target, environment: &str) -> Problem {
    let (name, namespace) = (&target.worker, target.namespace());
    let worker = name
        .as_str()
        .strip_suffix(environment)
        .map_or("", |rest| rest.trim_end_matches('-'));
    Problem::new(
        Code::EnvironmentSuffix,
        format!(
            "The Worker \"{name}\" was deployed with `wrangler deploy --env {environment}`, as its tag \
             \"{ENVIRONMENT_TAG}{environment}\" shows. On this platform an environment is a namespace."
        ),
        format!(
            "Add \"name\": \"{worker}\" to env.{environment} of the wrangler configuration, deploy with \
             `--dispatch-namespace {namespace}`, and delete \"{name}\" (DELETE /v1/namespaces/{namespace}/workers/{name}). If \
             \"{name}\" is a Worker of its own, an administrator adds this name to \"workers\" of a rule for you in the policy."
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_environment_in_the_name_counts() {
        let tags = |environment: &str| vec!["team:a".to_owned(), format!("cf:environment={environment}")];
        assert_eq!(tagged_environment("api-prod", &tags("prod")), Some("prod"));
        assert_eq!(
            tagged_environment("api-eu-west", &tags("eu-west")),
            Some("eu-west")
        );
        // An environment whose configuration sets the name.
        assert_eq!(tagged_environment("api", &tags("prod")), None);
        assert_eq!(tagged_environment("api-prod", &tags("rod")), None);
        assert_eq!(tagged_environment("api-prod", &tags("")), None);
        assert_eq!(tagged_environment("-prod", &tags("prod")), None);
    }
}
