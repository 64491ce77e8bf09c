//! The messages of rollbacks and promotions: what they are made from, and the metadata that they are uploaded with.

use serde::{Deserialize, Serialize};

use super::actor::Actor;
use super::change::Begin;
use super::finish::lease_lost;
use super::lease::RedeployPlan;
use super::source::source;
use super::{Ledger, Message};
use crate::access::Access;
use crate::attempt::AttemptId;
use crate::audit::Bundle;
use crate::code::Code;
use crate::deployments::Deployment;
use crate::policy::{Action, Request};
use crate::problem::Problem;
use crate::runtime::Runtime;
use crate::sql::Sql;
use crate::store::locks::{self, Place};
use crate::store::{deployments, leases, migrations, object_classes, workers};
use crate::target::Target;
use crate::upload::Unresolved;

/// Asks what a rollback or a promotion would be made from. Nothing is changed; a denial is recorded.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct PlanRedeploy {
    /// The change, which does not begin.
    pub begin: Begin,
}

impl Message for PlanRedeploy {
    const NAME: &'static str = "plan-redeploy";
    type Answer = RedeployPlan;
}

/// Records the metadata with which a redeploy uploads its bundle, if it differs from the bundle's. Sent before the upload.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SetMetadata {
    /// The attempt, which has the lease.
    pub attempt: AttemptId,
    /// The bundle with the digest of the metadata, and its bindings.
    pub bundle: Bundle,
    /// The key of the metadata in the bundle store.
    pub metadata: String,
    /// The bindings that are not known.
    pub unresolved: Vec<Unresolved>,
}

impl Message for SetMetadata {
    const NAME: &'static str = "set-metadata";
    type Answer = ();
}

impl<S: Sql, R: Runtime> Ledger<S, R> {
    pub(super) fn plan_redeploy(&self, message: &PlanRedeploy) -> Result<RedeployPlan, Problem> {
        let begin = &message.begin;
        let access = self.access(&begin.client);
        let actor = self.authorize_change(&access, begin)?;
        let source = source(&self.sql, begin)?.ok_or_else(|| {
            Problem::new(Code::Internal, "The change is not a rollback or a promotion.", "")
        })?;
        self.plan_of(&access, &actor, &begin.target, source)
    }

    /// The plan of a redeploy of `source` to `target`.
    pub(super) fn plan_of(
        &self,
        access: &Access<'_, S>,
        actor: &Actor,
        target: &Target,
        source: Deployment,
    ) -> Result<RedeployPlan, Problem> {
        let sql = &self.sql;
        Ok(RedeployPlan {
            current: workers::current_deployment(sql, workers::get(sql, target)?.as_ref())?,
            migrations: migrations::of_worker(sql, source.target.worker.as_str())?,
            source,
            removed_classes: object_classes::removed(sql, target)?,
            may_read: access.may(&actor.caller, &Request::worker(Action::Read, target.clone()))?,
            lock: locks::holding(sql, Place::worker(target), access.now)?,
        })
    }

    pub(super) fn set_metadata(&self, message: &SetMetadata) -> Result<(), Problem> {
        let lease = leases::of_attempt(&self.sql, &message.attempt)?.ok_or_else(lease_lost)?;
        let deployment = deployments::of_intent(&self.sql, lease.intent)?.ok_or_else(lease_lost)?;
        let deployment = Deployment {
            bundle: message.bundle.clone(),
            metadata: Some(message.metadata.clone()),
            unresolved: Some(message.unresolved.clone()),
            ..deployment
        };
        self.sql
            .transaction(|| deployments::set_metadata(&self.sql, &deployment))
            .map_err(Problem::from)
    }
}
