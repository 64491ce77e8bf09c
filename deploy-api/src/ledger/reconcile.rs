//! The messages of the reconciler: which open intents and health checks are due, and which objects no deployment needs.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::health_check::{ExpectedAnswer, health_check_due};
use super::{Ledger, Message};
use crate::deployments::Deployment;
use crate::problem::Problem;
use crate::runtime::Runtime;
use crate::sql::{Sql, SqlError};
use crate::store::health_checks::PendingHealthCheck;
use crate::store::leases::{Lease, LeaseState};
use crate::store::locks::{self, Place};
use crate::store::schedule::{self, Job};
use crate::store::{
    answers, denials, deployment_objects, deployments, health_checks, leases, previews, workers,
};
use crate::target::Target;

/// The most items of one reconciliation: each takes a few calls to the upstream.
const LIMIT: u32 = 20;

/// The time after which the reconciler retries an item without a certain outcome.
const AGAIN_AFTER: SignedDuration = SignedDuration::from_secs(60);

/// The same for a deployment of the deploy API, whose new version starts within seconds.
const STARTING: SignedDuration = SignedDuration::from_secs(5);

/// The time after which the reconciler tries again to delete an expired preview that is locked or changed, or that the upstream did
/// not delete.
const DELETE_AGAIN_AFTER: SignedDuration = SignedDuration::from_hours(1);

/// How long the objects of a deleted Worker's deployments are kept.
const KEPT_AFTER_DELETION: SignedDuration = SignedDuration::from_hours(24 * 30);

/// Takes the work that is due. An item that is taken is due again a minute later, so that the reconciler may stop at any moment.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Due {}

impl Message for Due {
    const NAME: &'static str = "due";
    type Answer = Vec<Work>;
}

/// One piece of work for the reconciler.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Work {
    /// An intent whose attempt gave up, or did not renew its lease in time.
    Intent {
        /// The lease.
        lease: Lease,
        /// Its deployment, for an upload.
        deployment: Option<Box<Deployment>>,
        /// Whether its time is over: the upstream will not execute the change any more if it has not done so.
        is_over: bool,
    },
    /// A health check that no attempt is making.
    HealthCheck {
        /// The check.
        check: PendingHealthCheck,
        /// The expected answer; `None` if the health check or the deployment was removed.
        expected: Option<ExpectedAnswer>,
        /// The deployment that is checked.
        deployment: Option<Box<Deployment>>,
        /// The current deployment, if one is recorded.
        serving: Option<Box<Deployment>>,
    },
    /// A preview expired, and is neither locked nor in the middle of another change.
    ExpiredPreview {
        /// The preview.
        target: Target,
        /// When it expired.
        expired: Timestamp,
    },
    /// Old entries of the audit log may be archived.
    Archive,
    /// Objects of the bundle store may not be needed any more.
    CollectGarbage,
    /// Workers may have been changed outside of this API.
    Inspect {
        /// The ledger's time.
        since: Timestamp,
    },
}

/// Which of these objects of the bundle store no deployment needs.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Unreferenced {
    /// The keys, at most 1,000.
    pub keys: Vec<String>,
}

impl Message for Unreferenced {
    const NAME: &'static str = "unreferenced";
    type Answer = Vec<String>;
}

/// Whether a Worker of this name is deployed in any namespace.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct IsDeployedSomewhere {
    /// The Worker's name, or any text.
    pub worker: String,
}

impl Message for IsDeployedSomewhere {
    const NAME: &'static str = "is-deployed-somewhere";
    type Answer = bool;
}

