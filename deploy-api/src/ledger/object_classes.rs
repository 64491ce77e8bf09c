//! The Durable Object classes of a Worker whose uploads declare them in `exports`. A rollback or a promotion must not
//! create a removed class again, because its objects would be empty, and a rollback must not delete a class.

use super::change::Change;
use crate::code::Code;
use crate::deployments::{Deployment, DeploymentId};
use crate::problem::Problem;
use crate::sql::Sql;
use crate::store::declared_classes;
use crate::target::Target;
use crate::upload::DeclaredClasses;

/// The classes that the target has after the change.
///
/// # Errors
/// `MIGRATION_UNKNOWN` if the change redeploys a deployment with other classes than the target can have.
pub(super) fn classes_after(
    sql: &impl Sql,
    target: &Target,
    change: &Change,
    source: Option<&Deployment>,
    serving: Option<&DeploymentId>,
) -> Result<DeclaredClasses, Problem> {
    let present = match serving {
        Some(id) => declared_classes::of_deployment(sql, id)?,
        None => DeclaredClasses::default(),
    };
    let declared = match (change, source) {
        (Change::Deploy(upload), _) => upload.classes.clone(),
        (_, Some(source)) => {
            let classes = declared_classes::of_deployment(sql, &source.id)?;
            check(target, source, &classes, &present)?;
            (classes != DeclaredClasses::default()).then_some(classes)
        }
        _ => None,
    };
    Ok(declared.map_or_else(|| present.clone(), |declared| present.after(&declared)))
}

fn check(
    target: &Target,
    source: &Deployment,
    classes: &DeclaredClasses,
    present: &DeclaredClasses,
) -> Result<(), Problem> {
    if let Some(class) = classes.live.intersection(&present.removed).next() {
        return Err(refused(format!(
            "{target} had the Durable Object class \"{class}\", which a later deployment deleted, renamed or \
             transferred. Deployment {} declares it in `exports` and would create it again with empty objects.",
            source.id
        )));
    }
    let is_rollback = source.target == *target;
    if is_rollback && let Some(class) = classes.removed.intersection(&present.live).next() {
        return Err(refused(format!(
            "{target} has the Durable Object class \"{class}\", which deployment {} removes. A rollback would delete \
             its objects.",
            source.id
        )));
    }
    Ok(())
}

fn refused(detail: String) -> Problem {
    Problem::new(
        Code::MigrationUnknown,
        detail,
        "Deploy from sources, with the classes in `exports` of the wrangler configuration: objects are never migrated \
         back.",
    )
}
