use std::rc::Rc;

use dotdo_names::WorkerName;
use serde::{Deserialize, Serialize};

use super::Access;
use crate::audit::{Action, Entry, Outcome, Reason};
use crate::code::Code;
use crate::identity::Identity;
use crate::policy::{
    BoundGrant, Caller, Decision, Explanation, Policy, Readable, Request, Resource, RuleName, WorkerPattern,
};
use crate::problem::Problem;
use crate::sql::{Sql, SqlError};
use crate::store::denials;
use crate::store::policies::{self, ActivePolicy};

/// The rule that allowed a request, which is recorded with it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Allowed {
    /// The rule.
    pub rule: RuleName,
    /// The version of the policy.
    pub policy_version: u64,
}

impl<S: Sql> Access<'_, S> {
    /// Evaluates the policy, and records a denial. An allowed request is recorded by the caller of this function.
    ///
    /// # Errors
    /// `PERMISSION_DENIED`, explained; `RECORD_UNAVAILABLE` when the database fails.
    pub fn authorize(&self, caller: &Caller, request: &Request, action: Action) -> Result<Allowed, Problem> {
        let (decision, policy_version) = self.decide(caller, request)?;
        match decision {
            Decision::Allowed { rule } => Ok(Allowed { rule, policy_version }),
            Decision::Denied(explanation) => {
                let entry = self
                    .entry(action, Outcome::Denied)
                    .by(caller)
                    .under(None, policy_version);
                let entry = about(entry, request).because(Reason::denied(&explanation));
                let credential = match &caller.token {
                    Some(token) => token.to_string(),
                    None => caller.identity.to_string(),
                };
                // Repeated denials of one credential are one entry with a count.
                let key = format!("{credential} {action} {request}");
                denials::record(self.sql, &key, &entry, self.now)?;
                Err(permission_denied(&explanation))
            }
        }
    }

    /// Whether the policy allows a request. Nothing is recorded: this is for lists that leave out what a caller may not
    /// see.
    ///
    /// # Errors
    /// `RECORD_UNAVAILABLE` when the database fails.
    pub fn may(&self, caller: &Caller, request: &Request) -> Result<bool, Problem> {
        Ok(self.decide(caller, request)?.0.is_allowed())
    }

    /// Whether a rule for this caller names the Worker literally, and not by a pattern that happens to match.
    ///
    /// # Errors
    /// `RECORD_UNAVAILABLE` when the database fails.
    pub fn is_named_in_policy(&self, caller: &Caller, worker: &WorkerName) -> Result<bool, Problem> {
        let active = self.policy_for(caller)?;
        let literally = WorkerPattern::Named(worker.clone());
        Ok(active
            .policy
            .rules()
            .iter()
            .any(|rule| rule.who.is(&caller.identity) && rule.grant.workers().contains(&literally)))
    }

    /// The Workers that the policy allows a caller to read. Nothing is recorded.
    ///
    /// # Errors
    /// `RECORD_UNAVAILABLE` when the database fails.
    pub fn readable(&self, caller: &Caller) -> Result<Readable, Problem> {
        Ok(self.policy_for(caller)?.policy.readable(caller))
    }

    /// The permissions that the rules of the policy give to a caller, and the version of the policy. The scope of the caller's token can
    /// limit them further. Nothing is recorded.
    ///
    /// # Errors
    /// `RECORD_UNAVAILABLE` when the database fails.
    pub fn permissions(&self, caller: &Caller) -> Result<(Vec<BoundGrant>, u64), Problem> {
        let active = self.policy_for(caller)?;
        Ok((active.policy.permissions(&caller.identity), active.version))
    }

    fn decide(&self, caller: &Caller, request: &Request) -> Result<(Decision, u64), SqlError> {
        let active = self.policy_for(caller)?;
        Ok((active.policy.decide(caller, request), active.version))
    }

    /// The active policy. The bootstrap administrator is authorized without its rules, so that a stored policy that no
    /// longer loads can be replaced.
    fn policy_for(&self, caller: &Caller) -> Result<Rc<ActivePolicy>, SqlError> {
        match caller.identity {
            Identity::BootstrapAdministrator => {
                let version = policies::latest_version(self.sql)?;
                Ok(Rc::new(ActivePolicy {
                    version,
                    policy: Policy::default(),
                }))
            }
            Identity::GithubRun(_)
            | Identity::GitlabJob(_)
            | Identity::BuildkiteJob(_)
            | Identity::ApiToken { .. }
            | Identity::Platform => self.policies.active(self.sql),
        }
    }
}

fn about(entry: Entry, request: &Request) -> Entry {
    match &request.resource {
        Resource::Worker(target) => entry.about(target),
        Resource::Namespace(environment) | Resource::AnyWorker(environment) => {
            entry.about_namespace(*environment)
        }
        Resource::Platform => entry,
    }
}

/// The error for a denied caller: the request, and a note for each mismatch.
pub(crate) fn permission_denied(explanation: &Explanation) -> Problem {
    let mut lines = explanation.lines().into_iter();
    let summary = lines.next().unwrap_or_default();
    let problem = Problem::new(
        Code::PermissionDenied,
        summary,
        "Run it from where a rule allows it, or ask an administrator to change the policy.",
    );
    lines.fold(problem, Problem::note)
}
