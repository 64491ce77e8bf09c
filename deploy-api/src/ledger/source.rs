//! Which deployment a rollback, a promotion or a preview uploads again.

use super::change::{Begin, Change};
use crate::audit::Action;
use crate::code::Code;
use crate::deployments::{Deployment, DeploymentId, State};
use crate::problem::Problem;
use crate::sql::Sql;
use crate::store::{deployments, workers};
use crate::target::Target;

/// The deployment that a change uploads again, or `None` for other changes.
///
/// # Errors
/// If there is no such deployment, or it was never uploaded.
pub(super) fn source(sql: &impl Sql, begin: &Begin) -> Result<Option<Deployment>, Problem> {
    let found = find(sql, begin)?;
    match &found {
        Some(adopted) if adopted.action == Action::Adopt => Err(Problem::new(
            Code::BundleMissing,
            format!(
                "Deployment {} was not uploaded through this API: its state was adopted, and it has no bundle.",
                adopted.id
            ),
            "Name another deployment, or deploy the version from its sources.",
        )),
        _ => Ok(found),
    }
}

fn find(sql: &impl Sql, begin: &Begin) -> Result<Option<Deployment>, Problem> {
    Ok(match &begin.change {
        Change::Rollback { deployment: None, .. } => Some(previous(sql, &begin.target)?),
        Change::Rollback {
            deployment: Some(id), ..
        } => Some(named(sql, &begin.target, id)?),
        Change::Promote {
            from,
            deployment: Some(id),
            ..
        } => Some(named(sql, from, id)?),
        Change::Promote {
            from,
            deployment: None,
            ..
        } => Some(serving(sql, from)?),
        Change::Preview { from, deployment, .. } => Some(named(sql, from, deployment.as_str())?),
        Change::Overwrite { deployment } => {
            let current = serving(sql, &begin.target)?;
            if current.id != *deployment {
                return Err(Problem::new(
                    Code::DriftUnknown,
                    format!("{} was deployed meanwhile.", begin.target),
                    "GET the Worker, and decide again.",
                ));
            }
            Some(current)
        }
        Change::UndoDeployment { deployment } => {
            let undone = deployments::get(sql, deployment)?;
            let before = match undone.and_then(|undone| undone.previous) {
                Some(id) => deployments::get(sql, &id)?,
                None => None,
            };
            Some(before.ok_or_else(|| {
                Problem::new(
                    Code::RollbackImpossible,
                    format!("There is no deployment of {} before it.", begin.target),
                    "",
                )
            })?)
        }
        _ => None,
    })
}

/// The deployment before the current one. A rollback counts as the deployment that it redeployed, so that two rollbacks
/// go back two deployments.
fn previous(sql: &impl Sql, target: &Target) -> Result<Deployment, Problem> {
    let impossible = |what: &str| {
        Problem::new(
            Code::RollbackImpossible,
            format!("{what} of {target} to go back to."),
            "If GET …/deployments lists one that succeeded, name it as \"deployment\". Otherwise deploy the intended version.",
        )
    };
    let serving = workers::get(sql, target)?.and_then(|worker| worker.deployment);
    let mut at =
        serving.ok_or_else(|| impossible("There is no current deployment, and so no earlier one"))?;
    while let Some(Deployment {
        action: Action::Rollback,
        source: Some(source),
        ..
    }) = deployments::get(sql, &at)?
    {
        at = source;
    }
    deployments::before(sql, target, &at)?.ok_or_else(|| impossible("There is no earlier deployment"))
}

/// A deployment of a Worker that can be deployed again: one that was uploaded.
fn named(sql: &impl Sql, target: &Target, id: &str) -> Result<Deployment, Problem> {
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
            format!("Deployment {id} of {target} was never uploaded."),
            "Name one whose state is \"succeeded\".",
        )),
    }
}

/// The current deployment of a Worker.
fn serving(sql: &impl Sql, target: &Target) -> Result<Deployment, Problem> {
    let serving = workers::current_deployment(sql, workers::get(sql, target)?.as_ref())?;
    serving.ok_or_else(|| {
        Problem::new(
            Code::DeploymentUnknown,
            format!("{target} has no current deployment that was made through this API."),
            "Deploy it there first, or name a deployment.",
        )
    })
}
