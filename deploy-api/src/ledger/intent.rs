//! The intent of a change: its audit entry, its lease and its pending deployment, which are written in one transaction.

use jiff::{SignedDuration, Timestamp};

use super::Ledger;
use super::actor::{Actor, entry_by};
use super::change::{Authority, Begin, Change, NewUpload};
use super::environment_suffix;
use super::lease::{Begun, GrantedLease};
use super::source::source;
use crate::access::Access;
use crate::audit::{Action, Annotations, Outcome, SubjectRecord};
use crate::code::Code;
use crate::deployments::{Deployment, DeploymentHealth, DeploymentId, State};
use crate::problem::Problem;
use crate::runtime::Runtime;
use crate::sql::Sql;
use crate::store::leases::{Lease, LeaseState};
use crate::store::{deployment_objects, deployments, leases, workers};
use crate::target::Target;

impl<S: Sql, R: Runtime> Ledger<S, R> {
    /// Moves a lease whose attempt gave up to this attempt, which continues the same upload, deployment and intent.
    pub(super) fn resume(
        &self,
        begin: &Begin,
        mut lease: Lease,
        deployment: Deployment,
        now: Timestamp,
    ) -> Result<Begun, Problem> {
        lease.attempt = begin.attempt.clone();
        lease.state = LeaseState::Held;
        lease.renewed = now;
        lease.due = self.lease_ends(now);
        leases::update(&self.sql, &lease)?;
        Ok(Begun::Lease(Box::new(GrantedLease {
            attempt: begin.attempt.clone(),
            intent: lease.intent,
            deployment: Some(deployment),
            is_resumed: true,
            redeploy: None,
        })))
    }

    pub(super) fn write_intent(
        &self,
        access: &Access<'_, S>,
        actor: &Actor,
        begin: &Begin,
    ) -> Result<Begun, Problem> {
        let sql = &self.sql;
        let target = &begin.target;
        let worker = workers::get(sql, target)?;
        if matches!(begin.change, Change::Deploy(_) | Change::AssetSession { .. }) && !target.is_in_account()
        {
            environment_suffix::check(access, actor, target, worker.as_ref())?;
        }
        let serving = worker.as_ref().and_then(|worker| worker.deployment.clone());
        if let Some(upload) = begin.change.upload()
            && let Some(based_on) = &upload.based_on
            && based_on.deployment != serving
        {
            return Ok(Begun::Outdated);
        }
        let source = source(sql, begin)?;
        let mut entry = entry_by(access, actor, begin, Outcome::Intent);
        entry.subject = match &begin.authority {
            Authority::ExpiredPreview { expired } => {
                Some(SubjectRecord::ExpiredPreview { expired: *expired })
            }
            Authority::Credential(_) | Authority::HealthCheck { .. } => begin.change.subject(),
        };
        let mut deployment = match (begin.change.upload(), &source) {
            (Some(upload), _) => Some(self.new_deployment(access, actor, begin, upload, serving)?),
            (None, Some(source)) => Some(self.redeployment(access, actor, begin, source, serving)?),
            (None, None) if matches!(begin.change, Change::Adopt { is_deleted: false }) => {
                Some(self.pending_deployment(access, actor, begin, serving)?)
            }
            (None, None) => None,
        };
        if let Some(deployment) = &deployment {
            entry.deployment = Some(deployment.id.to_string());
            entry.previous_deployment = deployment.previous.as_ref().map(ToString::to_string);
            let has_bundle = deployment.action != Action::Adopt;
            entry.bundle = has_bundle.then(|| deployment.bundle.clone());
            entry.annotations = deployment.annotations.clone();
        }
        let intent = access.record(&entry)?;
        leases::insert(
            sql,
            &Lease {
                intent,
                attempt: begin.attempt.clone(),
                target: target.clone(),
                action: begin.change.action(),
                is_exclusive: begin.change.is_exclusive(),
                state: LeaseState::Held,
                renewed: access.now,
                due: self.lease_ends(access.now),
                sent: None,
            },
        )?;
        if let Some(deployment) = &mut deployment {
            deployment.intent = intent;
            let upload = begin.change.upload();
            let fingerprint = upload.map(|upload| upload.fingerprint.as_str());
            deployments::begin(sql, deployment, fingerprint)?;
            match (upload, &source) {
                (Some(upload), _) => deployment_objects::pin(sql, &deployment.id, &upload.pins)?,
                (_, Some(source)) => deployment_objects::pin_as(sql, &deployment.id, &source.id)?,
                _ => {}
            }
        }
        Ok(Begun::Lease(Box::new(GrantedLease {
            attempt: begin.attempt.clone(),
            intent,
            deployment,
            is_resumed: false,
            redeploy: match source {
                Some(source) => Some(Box::new(self.plan_of(access, actor, target, source)?)),
                None => None,
            },
        })))
    }

