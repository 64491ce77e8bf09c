use std::collections::{HashMap, VecDeque};

use crate::code::Code;
use crate::deployments::Deployment;
use crate::problem::Problem;
use crate::target::Target;
use crate::upload::Migrations;

/// The migrations from one tag to another, joined; `None` if they are not known. Without a tag, a Worker has
/// no Durable Objects yet.
fn path(known: &[Migrations], from: Option<&str>, to: &str) -> Option<Migrations> {
    let mut came_by: HashMap<Option<&str>, &Migrations> = HashMap::new();
    let mut open = VecDeque::from([from]);
    while let Some(at) = open.pop_front() {
        if at == Some(to) {
            break;
        }
        for migrations in known.iter().filter(|known| known.old_tag.as_deref() == at) {
            let next = Some(migrations.new_tag.as_str());
            if next != from && !came_by.contains_key(&next) {
                came_by.insert(next, migrations);
                open.push_back(next);
            }
        }
    }
    let mut taken = Vec::new();
    let mut at = Some(to);
    while at != from {
        let migrations = came_by.get(&at)?;
        taken.push(*migrations);
        at = migrations.old_tag.as_deref();
    }
    Some(Migrations {
        old_tag: from.map(str::to_owned),
        new_tag: to.to_owned(),
        steps: taken
            .into_iter()
            .rev()
            .flat_map(|migrations| migrations.steps.clone())
            .collect(),
    })
}

/// The migrations from the Worker's current tag to the deployment's; `None` if the tags are equal.
///
/// # Errors
/// `MIGRATION_UNKNOWN`.
pub(super) fn migrations_to(
    known: &[Migrations],
    target: &Target,
    present: Option<&str>,
    source: &Deployment,
) -> Result<Option<Migrations>, Problem> {
    let wanted = source.migration_tag.as_deref();
    if wanted == present {
        return Ok(None);
    }
    wanted
        .and_then(|wanted| path(known, present, wanted))
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn step(old: Option<&str>, new: &str) -> Migrations {
        Migrations {
            old_tag: old.map(str::to_owned),
            new_tag: new.to_owned(),
            steps: vec![json!({ "new_sqlite_classes": [new] })],
        }
    }

    #[test]
    fn known_migrations_are_joined_from_tag_to_tag() {
        let known = [
            step(Some("v2"), "v3"),
            step(None, "v1"),
            step(Some("v1"), "v2"),
            step(Some("v3"), "v1"),
        ];
        let steps = |from, to: &str| path(&known, from, to).map(|found| found.steps.len());
        assert_eq!(steps(None, "v3"), Some(3));
        assert_eq!(steps(Some("v1"), "v3"), Some(2));
        assert_eq!(steps(Some("v2"), "v2"), Some(0));
        assert_eq!(steps(Some("v3"), "v2"), Some(2));
        assert_eq!(steps(None, "v9"), None);
        assert_eq!(steps(Some("v9"), "v1"), None);
    }
}
