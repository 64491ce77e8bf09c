//! `…/workers/{worker}/deployments` and `…/{namespace}/deployments`: the deployments, their callers, their commits and their outcomes.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use dotdo_names::{Namespace, WorkerName};

use super::Answer;
use super::audit::readable;
use super::page::{Cursors, Page, Parameters};
use super::shown_deployment::show;
use crate::access::Access;
use crate::audit;
use crate::code::Code;
use crate::deployments::{DeploymentId, WorkerUrls};
use crate::policy::{Action, Caller, Readable, Request, WorkerPattern};
use crate::problem::Problem;
use crate::sql::Sql;
use crate::store::recent_deployments::{self, RecentDeployments};
use crate::store::{deployments, drifts, workers};
use crate::target::Target;

fn may_read<S: Sql>(access: &Access<'_, S>, caller: &Caller, target: &Target) -> Result<(), Problem> {
    let request = Request::worker(Action::Read, target.clone());
    access.authorize(caller, &request, audit::Action::Read).map(drop)
}

/// The deployment that serves; `None` if the Worker was changed outside of this API.
fn serving(sql: &impl Sql, target: &Target) -> Result<Option<DeploymentId>, Problem> {
    if drifts::get(sql, target)?.is_some() {
        return Ok(None);
    }
    Ok(workers::get(sql, target)?.and_then(|worker| worker.deployment))
}

/// `GET …/deployments`: the newest first. Parameters: `limit`, `cursor`.
///
/// # Errors
/// `PERMISSION_DENIED`, `PARAMETER_INVALID`, `RECORD_UNAVAILABLE` (never an empty list in place of a failure).
pub fn list<S: Sql>(
    access: &Access<'_, S>,
    caller: &Caller,
    target: &Target,
    parameters: &[(&str, &str)],
    urls: &WorkerUrls,
) -> Result<Answer, Problem> {
    may_read(access, caller, target)?;
    let parameters = Parameters::new(parameters, &["limit", "cursor"])?;
    let cursors = Cursors::new(access.cursors, format!("deployments of {target}"));
    let before = parameters.cursor(&cursors, |value| DeploymentId::parse(value).ok())?;
    let limit = parameters.limit()?;
    let sql = access.sql;
    let found = deployments::list(sql, target, before.as_ref(), limit + 1)?;
    let serving = serving(sql, target)?;
    let shown: Vec<_> = found
        .iter()
        .map(|deployment| show(deployment, Some(&serving), urls))
        .collect();
    Answer::json(
        200,
        &Page::of(shown, limit, &cursors, |shown| shown.id.to_string()),
    )
}

/// `GET /v1/namespaces/{namespace}/deployments`: the deployments of every Worker of a namespace that the caller may read, the newest
/// first. Parameters: `since`, `until`, `limit`, `cursor`. A page with a cursor may have fewer items than `limit`, or none.
///
/// # Errors
/// `PERMISSION_DENIED` unless the caller may read something in it; `PARAMETER_INVALID`, `RECORD_UNAVAILABLE`.
pub fn list_namespace<S: Sql>(
    access: &Access<'_, S>,
    caller: &Caller,
    namespace: Namespace,
    parameters: &[(&str, &str)],
    urls: &WorkerUrls,
) -> Result<Answer, Problem> {
    let request = Request::namespace(Action::Read, namespace);
    access.authorize(caller, &request, audit::Action::Read)?;
    let readable = match access.readable(caller)? {
        Readable::Everything => vec![(namespace, WorkerPattern::Every)],
        Readable::Workers(workers) => workers,
    };
    let parameters = Parameters::new(parameters, &["since", "until", "limit", "cursor"])?;
    let cursors = Cursors::new(access.cursors, format!("deployments in {}", namespace.name()));
    let query = RecentDeployments {
        namespace: Some(namespace),
        worker: None,
        readable: &readable,
        since: parameters.time("since", access.now)?,
        until: parameters.time("until", access.now)?,
        before: parameters.cursor(&cursors, |value| DeploymentId::parse(value).ok())?,
        limit: parameters.limit()?,
    };
    page(access.sql, &query, &cursors, urls)
}

/// `GET /v1/deployments`: the deployments of every Worker that the caller may read, the newest first. Parameters: `since`, `until`,
/// `namespace`, `worker`, `limit`, `cursor`. A page with a cursor may have fewer items than `limit`, or none.
///
/// # Errors
/// `PERMISSION_DENIED` if the caller may read nothing, or not the Worker or the namespace that the filters name;
/// `PARAMETER_INVALID`, `RECORD_UNAVAILABLE`.
pub fn list_all<S: Sql>(
    access: &Access<'_, S>,
    caller: &Caller,
    given: &[(&str, &str)],
    urls: &WorkerUrls,
) -> Result<Answer, Problem> {
    let readable = match readable(access, caller, given)? {
        Readable::Everything => Namespace::ALL
            .map(|namespace| (namespace, WorkerPattern::Every))
            .to_vec(),
        Readable::Workers(workers) => workers,
    };
    let known = ["since", "until", "namespace", "worker", "limit", "cursor"];
    let parameters = Parameters::new(given, &known)?;
    let namespaces = Namespace::ALL.map(Namespace::name).join(", ");
    let namespaces = format!("one of {namespaces}");
    let worker = parameters.parse("worker", "the name of a Worker", |name| {
        WorkerName::parse(name).ok()
    })?;
    let cursors = Cursors::new(access.cursors, "deployments");
    let query = RecentDeployments {
        namespace: parameters.parse("namespace", &namespaces, Namespace::from_name)?,
        worker: worker.as_ref(),
        readable: &readable,
        since: parameters.time("since", access.now)?,
        until: parameters.time("until", access.now)?,
        before: parameters.cursor(&cursors, |value| DeploymentId::parse(value).ok())?,
        limit: parameters.limit()?,
    };
    page(access.sql, &query, &cursors, urls)
}

fn page(
    sql: &impl Sql,
    query: &RecentDeployments<'_>,
    cursors: &Cursors<'_>,
    urls: &WorkerUrls,
) -> Result<Answer, Problem> {
    let (found, next) = recent_deployments::find(sql, query)?;
    let mut current: HashMap<&Target, Option<DeploymentId>> = HashMap::new();
    for deployment in &found {
        if let Entry::Vacant(entry) = current.entry(&deployment.target) {
            entry.insert(serving(sql, &deployment.target)?);
        }
    }
    let items: Vec<_> = found
        .iter()
        .map(|deployment| show(deployment, current.get(&deployment.target), urls))
        .collect();
    let cursor = next.map(|id| cursors.seal(id.as_str()));
    Answer::json(200, &Page { items, cursor })
}

/// `GET …/deployments/{id}`: one of them.
///
/// # Errors
/// `PERMISSION_DENIED`, `DEPLOYMENT_UNKNOWN`, `RECORD_UNAVAILABLE`.
pub fn get<S: Sql>(
    access: &Access<'_, S>,
    caller: &Caller,
    target: &Target,
    id: &str,
    urls: &WorkerUrls,
) -> Result<Answer, Problem> {
    may_read(access, caller, target)?;
    let sql = access.sql;
    let found = match DeploymentId::parse(id) {
        Ok(id) => deployments::get(sql, &id)?.filter(|found| found.target == *target),
        Err(_) => None,
    };
    let found = found.ok_or_else(|| {
        Problem::new(
            Code::DeploymentUnknown,
            format!("There is no such deployment of {target}."),
            "GET …/deployments lists them.",
        )
    })?;
    Answer::json(200, &show(&found, Some(&serving(sql, target)?), urls))
}
