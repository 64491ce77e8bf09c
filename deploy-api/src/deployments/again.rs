use serde_json::Value;

use super::look::{described, migration_tag};
use super::migration_path;
use super::ship::{Shipment, bundle_store_unavailable};
use super::{Deployment, DeploymentId, State, Warning};
use crate::audit::Verb;
use crate::bundles::{Bundle, Digest};
use crate::code::Code;
use crate::engine::{Engine, Outside};
use crate::problem::Problem;
use crate::sql::Sql;
use crate::store::{deployments, migrations, workers};
use crate::target::Target;
use crate::upload::{BindingRef, Metadata, Migrations};
use crate::upstream::{Method, call, script};

/// The deployment that "the one before" means for a rollback. A rollback counts as the deployment that it shipped again,
/// so that rolling back twice goes back two deployments and not to and fro.
///
/// # Errors
/// `ROLLBACK_IMPOSSIBLE` when there is none; `RECORD_UNAVAILABLE`.
pub(crate) fn previous(sql: &impl Sql, target: &Target) -> Result<Deployment, Problem> {
    let impossible = |what: &str| {
        Problem::new(
            Code::RollbackImpossible,
            format!("{what} of {target} to go back to."),
            "Name a deployment: GET …/deployments lists them.",
        )
    };
    let serving = workers::get(sql, target)?.and_then(|worker| worker.deployment);
    let mut at = serving.ok_or_else(|| impossible("No deployment serves, so there is none before it"))?;
    while let Some(Deployment {
        verb: Verb::Rollback,
        source: Some(source),
        ..
    }) = deployments::get(sql, &at)?
    {
        at = source;
    }
    deployments::before(sql, target, &at)?.ok_or_else(|| impossible("There is no earlier deployment"))
}

/// A deployment of a Worker that can be shipped again: one that went up.
///
/// # Errors
/// `DEPLOYMENT_UNKNOWN`, `ROLLBACK_IMPOSSIBLE`, `RECORD_UNAVAILABLE`.
pub(crate) fn named(sql: &impl Sql, target: &Target, id: &str) -> Result<Deployment, Problem> {
    let unknown = || {
        Problem::new(
            Code::DeploymentUnknown,
            format!("There is no such deployment of {target}."),
            "GET …/deployments lists them.",
        )
    };
    let id = DeploymentId::parse(id).map_err(|_| unknown())?;
    let found = deployments::get(sql, &id)?
        .filter(|found| found.target == *target)
        .ok_or_else(unknown)?;
    match found.state {
        State::Succeeded | State::RolledBack => Ok(found),
        State::Pending | State::Failed => Err(Problem::new(
            Code::RollbackImpossible,
            format!("Deployment {id} of {target} never went up."),
            "Name one whose state is \"succeeded\".",
        )),
    }
}

/// A deployment's bundle, from the store.
///
/// # Errors
/// `BUNDLE_MISSING`, `BUNDLE_STORE_UNAVAILABLE`.
pub(crate) async fn stored(outside: &impl Outside, deployment: &Deployment) -> Result<Bundle, Problem> {
    let missing = || {
        Problem::new(
            Code::BundleMissing,
            format!(
                "The bundle of deployment {} is not stored, or was damaged.",
                deployment.id
            ),
            "Deploy the version from its sources again.",
        )
    };
    let digest = Digest::parse(&deployment.bundle.digest).map_err(|_| missing())?;
    let bytes = outside
        .get(&digest)
        .await
        .map_err(|error| bundle_store_unavailable(&error))?
        .ok_or_else(missing)?;
    Bundle::unpack(&digest, bytes).map_err(|error| missing().caused_by(&error))
}

