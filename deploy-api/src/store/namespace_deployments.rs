//! The deployments of a namespace, across its Workers.

use dotdo_names::Environment;
use jiff::{SignedDuration, Timestamp};

use super::deployments::{COLUMNS, read};
use crate::deployments::{Deployment, DeploymentId};
use crate::policy::WorkerPattern;
use crate::sql::{Sql, SqlError, Value};

pub(super) const INDEX: &str =
    "CREATE INDEX deployments_by_namespace ON deployments (namespace, id, worker, created)";

/// How many deployments a page of a namespace may pass over that do not match.
pub const WINDOW: u32 = 10_000;

/// By how much the time in the id of a deployment may differ from the time at which it began: the id is older than the upload of
/// its body, and the clocks of the instances differ.
const CLOCKS_DIFFER: SignedDuration = SignedDuration::from_hours(24);

/// Which deployments of a namespace to find.
#[derive(Clone, Debug)]
pub struct NamespaceDeployments<'a> {
    /// The namespace.
    pub environment: Environment,
    /// The Workers: a deployment is listed if one of these patterns matches its Worker.
    pub workers: &'a [WorkerPattern],
    /// Only deployments that began at this time or later.
    pub since: Option<Timestamp>,
    /// Only deployments that began before this time.
    pub until: Option<Timestamp>,
    /// Only deployments before this one in the order of ids.
    pub before: Option<DeploymentId>,
    /// The most deployments of the page.
    pub limit: u32,
}

/// Deployments of a namespace, the newest first, with the id before which the next page continues; `None` on the last page. A page
/// covers at most [`WINDOW`] deployments, so it can have fewer deployments than its limit, or none.
///
/// # Errors
/// When the database fails.
pub fn find(
    sql: &impl Sql,
    list: &NamespaceDeployments<'_>,
) -> Result<(Vec<Deployment>, Option<DeploymentId>), SqlError> {
    let id_at = |time: Timestamp| DeploymentId::new(time, [0; 16]);
    let first = list
        .since
        .map(|since| id_at(since.saturating_sub(CLOCKS_DIFFER).unwrap_or(since)));
    let end = list
        .until
        .map(|until| id_at(until.saturating_add(CLOCKS_DIFFER).unwrap_or(until)));
    let end = match (&list.before, end) {
        (Some(before), Some(end)) => Some(end.min(before.clone())),
        (before, end) => before.clone().or(end),
    };
    let range = [
        Value::from(list.environment.namespace()),
        Value::from(first.as_ref().map_or("", DeploymentId::as_str)),
        // Every deployment id sorts before "~".
        Value::from(end.as_ref().map_or("~", DeploymentId::as_str)),
    ];
    let patterns: Vec<_> = list.workers.iter().map(ToString::to_string).collect();
    let mut bindings = range.to_vec();
    bindings.extend([
        Value::from(WINDOW),
        Value::from(list.since.unwrap_or(Timestamp::MIN)),
        Value::from(list.until.unwrap_or(Timestamp::MAX)),
        super::write_json("list of readable Workers", &patterns)?,
        Value::from(list.limit.saturating_add(1)),
    ]);
    let found = sql.exec(
        "SELECT id FROM (
             SELECT id, worker, created FROM deployments WHERE namespace = ? AND id >= ? AND id < ?
             ORDER BY id DESC LIMIT ?
         ) WHERE created >= ? AND created < ?
             AND EXISTS (SELECT 1 FROM json_each(?) AS readable WHERE worker GLOB readable.value)
         ORDER BY id DESC LIMIT ?",
        &bindings,
    )?;
    let limit = usize::try_from(list.limit).unwrap_or(usize::MAX);
    let page: Vec<&str> = found
        .iter()
        .take(limit)
        .map(|row| row.text(0))
        .collect::<Result<_, _>>()?;
    let next = if found.len() > limit {
        page.last().map(|id| (*id).to_owned())
    } else {
        last_in_window(sql, &range)?
    };
    let rows = sql.exec(
        &format!(
            "SELECT {COLUMNS} FROM deployments WHERE id IN (SELECT value FROM json_each(?)) ORDER BY id DESC"
        ),
        &[super::write_json("page of deployments", &page)?],
    )?;
    let next = next.map(|id| DeploymentId::parse(&id)).transpose();
    Ok((
        rows.iter().map(read).collect::<Result<_, _>>()?,
        next.map_err(|error| super::content("deployment's id", &error))?,
    ))
}

/// The last deployment that a page covers, if there can be more after it.
fn last_in_window(sql: &impl Sql, range: &[Value; 3]) -> Result<Option<String>, SqlError> {
    let mut bindings = range.to_vec();
    bindings.push(Value::from(WINDOW - 1));
    let rows = sql.exec(
        "SELECT id FROM deployments WHERE namespace = ? AND id >= ? AND id < ? ORDER BY id DESC LIMIT 1 OFFSET ?",
        &bindings,
    )?;
    rows.first().map(|row| row.text(0).map(str::to_owned)).transpose()
}
