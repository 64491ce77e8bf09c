//! `GET /v1/status`: what needs attention in each namespace.

use std::borrow::Cow;

use dotdo_names::{Environment, Namespace, WorkerName};
use jiff::{SignedDuration, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Answer;
use crate::access::Access;
use crate::audit;
use crate::deployments::{DeploymentHealth, DeploymentId, Preview, ShownDrift, State};
use crate::policy::{Action, Caller, Readable, Request, WorkerPattern};
use crate::problem::Problem;
use crate::schema::{NamespaceName, Time, WorkerName as WorkerNameSchema};
use crate::sql::Sql;
use crate::store::leases::{self, LeaseState};
use crate::store::locks::{self, Lock};
use crate::store::{deployments, drifts, previews, recent_deployments, workers};

/// The time for which deployments are counted.
const RECENT: SignedDuration = SignedDuration::from_hours(24);

/// The state of each namespace that the caller may read, according to the records of this API.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Status {
    /// The namespaces, production first.
    pub namespaces: Vec<NamespaceStatus>,
}

/// The state of a namespace. Workers that the caller may not read are omitted and not counted.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct NamespaceStatus {
    /// `production`, `staging`, `development`, or `account` if a Worker of the platform was deployed through this API.
    pub environment: Cow<'static, str>,
    /// The namespace.
    #[schemars(with = "NamespaceName")]
    pub namespace: Cow<'static, str>,
    /// The number of Workers that are deployed through this API.
    pub workers: u64,
    /// The Workers whose current deployment failed its health check.
    pub unhealthy: Vec<UnhealthyWorker>,
    /// The locks in effect.
    pub locks: Vec<Lock>,
    /// The changes that were made outside of this API, as far as they were found. They are searched for every ten minutes.
    pub drifts: Vec<WorkerDrift>,
    /// The deployments that began within the last 24 hours, by state.
    pub last_day: RecentCounts,
    /// The changes that began and have no outcome yet, the oldest first.
    pub open_intents: Vec<OpenIntent>,
    /// The previews, which are deleted when they expire.
    pub previews: Vec<WorkerPreview>,
}

impl NamespaceStatus {
    /// Whether nothing is recorded of the namespace that needs attention, and no Worker is deployed.
    fn is_empty(&self) -> bool {
        self.workers == 0 && self.locks.is_empty() && self.open_intents.is_empty()
    }
}

/// A Worker whose current deployment failed its health check.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct UnhealthyWorker {
    /// The Worker.
    #[schemars(with = "WorkerNameSchema")]
    pub worker: String,
    /// Its current deployment.
    pub deployment: DeploymentId,
    /// The result of its health check.
    pub health: DeploymentHealth,
}

/// A Worker that was changed outside of this API.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct WorkerDrift {
    /// The Worker.
    #[schemars(with = "WorkerNameSchema")]
    pub worker: String,
    /// The change.
    pub drift: ShownDrift,
}

/// A Worker that is a preview.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct WorkerPreview {
    /// The Worker.
    #[schemars(with = "WorkerNameSchema")]
    pub worker: String,
    /// What it previews, and when it is deleted.
    pub preview: Preview,
}

/// Numbers of deployments by state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "DeploymentCounts")]
pub struct RecentCounts {
    /// Those that the upstream accepted.
    pub succeeded: u64,
    /// Those that the upstream did not accept.
    pub failed: u64,
    /// Those whose health check failed, so that they were rolled back.
    pub rolled_back: u64,
    /// Those that are in progress.
    pub pending: u64,
}

/// A change without an outcome.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct OpenIntent {
    /// The sequence number of its intent in the audit log.
    pub intent: u64,
    /// The Worker.
    #[schemars(with = "WorkerNameSchema")]
    pub worker: String,
    /// The change.
    #[serde(rename = "verb")]
    pub action: audit::Action,
    /// The state of the attempt.
    pub state: LeaseState,
    /// When the attempt was active last.
    #[schemars(with = "Time")]
    pub renewed: Timestamp,
}