    fn new_deployment(
        &self,
        access: &Access<'_, S>,
        actor: &Actor,
        begin: &Begin,
        upload: &NewUpload,
        serving: Option<DeploymentId>,
    ) -> Result<Deployment, Problem> {
        let before = match &serving {
            Some(id) => deployments::get(&self.sql, id)?,
            None => None,
        };
        let known = workers::get(&self.sql, &begin.target)?.unwrap_or_default();
        Ok(Deployment {
            bundle: upload.bundle.clone(),
            object: Some(upload.object.clone()),
            migration_tag: match &upload.migrations {
                Some(migrations) => Some(migrations.new_tag.clone()),
                None => before.and_then(|before| before.migration_tag),
            },
            migrations: upload.migrations.clone(),
            classes: Some(upload.classes.clone()),
            unresolved: Some(upload.unresolved.clone()),
            annotations: upload.annotations.clone(),
            tags: upload.tags.clone().unwrap_or(known.tags),
            warnings: upload.warnings.clone(),
            ..self.pending_deployment(access, actor, begin, serving)?
        })
    }

    fn redeployment(
        &self,
        access: &Access<'_, S>,
        actor: &Actor,
        begin: &Begin,
        source: &Deployment,
        serving: Option<DeploymentId>,
    ) -> Result<Deployment, Problem> {
        Ok(Deployment {
            bundle: source.bundle.clone(),
            object: source.object.clone(),
            metadata: source.metadata.clone(),
            unresolved: source.unresolved.clone(),
            source: Some(source.id.clone()),
            migration_tag: source.migration_tag.clone(),
            classes: source.classes.clone(),
            annotations: source.annotations.clone(),
            tags: source.tags.clone(),
            warnings: source
                .warnings
                .iter()
                .filter(|warning| warning.code != Code::DriftOverwritten.name())
                .cloned()
                .collect(),
            ..self.pending_deployment(access, actor, begin, serving)?
        })
    }

    fn pending_deployment(
        &self,
        access: &Access<'_, S>,
        actor: &Actor,
        begin: &Begin,
        serving: Option<DeploymentId>,
    ) -> Result<Deployment, Problem> {
        let uploaded = begin.change.upload().and_then(|upload| upload.version.clone());
        let id = match uploaded {
            // A version that is deployed for the second time gets another id.
            Some(version) if deployments::get(&self.sql, &version)?.is_none() => version,
            _ => self.next_id(&begin.target, access.now)?,
        };
        Ok(Deployment {
            id,
            target: begin.target.clone(),
            action: begin.change.action(),
            state: State::Pending,
            intent: 0,
            bundle: crate::audit::Bundle::default(),
            annotations: Annotations::default(),
            object: None,
            metadata: None,
            unresolved: None,
            identity: actor.caller.identity.clone(),
            token: actor.caller.token.as_ref().map(ToString::to_string),
            imported: match &begin.change {
                Change::Import { from, .. } => Some(from.clone()),
                _ => None,
            },
            source: None,
            previous: serving,
            created: access.now,
            finished: None,
            etag: None,
            startup_time_ms: None,
            migration_tag: None,
            migrations: None,
            classes: None,
            tags: Vec::new(),
            failure: None,
            warnings: Vec::new(),
            revision: None,
            health: DeploymentHealth::default(),
            expires: None,
        })
    }

    /// An id that sorts after those of the Worker's earlier deployments, two of which may begin in one millisecond.
    fn next_id(&self, target: &Target, now: Timestamp) -> Result<DeploymentId, Problem> {
        let last = deployments::list(&self.sql, target, None, 1)?.pop();
        let after = last.and_then(|last| last.id.time().checked_add(SignedDuration::from_millis(1)).ok());
        let time = after.map_or(now, |after| after.max(now));
        Ok(DeploymentId::new(time, self.runtime.entropy()))
    }
}
