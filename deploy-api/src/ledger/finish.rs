//! How a change ends: its outcome in the audit log, the deployment, and the release of the lease.

use super::change::Refuse;
use super::health_check::health_check_due;
use super::lease::{End, Finish, Finished, Renew, ScriptState};
use super::{Ledger, Message};
use crate::access::Access;
use crate::audit::{Action, Outcome, Reason};
use crate::code::Code;
use crate::deployments::{Deployment, Drift, Failure, RemoteVersion, State, Warning};
use crate::lint;
use crate::problem::Problem;
use crate::runtime::Runtime;
use crate::sql::Sql;
use crate::store::leases::{Lease, LeaseState};
use crate::store::{
    answers, deployments, drifts, health_checks, leases, migrations, object_classes, previews,
    remote_versions, workers,
};

/// What to do about a change whose outcome cannot be determined.
const CHECK: &str =
    "the upstream does not tell whether it was executed: read the secrets and tags, and repeat the change";

impl<S: Sql, R: Runtime> Ledger<S, R> {
    pub(super) fn renew(&self, message: &Renew) -> Result<(), Problem> {
        let now = self.runtime.now();
        if let Some(mut lease) = leases::of_attempt(&self.sql, &message.attempt)? {
            lease.state = LeaseState::Held;
            lease.renewed = now;
            lease.due = self.lease_ends(now);
            if message.sent.is_some() {
                lease.sent.clone_from(&message.sent);
            }
            leases::update(&self.sql, &lease)?;
            return Ok(());
        }
        let mut check = health_checks::of_attempt(&self.sql, &message.attempt)?.ok_or_else(lease_lost)?;
        check.due = health_check_due(now);
        health_checks::put(&self.sql, &check)?;
        Ok(())
    }

    pub(super) fn finish(&self, message: &Finish) -> Result<Finished, Problem> {
        let access = self.access(&message.client);
        let lease = leases::of_attempt(&self.sql, &message.attempt)?;
        let target = lease.as_ref().map(|lease| lease.target.clone());
        let finished = if matches!(message.end, End::Unknown) {
            self.finish_unknown(lease)
        } else {
            answers::once(&self.sql, &message.attempt, Finish::NAME, access.now, || {
                let lease = lease.ok_or_else(lease_lost)?;
                self.sql
                    .transaction(|| self.record_outcome(&access, &lease, &message.end))
            })
        };
        if let Some(target) = target {
            self.queue.wake_first(&target);
        }
        finished
    }

    /// The attempt gives up. The lease stays open, and the reconciler inspects it soon.
    fn finish_unknown(&self, lease: Option<Lease>) -> Result<Finished, Problem> {
        let mut lease = lease.ok_or_else(lease_lost)?;
        lease.state = LeaseState::Unknown;
        lease.due = self.reconcile_again_at(&lease);
        leases::update(&self.sql, &lease)?;
        Ok(Finished {
            deployment: deployments::of_intent(&self.sql, lease.intent)?,
            health_check: None,
        })
    }

    fn record_outcome(&self, access: &Access<'_, S>, lease: &Lease, end: &End) -> Result<Finished, Problem> {
        let (caller, allowed) = access.caller_of_intent(lease.intent)?;
        let deployment = deployments::of_intent(&self.sql, lease.intent)?;
        let mut entry = access
            .entry(lease.action, Outcome::Succeeded)
            .about(&lease.target)
            .by(&caller)
            .under(Some(&allowed.rule), allowed.policy_version);
        entry.intent = Some(lease.intent);
        if let Some(deployment) = &deployment {
            entry.deployment = Some(deployment.id.to_string());
            entry.previous_deployment = deployment.previous.as_ref().map(ToString::to_string);
            if deployment.metadata.is_some() {
                // The intent has the bundle of the source; the bindings of this deployment were determined later.
                entry.bundle = Some(deployment.bundle.clone());
            }
        }
        let finished = match end {
            End::Succeeded { upstream, script } => {
                entry.upstream.clone_from(upstream);
                access.record(&entry)?;
                self.succeeded(access, lease, deployment, script)?
            }
            End::Failed { upstream, problem } => {
                entry.upstream.clone_from(upstream);
                entry.outcome = if upstream.is_none() && problem.code.status() < 500 {
                    Outcome::Denied
                } else {
                    Outcome::Failed
                };
                entry.reason = Some(Reason::of(problem));
                let finished = entry.time;
                access.record(&entry)?;
                let deployment = deployment.map(|deployment| Deployment {
                    state: State::Failed,
                    finished: Some(finished),
                    failure: Some(Failure::of(problem)),
                    ..deployment
                });
                if let Some(deployment) = &deployment {
                    deployments::finish(&self.sql, deployment)?;
                }
                Finished {
                    deployment,
                    health_check: None,
                }
            }
            End::Undetermined { problem } => {
                entry.outcome = Outcome::Unknown;
                entry.reason = Some(Reason::of(problem).because(CHECK));
                access.record(&entry)?;
                let before = lease.sent.as_ref().map(|sent| &sent.before);
                self.settle_change(access, &lease.target, before, None)?;
                Finished {
                    deployment,
                    health_check: None,
                }
            }
            End::Unknown => return Err(lease_lost()),
        };
        leases::delete(&self.sql, lease.intent)?;
        Ok(finished)
    }