/// Makes a deployment's bundle ready to be shipped to a Worker: the same bytes, with the secrets that the Worker has,
/// or that are given now.
///
/// # Errors
/// `BUNDLE_MISSING`, `MIGRATION_UNKNOWN`, `SECRETS_MISSING`, `BUNDLE_STORE_UNAVAILABLE`, `UPSTREAM_…`,
/// `RECORD_UNAVAILABLE`.
pub(crate) async fn again<S: Sql, O: Outside>(
    engine: &Engine<'_, S, O>,
    target: &Target,
    source: &Deployment,
    verb: Verb,
    secrets: &[(String, String)],
) -> Result<Shipment, Problem> {
    let bundle = stored(engine.outside, source).await?;
    let described = described(engine.outside, target)
        .await
        .map_err(|failure| failure.problem)?;
    let tag = described.as_ref().and_then(migration_tag);
    let migrations = migrations_to(engine.access.sql, target, tag.as_deref(), source)?;
    let metadata = Metadata::of_kept(bundle.metadata.clone());
    let needed: Vec<&str> = metadata
        .bindings()
        .filter(BindingRef::is_secret)
        .map(|binding| binding.name)
        .filter(|name| !secrets.iter().any(|(given, _)| given == name))
        .collect();
    if !needed.is_empty() {
        let held = if described.is_some() {
            secret_names(engine.outside, target).await?
        } else {
            Vec::new()
        };
        let missing: Vec<&str> = needed
            .into_iter()
            .filter(|name| !held.iter().any(|held| held == name))
            .collect();
        if !missing.is_empty() {
            return Err(secrets_missing(target, verb, &missing));
        }
    }
    let mut warnings = source.warnings.clone();
    if verb == Verb::Promote {
        warnings.extend(secrets_left_behind(engine.outside, &source.target, target, secrets).await?);
    }
    Ok(Shipment {
        verb,
        source: Some(source.id.clone()),
        metadata: metadata.shipped_again(secrets, migrations.as_ref()),
        bundle,
        stored: Digest::parse(&source.bundle.digest).ok(),
        query: vec![("excludeScript", "true".to_owned())],
        fingerprint: None,
        warnings,
        migrations,
    })
}

/// The migrations that lead from the Worker's present tag to the deployment's; nothing where they are the same.
fn migrations_to(
    sql: &impl Sql,
    target: &Target,
    present: Option<&str>,
    source: &Deployment,
) -> Result<Option<Migrations>, Problem> {
    let wanted = source.migration_tag.as_deref();
    if wanted == present {
        return Ok(None);
    }
    let known = migrations::of_worker(sql, target.worker.as_str())?;
    wanted
        .and_then(|wanted| migration_path::path(&known, present, wanted))
        .map(Some)
        .ok_or_else(|| {
            let shown = |tag: Option<&str>| tag.map_or("none".to_owned(), |tag| format!("\"{tag}\""));
            Problem::new(
                Code::MigrationUnknown,
                format!(
                    "{target} has the Durable Object migration tag {}, deployment {} has {}, and no known migrations \
                     lead from the one to the other.",
                    shown(present),
                    source.id,
                    shown(wanted)
                ),
                "Deploy from sources, with the migrations in the wrangler configuration: objects are never migrated back.",
            )
        })
}

/// The names of a Worker's secrets.
///
/// # Errors
/// `UPSTREAM_…`.
pub(crate) async fn secret_names(outside: &impl Outside, target: &Target) -> Result<Vec<String>, Problem> {
    let answer = call(outside, script::script(Method::Get, target, &["secrets"])).await;
    let reply = match answer.outcome {
        Ok(reply) => reply,
        Err(failure) if failure.absent => return Ok(Vec::new()),
        Err(failure) => return Err(failure.problem),
    };
    let list = reply.result.as_array().cloned().unwrap_or_default();
    Ok(list
        .iter()
        .filter_map(|secret| secret.get("name").and_then(Value::as_str).map(str::to_owned))
        .collect())
}

/// A warning of secrets that were set on the Worker itself where it comes from, and not where it goes. The bundle does
/// not name them, so that nobody can tell whether they are still used.
async fn secrets_left_behind(
    outside: &impl Outside,
    from: &Target,
    to: &Target,
    given: &[(String, String)],
) -> Result<Option<Warning>, Problem> {
    let mut left = secret_names(outside, from).await?;
    left.retain(|name| !given.iter().any(|(given, _)| given == name));
    if left.is_empty() {
        return Ok(None);
    }
    let held = secret_names(outside, to).await?;
    left.retain(|name| !held.contains(name));
    Ok((!left.is_empty()).then(|| Warning {
        code: Code::SecretsMissing.name().to_owned(),
        message: format!("{from} has secrets that {to} does not have: {}.", left.join(", ")),
    }))
}

fn secrets_missing(target: &Target, verb: Verb, names: &[&str]) -> Problem {
    let fix = if verb == Verb::Promote {
        "Give them with the promotion: {\"to\": …, \"secrets\": {\"NAME\": \"value\"}}."
    } else {
        "Set them: PUT …/secrets/{name} of this API."
    };
    Problem::new(
        Code::SecretsMissing,
        format!(
            "{target} lacks secrets that the deployment uses: {}.",
            names.join(", ")
        ),
        fix,
    )
}
