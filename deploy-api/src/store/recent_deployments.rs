//! The deployments of all Workers, or of the Workers of a namespace, the newest first.

use dotdo_names::{Namespace, WorkerName};
use jiff::{SignedDuration, Timestamp};

use super::deployment_rows::{COLUMNS, read};
use crate::deployments::{Deployment, DeploymentId, State};
use crate::policy::WorkerPattern;
use crate::sql::{Sql, SqlError, Value};

pub(super) const INDEX: &str =
    "CREATE INDEX deployments_by_namespace ON deployments (namespace, id, worker, created)";

/// How many deployments a page may pass over that do not match.
pub const WINDOW: u32 = 10_000;

/// By how much the time in the id of a deployment may differ from the time at which it began: the id is older than the upload of
/// its body, and the clocks of the instances differ.
const CLOCKS_DIFFER: SignedDuration = SignedDuration::from_hours(24);

/// Which deployments to find.
#[derive(Clone, Debug)]
pub struct RecentDeployments<'a> {
    /// Only deployments in this namespace.
    pub namespace: Option<Namespace>,
    /// Only deployments of Workers with this name.
    pub worker: Option<&'a WorkerName>,
    /// The Workers that the caller may read: a deployment is listed if one of these patterns matches its Worker in its namespace.
    pub readable: &'a [(Namespace, WorkerPattern)],
    /// Only deployments that began at this time or later.
    pub since: Option<Timestamp>,
    /// Only deployments that began before this time.
    pub until: Option<Timestamp>,
    /// Only deployments before this one in the order of ids.
    pub before: Option<DeploymentId>,
    /// The most deployments of the page.
    pub limit: u32,
}

/// A condition for the deployments of a page, by index, with its bound values.
struct Range {
    condition: &'static str,
    bindings: Vec<Value>,
}

impl RecentDeployments<'_> {
    fn range(&self) -> Range {
        let id_at = |time: Timestamp| DeploymentId::new(time, [0; 16]);
        let first = self
            .since
            .map(|since| id_at(since.saturating_sub(CLOCKS_DIFFER).unwrap_or(Timestamp::MIN)));
        let end = self
            .until
            .map(|until| id_at(until.saturating_add(CLOCKS_DIFFER).unwrap_or(Timestamp::MAX)));
        let end = match (&self.before, end) {
            (Some(before), Some(end)) => Some(end.min(before.clone())),
            (before, end) => before.clone().or(end),
        };
        let ids = [
            Value::from(first.as_ref().map_or("", DeploymentId::as_str)),
            // Every deployment id sorts before "~".
            Value::from(end.as_ref().map_or("~", DeploymentId::as_str)),
        ];
        let namespace = self.namespace.map(|namespace| Value::from(namespace.name()));
        let worker = self.worker.map(|worker| Value::from(worker.as_str()));
        let condition = match (&namespace, &worker) {
            (None, None) => "id >= ? AND id < ?",
            (Some(_), None) => "namespace = ? AND id >= ? AND id < ?",
            // SQLite walks the ids, of which the index of Workers has no order.
            (None, Some(_)) => "+worker = ? AND id >= ? AND id < ?",
            (Some(_), Some(_)) => "namespace = ? AND worker = ? AND id >= ? AND id < ?",
        };
        Range {
            condition,
            bindings: namespace.into_iter().chain(worker).chain(ids).collect(),
        }
    }
}

/// Deployments, the newest first, with the id before which the next page continues; `None` on the last page. A page covers at most
/// [`WINDOW`] deployments, so it can have fewer deployments than its limit, or none.
///
/// # Errors
/// When the database fails.
pub fn find(
    sql: &impl Sql,
    list: &RecentDeployments<'_>,
) -> Result<(Vec<Deployment>, Option<DeploymentId>), SqlError> {
    let Range { condition, bindings } = list.range();
    let mut all = bindings.clone();
    all.extend([
        Value::from(WINDOW),
        Value::from(list.since.unwrap_or(Timestamp::MIN)),
        Value::from(list.until.unwrap_or(Timestamp::MAX)),
        patterns(list.readable)?,
        Value::from(list.limit.saturating_add(1)),
    ]);
    let found = sql.exec(
        &format!(
            "SELECT id FROM (
                 SELECT id, namespace, worker, created FROM deployments WHERE {condition} ORDER BY id DESC LIMIT ?
             ) WHERE created >= ? AND created < ?
                 AND EXISTS (
                     SELECT 1 FROM json_each(?) AS readable
                     WHERE namespace = readable.value ->> 0 AND worker GLOB readable.value ->> 1
                 )
             ORDER BY id DESC LIMIT ?"
        ),
        &all,
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
        last_in_window(sql, condition, bindings)?
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

/// How many deployments in a namespace began at a time or later, by state, without those that the caller may not read. `readable` are
/// the Workers that the caller may read, as in [`RecentDeployments::readable`].
///
/// # Errors
/// When the database fails.
pub fn count(
    sql: &impl Sql,
    namespace: Namespace,
    readable: &[(Namespace, WorkerPattern)],
    since: Timestamp,
) -> Result<Vec<(State, u64)>, SqlError> {
    let first = since.saturating_sub(CLOCKS_DIFFER).unwrap_or(Timestamp::MIN);
    let rows = sql.exec(
        "SELECT state, count(*) FROM deployments
         WHERE namespace = ? AND id >= ? AND created >= ?
             AND EXISTS (
                 SELECT 1 FROM json_each(?) AS readable
                 WHERE namespace = readable.value ->> 0 AND worker GLOB readable.value ->> 1
             )
         GROUP BY state",
        &[
            Value::from(namespace.name()),
            Value::from(DeploymentId::new(first, [0; 16]).as_str()),
            Value::from(since),
            patterns(readable)?,
        ],
    )?;
    rows.iter()
        .map(|row| {
            let state = State::from_name(row.text(0)?);
            let state = state.ok_or_else(|| super::content("deployment's state", &"it is unknown"))?;
            Ok((state, row.unsigned(1)?))
        })
        .collect()
}

/// The Workers that a caller may read, as JSON: pairs of a namespace and a pattern.
fn patterns(readable: &[(Namespace, WorkerPattern)]) -> Result<Value, SqlError> {
    let readable: Vec<[String; 2]> = readable
        .iter()
        .map(|(namespace, pattern)| [namespace.name().to_owned(), pattern.to_string()])
        .collect();
    super::write_json("list of readable Workers", &readable)
}

/// The last deployment that a page covers, if there can be more after it.
fn last_in_window(
    sql: &impl Sql,
    condition: &str,
    mut bindings: Vec<Value>,
) -> Result<Option<String>, SqlError> {
    bindings.push(Value::from(WINDOW - 1));
    let rows = sql.exec(
        &format!("SELECT id FROM deployments WHERE {condition} ORDER BY id DESC LIMIT 1 OFFSET ?"),
        &bindings,
    )?;
    rows.first().map(|row| row.text(0).map(str::to_owned)).transpose()
}