    fn succeeded(
        &self,
        access: &Access<'_, S>,
        lease: &Lease,
        deployment: Option<Deployment>,
        script: &ScriptState,
    ) -> Result<Finished, Problem> {
        let sql = &self.sql;
        let target = &lease.target;
        let none = Finished {
            deployment: None,
            health_check: None,
        };
        if lease.action.is_of_assets() {
            return Ok(none);
        }
        let revision = workers::changed(sql, target)?;
        let Some(mut deployment) = deployment else {
            if matches!(lease.action, Action::Delete | Action::Adopt) {
                workers::deleted(sql, target, access.now)?;
                object_classes::forget(sql, target)?;
                remote_versions::put(sql, target, &RemoteVersion::default(), access.now)?;
                drifts::delete(sql, target)?;
                if let Some(preview) = target.preview() {
                    previews::delete(sql, &preview)?;
                }
                return Ok(none);
            }
            if let Some(tags) = &script.tags {
                workers::set_tags(sql, target, tags)?;
            }
            let before = lease.sent.as_ref().map(|sent| &sent.before);
            self.settle_change(access, target, before, script.after.as_ref())?;
            return Ok(none);
        };
        deployment.state = State::Succeeded;
        deployment.finished = Some(access.now);
        deployment.revision = Some(revision);
        deployment.etag.clone_from(&script.etag);
        deployment.startup_time_ms = script.startup_time_ms;
        let handlers = script.handlers.iter().map(String::as_str);
        let idle = lint::idle_handlers(handlers).filter(|_| !target.is_in_account());
        for warning in idle.into_iter().chain(script.warnings.iter().cloned()) {
            // A redeploy has the warnings of its source already.
            if !deployment.warnings.contains(&warning) {
                deployment.warnings.push(warning);
            }
        }
        if let Some(tags) = &script.tags {
            deployment.tags.clone_from(tags);
        }
        if let Some(migration_tag) = &script.migration_tag {
            deployment.migration_tag.clone_from(migration_tag);
        }
        if script.migrations.is_some() {
            deployment.migrations.clone_from(&script.migrations);
        }
        let after = script.after.clone().unwrap_or_else(|| RemoteVersion {
            etag: script.etag.clone(),
            ..RemoteVersion::default()
        });
        if let Some(drift) = self.settle_upload(access, target, &script.before, &after)?
            && deployment.action != Action::Adopt
        {
            deployment.warnings.push(drift_overwritten(&drift));
        }
        workers::serves(sql, target, &deployment.id)?;
        workers::set_tags(sql, target, &deployment.tags)?;
        if let Some(carried_out) = &deployment.migrations {
            migrations::keep(sql, target, carried_out)?;
        }
        if let Some(classes) = &deployment.classes {
            object_classes::apply(sql, target, classes)?;
        }
        if let Some(preview) = target.preview() {
            let expires = self.preview_expires(access.now);
            previews::renew(sql, &preview, expires)?;
            deployment.expires = Some(expires);
        }
        deployments::finish(sql, &deployment)?;
        // The rollback of a failed health check is checked after the result of that check is recorded. An adopted deployment
        // serves already.
        let is_undo =
            deployment.action == Action::Rollback && health_checks::of_worker(sql, target)?.is_some();
        let health_check = if is_undo || deployment.action == Action::Adopt {
            None
        } else {
            self.plan_health_check(&mut deployment, &lease.attempt)?
        };
        Ok(Finished {
            deployment: Some(deployment),
            health_check,
        })
    }

    pub(super) fn refuse(&self, message: &Refuse) -> Result<(), Problem> {
        let access = self.access(&message.client);
        answers::once(&self.sql, &message.attempt, Refuse::NAME, access.now, || {
            let entry = access
                .entry(message.action, Outcome::Denied)
                .about(&message.target)
                .by(&message.caller)
                .under(Some(&message.allowed.rule), message.allowed.policy_version);
            let told = access.refuse_binding(entry, message.problem.clone(), message.binding.clone());
            if told.code == Code::RecordUnavailable {
                return Err(told);
            }
            Ok(())
        })
    }
}

/// The warning about an upload that replaced a change of others.
fn drift_overwritten(drift: &Drift) -> Warning {
    Warning {
        code: Code::DriftOverwritten.name().to_owned(),
        message: format!("{} This deployment replaced it.", drift.kind.explanation()),
    }
}

/// The attempt has no lease any more: another attempt or the reconciler has recorded the outcome.
pub(super) fn lease_lost() -> Problem {
    Problem::new(
        Code::DeploymentUnsettled,
        "The change took too long, and its lease on the Worker expired.",
        "GET …/deployments returns the outcome; try again in a moment.",
    )
    .retry_after(5)
}

impl Failure {
    pub(super) fn of(problem: &Problem) -> Self {
        Self {
            code: problem.code.name().to_owned(),
            upstream_code: problem.upstream.as_ref().map(|error| error.code),
        }
    }
}
