//! The caller of a change, who is authenticated and authorized again in the turn in which the change begins.

use super::Ledger;
use super::change::{Authority, Begin, Change};
use crate::access::{Access, Allowed};
use crate::audit::{Entry, Outcome};
use crate::code::Code;
use crate::identity::Identity;
use crate::policy::{Caller, RuleName, Scope};
use crate::problem::Problem;
use crate::runtime::Runtime;
use crate::sql::Sql;
use crate::store::{deployments, health_checks, policies, previews};
use crate::target::Target;

/// The caller of a change, and the rule that allowed it.
pub(super) struct Actor {
    pub caller: Caller,
    pub allowed: Allowed,
}

impl<S: Sql, R: Runtime> Ledger<S, R> {
    /// The caller of a change, if the policy allows it.
    pub(super) fn authorize_change(&self, access: &Access<'_, S>, begin: &Begin) -> Result<Actor, Problem> {
        match &begin.authority {
            Authority::Credential(credential) => {
                let caller = access.authenticate_again(credential)?;
                let mut allowed = None;
                for request in begin.change.requests(&begin.target) {
                    allowed = Some(access.authorize(&caller, &request, begin.change.action())?);
                }
                let allowed = allowed.ok_or_else(no_authority)?;
                Ok(Actor { caller, allowed })
            }
            Authority::HealthCheck { attempt } => {
                let check = health_checks::of_worker(&self.sql, &begin.target)?
                    .filter(|check| check.attempt == *attempt)
                    .ok_or_else(no_authority)?;
                let deployment = deployments::get(&self.sql, &check.deployment)?.ok_or_else(no_authority)?;
                let (caller, allowed) = access.caller_of_intent(deployment.intent)?;
                Ok(Actor { caller, allowed })
            }
            Authority::ExpiredPreview { expired } => {
                let is_expired = *expired <= access.now
                    && match begin.target.preview() {
                        Some(preview) => previews::expires(&self.sql, &preview)? == Some(*expired),
                        None => false,
                    };
                if !is_expired || !matches!(begin.change, Change::Delete) {
                    return Err(renewed(&begin.target));
                }
                Ok(Actor {
                    caller: Caller {
                        identity: Identity::Platform,
                        token: None,
                        scope: Scope::Grants(Vec::new()),
                    },
                    allowed: Allowed {
                        rule: RuleName::expired_preview(),
                        policy_version: policies::latest_version(&self.sql)?,
                    },
                })
            }
        }
    }
}

/// An entry of the audit log about a change.
pub(super) fn entry_by<S: Sql>(
    access: &Access<'_, S>,
    actor: &Actor,
    begin: &Begin,
    outcome: Outcome,
) -> Entry {
    access
        .entry(begin.change.action(), outcome)
        .about(&begin.target)
        .by(&actor.caller)
        .under(Some(&actor.allowed.rule), actor.allowed.policy_version)
}

fn no_authority() -> Problem {
    Problem::new(
        Code::DeploymentUnsettled,
        "The change does not belong to a pending health check.",
        "",
    )
}

/// The error for a deletion of a preview that is not expired.
fn renewed(target: &Target) -> Problem {
    Problem::new(
        Code::DeploymentUnsettled,
        format!("{target} is not an expired preview: it was deployed again, or deleted."),
        "",
    )
}
