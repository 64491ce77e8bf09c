//! Drift: the comparison of what the upstream has with what is recorded.

use dotdo_names::{Namespace, WorkerName};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{BeforeUpload, Ledger, Message};
use crate::access::Access;
use crate::audit::{Action, Client, Outcome, SubjectRecord};
use crate::deployments::{DeploymentId, Drift, DriftKind, RemoteVersion};
use crate::problem::Problem;
use crate::runtime::Runtime;
use crate::sql::Sql;
use crate::store::remote_versions::RecordedVersion;
use crate::store::{drifts, leases, remote_versions, workers};
use crate::target::{Target, namespace_name};

/// Compares scripts at the upstream with the records. A new difference is recorded once, as `drift` in the audit log. A repeated
/// message changes nothing.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Observe {
    /// Where the request came from.
    pub client: Client,
    /// The namespace.
    #[serde(with = "namespace_name")]
    pub namespace: Namespace,
    /// The ledger's time before the upstream was asked. A Worker that was changed through this API since is not compared.
    pub since: Timestamp,
    /// The scripts by name; `None` if the upstream does not have the script.
    pub scripts: Vec<(String, Option<RemoteVersion>)>,
    /// Whether the namespace has no other scripts.
    pub is_complete: bool,
}

impl Message for Observe {
    const NAME: &'static str = "observe";
    type Answer = Vec<(Target, Drift)>;
}

impl<S: Sql, R: Runtime> Ledger<S, R> {
    /// Returns the drift of the observed Workers that have one, and of the Workers of the namespace that were deleted at the upstream.
    pub(super) fn observe(&self, message: &Observe) -> Result<Vec<(Target, Drift)>, Problem> {
        let access = self.access(&message.client);
        let namespace = message.namespace;
        let mut drifts = Vec::new();
        let mut observed = std::collections::HashSet::new();
        for (name, found) in &message.scripts {
            // A name that is not routable was not deployed through this API.
            let Ok(worker) = WorkerName::parse(name) else {
                continue;
            };
            let target = Target { namespace, worker };
            if let Some(drift) = self.compare(&access, &target, found.as_ref(), message.since)? {
                drifts.push((target.clone(), drift));
            }
            observed.insert(target);
        }
        let mut others = drifts::in_namespace(&self.sql, namespace)?;
        if message.is_complete {
            others.extend(workers::deployed_in(&self.sql, namespace)?);
            others.sort();
            others.dedup();
        }
        for target in others {
            if observed.contains(&target) {
                continue;
            }
            let drift = if message.is_complete {
                self.compare(&access, &target, None, message.since)?
            } else {
                drifts::get(&self.sql, &target)?
            };
            if let Some(drift) = drift.filter(|drift| drift.kind == DriftKind::Deleted) {
                drifts.push((target, drift));
            }
        }
        Ok(drifts)
    }

    /// Compares one Worker with its record, and records a new difference. While a change of the Worker is in progress, the earlier
    /// result stays.
    fn compare(
        &self,
        access: &Access<'_, S>,
        target: &Target,
        found: Option<&RemoteVersion>,
        since: Timestamp,
    ) -> Result<Option<Drift>, Problem> {
        let sql = &self.sql;
        let earlier = drifts::get(sql, target)?;
        let recorded = remote_versions::get(sql, target)?;
        if recorded.settled >= since || leases::of_worker(sql, target)?.is_some() {
            return Ok(earlier);
        }
        let deployment = workers::get(sql, target)?.and_then(|worker| worker.deployment);
        let Some(kind) = drift(target, &recorded.version, deployment.as_ref(), found) else {
            if earlier.is_some() {
                drifts::delete(sql, target)?;
            }
            if let (Some(_), Some(found)) = (&deployment, found) {
                self.learn(target, &recorded, found)?;
            }
            return Ok(None);
        };
        if let Some(earlier) = &earlier
            && earlier.kind == kind
            && earlier.found.as_ref() == found
        {
            return Ok(Some(earlier.clone()));
        }
        self.record_drift(access, target, kind, found.cloned()).map(Some)
    }