impl<S: Sql, R: Runtime> Ledger<S, R> {
    pub(super) fn due(&self, _: &Due) -> Result<Vec<Work>, Problem> {
        let sql = &self.sql;
        let now = self.runtime.now();
        answers::forget(sql, now)?;
        denials::flush(sql, now)?;
        let mut work = Vec::new();
        for mut lease in leases::due(sql, now, LIMIT)? {
            let is_over = now >= self.lease_ends(lease.renewed);
            lease.due = self.reconcile_again_at(&lease);
            leases::update(sql, &lease)?;
            let deployment = deployments::of_intent(sql, lease.intent)?.map(Box::new);
            work.push(Work::Intent {
                lease,
                deployment,
                is_over,
            });
        }
        for mut check in health_checks::due(sql, now, LIMIT)? {
            // While an intent is open, it is not known whether the deployment serves.
            check.due = health_check_due(now);
            health_checks::put(sql, &check)?;
            if leases::of_worker(sql, &check.target)?.is_some() {
                continue;
            }
            let worker = workers::get(sql, &check.target)?.unwrap_or_default();
            let serving = workers::current_deployment(sql, Some(&worker))?;
            let deployment = deployments::get(sql, &check.deployment)?;
            let expected = match (&worker.health_check, &deployment) {
                (Some(request), Some(deployment)) => Some(self.expected_answer(request, deployment)?),
                _ => None,
            };
            work.push(Work::HealthCheck {
                deployment: deployment.map(Box::new),
                expected,
                serving: serving.map(Box::new),
                check,
            });
        }
        let again = now.saturating_add(DELETE_AGAIN_AFTER).unwrap_or(now);
        for preview in previews::take(sql, now, again, LIMIT)? {
            let target = Target::from(preview.name);
            let is_busy = locks::holding(sql, Place::worker(&target), now)?.is_some()
                || leases::of_worker(sql, &target)?.is_some()
                || health_checks::of_worker(sql, &target)?.is_some();
            if !is_busy {
                work.push(Work::ExpiredPreview {
                    target,
                    expired: preview.expires,
                });
            }
        }
        for job in schedule::take(sql, now)? {
            work.push(match job {
                Job::Archive => Work::Archive,
                Job::Garbage => Work::CollectGarbage,
                Job::Inspection => Work::Inspect { since: now },
            });
        }
        Ok(work)
    }

    /// When the reconciler has something to do next.
    ///
    /// # Errors
    /// When the database fails.
    pub fn next_due(&self) -> Result<Option<Timestamp>, SqlError> {
        let lease = leases::next_due(&self.sql)?;
        let check = health_checks::next_due(&self.sql)?;
        let denials = denials::next_flush(&self.sql)?;
        let job = schedule::next_due(&self.sql)?;
        let preview = previews::next_due(&self.sql)?;
        let others = check.into_iter().chain(denials).chain(job).chain(preview);
        Ok(lease.into_iter().chain(others).min())
    }

    /// When the reconciler inspects an open intent again.
    pub(super) fn reconcile_again_at(&self, lease: &Lease) -> Timestamp {
        let now = self.runtime.now();
        let after = if lease.target.is_deploy_api() && lease.state == LeaseState::Unknown {
            STARTING
        } else {
            AGAIN_AFTER
        };
        let later = now.saturating_add(after.min(self.lease_time())).unwrap_or(now);
        let ends = self.lease_ends(lease.renewed);
        // At the end of its time the outcome is certain.
        if lease.state == LeaseState::Unknown && ends > now {
            later.min(ends)
        } else {
            later
        }
    }

    pub(super) fn unreferenced(&self, message: &Unreferenced) -> Result<Vec<String>, Problem> {
        let now = self.runtime.now();
        let deleted_before = now.saturating_sub(KEPT_AFTER_DELETION).unwrap_or(now);
        let mut unreferenced = Vec::new();
        for key in &message.keys {
            if !deployment_objects::needs_object(&self.sql, key, deleted_before)? {
                unreferenced.push(key.clone());
            }
        }
        Ok(unreferenced)
    }

    pub(super) fn is_deployed_somewhere(&self, message: &IsDeployedSomewhere) -> Result<bool, Problem> {
        Ok(workers::is_deployed_somewhere(&self.sql, &message.worker)?)
    }
}