/// `GET /v1/status`: the namespaces that the caller may read something in. The upstream is not called.
///
/// # Errors
/// `PERMISSION_DENIED` if the caller may read nothing; `RECORD_UNAVAILABLE`.
pub fn status<S: Sql>(access: &Access<'_, S>, caller: &Caller) -> Result<Answer, Problem> {
    let readable = match access.readable(caller)? {
        Readable::Everything => Namespace::ALL
            .map(|namespace| (namespace, WorkerPattern::Every))
            .to_vec(),
        Readable::Workers(workers) => workers,
    };
    if readable.is_empty() {
        access.authorize(caller, &Request::platform(Action::Read), audit::Action::Read)?;
    }
    let mut namespaces: Vec<NamespaceStatus> = Namespace::ALL
        .into_iter()
        .filter(|namespace| readable.iter().any(|(readable, _)| readable == namespace))
        .map(|namespace| status_of(access, namespace, &readable))
        .collect::<Result<_, _>>()?;
    // The account is of interest if the platform deploys itself through this API.
    namespaces.retain(|status| status.namespace != Namespace::ACCOUNT || !status.is_empty());
    Answer::json(200, &Status { namespaces })
}

fn status_of<S: Sql>(
    access: &Access<'_, S>,
    namespace: Namespace,
    readable: &[(Namespace, WorkerPattern)],
) -> Result<NamespaceStatus, Problem> {
    let sql = access.sql;
    let may_read = |worker: &WorkerName| {
        readable
            .iter()
            .any(|(readable, pattern)| *readable == namespace && pattern.matches(worker))
    };
    let deployed = workers::deployed_in(sql, namespace)?;
    let deployed = deployed.iter().filter(|target| may_read(&target.worker)).count();
    let unhealthy = deployments::unhealthy(sql, namespace)?
        .into_iter()
        .filter(|deployment| may_read(&deployment.target.worker))
        .map(|deployment| UnhealthyWorker {
            worker: deployment.target.worker.to_string(),
            health: deployment.health.shown(true),
            deployment: deployment.id,
        })
        .collect();
    let mut found_drifts = Vec::new();
    for target in drifts::in_namespace(sql, namespace)? {
        if let Some(drift) = drifts::get(sql, &target)?.filter(|_| may_read(&target.worker)) {
            found_drifts.push(WorkerDrift {
                worker: target.worker.to_string(),
                drift: ShownDrift::of(drift),
            });
        }
    }
    let mut locks = locks::in_namespace(sql, namespace, access.now)?;
    locks.retain(|lock| {
        let worker = lock.worker.as_deref().map(WorkerName::parse);
        worker.is_none_or(|worker| worker.is_ok_and(|worker| may_read(&worker)))
    });
    let since = access.now.saturating_sub(RECENT).unwrap_or(Timestamp::MIN);
    let mut last_day = RecentCounts::default();
    for (state, count) in recent_deployments::count(sql, namespace, readable, since)? {
        match state {
            State::Succeeded => last_day.succeeded = count,
            State::Failed => last_day.failed = count,
            State::RolledBack => last_day.rolled_back = count,
            State::Pending => last_day.pending = count,
        }
    }
    let open_intents = leases::in_namespace(sql, namespace)?
        .into_iter()
        .filter(|lease| may_read(&lease.target.worker))
        .map(|lease| OpenIntent {
            intent: lease.intent,
            worker: lease.target.worker.to_string(),
            action: lease.action,
            state: lease.state,
            renewed: lease.renewed,
        })
        .collect();
    let previews = match namespace.environment() {
        Some(Environment::Development) => previews::all(sql)?,
        Some(Environment::Production | Environment::Staging) | None => Vec::new(),
    };
    let previews = previews
        .into_iter()
        .filter(|preview| may_read(preview.name.name()))
        .map(|preview| WorkerPreview {
            worker: preview.name.to_string(),
            preview: Preview::new(&preview.name, preview.expires),
        })
        .collect();
    Ok(NamespaceStatus {
        environment: Cow::Borrowed(namespace.short_name()),
        namespace: Cow::Borrowed(namespace.name()),
        workers: u64::try_from(deployed).unwrap_or(u64::MAX),
        unhealthy,
        locks,
        drifts: found_drifts,
        last_day,
        open_intents,
        previews,
    })
}
