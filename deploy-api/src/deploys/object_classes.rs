//! Whether a redeploy loses the objects of a Durable Object class.

use crate::code::Code;
use crate::deployments::Deployment;
use crate::problem::Problem;
use crate::store::object_classes::RecordedClass;
use crate::target::Target;
use crate::upload::{ClassState, ObjectClasses};

/// Checks that a redeploy neither creates a removed class again, which would be without its objects, nor removes a class that
/// was created again.
///
/// # Errors
/// `MIGRATION_UNKNOWN`, which names the class.
pub(super) fn check(
    target: &Target,
    source: &Deployment,
    declared: &ObjectClasses,
    removed: &[RecordedClass],
) -> Result<(), Problem> {
    for (class, state) in declared.iter() {
        let Some(recorded) = removed.iter().find(|removed| removed.name == class) else {
            continue;
        };
        let removal = recorded.removal.as_deref().unwrap_or("removed");
        let detail = match (state, recorded.is_live) {
            (ClassState::Live, false) => format!(
                "Deployment {} has the Durable Object class {class}, which was {removal} since in {target}: the class would \
                 be created again, without its objects.",
                source.id
            ),
            (ClassState::Live, true) | (_, false) => continue,
            (_, true) => format!(
                "Deployment {} removes the Durable Object class {class}, which was {removal} before in {target} and was \
                 created again: the objects that it has now would be lost.",
                source.id
            ),
        };
        return Err(Problem::new(
            Code::MigrationUnknown,
            detail,
            "Deploy from sources, with the `exports` that you want in the wrangler configuration: objects are never \
             migrated back.",
        ));
    }
    Ok(())
}