    /// Completes the recorded version of a Worker, if the upstream was not available after the last change.
    fn learn(
        &self,
        target: &Target,
        recorded: &RecordedVersion,
        found: &RemoteVersion,
    ) -> Result<(), Problem> {
        let RemoteVersion { etag, modified, .. } = &recorded.version;
        let completed = RemoteVersion {
            etag: etag.clone().or_else(|| found.etag.clone()),
            modified: modified.or(found.modified),
            ..RemoteVersion::default()
        };
        if completed != recorded.version {
            remote_versions::put(&self.sql, target, &completed, recorded.settled)?;
        }
        Ok(())
    }

    /// Records a difference that was not known.
    fn record_drift(
        &self,
        access: &Access<'_, S>,
        target: &Target,
        kind: DriftKind,
        found: Option<RemoteVersion>,
    ) -> Result<Drift, Problem> {
        let drift = Drift {
            kind,
            found,
            since: access.now,
        };
        let found = drift.found.as_ref();
        let mut entry = access.entry(Action::Drift, Outcome::Succeeded).about(target);
        entry.subject = Some(SubjectRecord::Drift {
            change: kind.name().to_owned(),
            etag: found.and_then(|found| found.etag.clone()),
            modified_on: found.and_then(|found| found.modified),
        });
        let deployment = workers::get(&self.sql, target)?.and_then(|worker| worker.deployment);
        entry.previous_deployment = deployment.as_ref().map(ToString::to_string);
        self.sql.transaction(|| {
            access.record(&entry)?;
            drifts::put(&self.sql, target, &drift).map_err(Problem::from)
        })?;
        Ok(drift)
    }

    /// Records the version after a change of secrets or tags. A drift from before the change stays, because the change keeps the
    /// rest of the script.
    pub(super) fn settle_change(
        &self,
        access: &Access<'_, S>,
        target: &Target,
        before: Option<&RemoteVersion>,
        after: Option<&RemoteVersion>,
    ) -> Result<(), Problem> {
        let sql = &self.sql;
        let recorded = remote_versions::get(sql, target)?.version;
        let deployment = workers::get(sql, target)?.and_then(|worker| worker.deployment);
        let earlier = drifts::get(sql, target)?;
        let kind = before.and_then(|before| drift(target, &recorded, deployment.as_ref(), Some(before)));
        match (kind, earlier) {
            (None, _) => {
                let version = after.cloned().unwrap_or(RemoteVersion {
                    modified: None,
                    ..recorded
                });
                remote_versions::put(sql, target, &version, access.now)?;
                drifts::delete(sql, target)?;
            }
            (Some(kind), earlier) => {
                remote_versions::put(sql, target, &recorded, access.now)?;
                let drift = match earlier {
                    Some(earlier) => earlier,
                    None => self.record_drift(access, target, kind, before.cloned())?,
                };
                let found = after.or(before).cloned();
                drifts::put(sql, target, &Drift { found, ..drift })?;
            }
        }
        Ok(())
    }

    /// Records the version after an upload, and ends the drift. Returns the drift that the upload replaced. `before` is the script
    /// before the upload.
    pub(super) fn settle_upload(
        &self,
        access: &Access<'_, S>,
        target: &Target,
        before: &BeforeUpload,
        after: &RemoteVersion,
    ) -> Result<Option<Drift>, Problem> {
        let sql = &self.sql;
        let mut found = drifts::get(sql, target)?;
        let before = match before {
            BeforeUpload::NotAsked => None,
            BeforeUpload::NoScript => Some(None),
            BeforeUpload::Script(version) => Some(Some(version)),
        };
        if let (Some(before), None) = (before, &found) {
            let recorded = remote_versions::get(sql, target)?.version;
            let deployment = workers::get(sql, target)?.and_then(|worker| worker.deployment);
            if let Some(kind) = drift(target, &recorded, deployment.as_ref(), before) {
                found = Some(self.record_drift(access, target, kind, before.cloned())?);
            }
        }
        remote_versions::put(sql, target, after, access.now)?;
        drifts::delete(sql, target)?;
        Ok(found)
    }
}

/// The difference between a script and what is recorded of it. A Worker of the platform was deployed without this API before its first
/// deploy with it: `dotdo setup` deploys them.
fn drift(
    target: &Target,
    recorded: &RemoteVersion,
    deployment: Option<&DeploymentId>,
    found: Option<&RemoteVersion>,
) -> Option<DriftKind> {
    if target.is_in_account() && deployment.is_none() {
        return None;
    }
    RemoteVersion::drift(recorded, deployment, found)
}
