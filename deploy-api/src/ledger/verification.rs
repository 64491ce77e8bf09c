use serde::{Deserialize, Serialize};

use super::{Ledger, Message};
use crate::access::Allowed;
use crate::attempt::AttemptId;
use crate::audit::{Action, Client, Outcome};
use crate::deployments::DeploymentId;
use crate::policy::Caller;
use crate::problem::Problem;
use crate::runtime::Runtime;
use crate::sql::Sql;
use crate::store::answers;
use crate::target::Target;

/// Records that a caller verified the current deployment.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RecordVerification {
    /// The attempt.
    pub attempt: AttemptId,
    /// The caller.
    pub caller: Caller,
    /// What allowed it.
    pub allowed: Option<Allowed>,
    /// Where the request came from.
    pub client: Client,
    /// The Worker.
    pub target: Target,
    /// The deployment that the upstream has.
    pub deployment: Option<DeploymentId>,
    /// The result.
    pub is_verified: bool,
}

impl Message for RecordVerification {
    const NAME: &'static str = "record-verification";
    type Answer = ();
}

impl<S: Sql, R: Runtime> Ledger<S, R> {
    pub(super) fn record_verification(&self, message: &RecordVerification) -> Result<(), Problem> {
        let access = self.access(&message.client);
        let now = access.now;
        answers::once(&self.sql, &message.attempt, RecordVerification::NAME, now, || {
            let outcome = if message.is_verified {
                Outcome::Succeeded
            } else {
                Outcome::Failed
            };
            let mut entry = access
                .entry(Action::Verify, outcome)
                .about(&message.target)
                .by(&message.caller);
            if let Some(allowed) = &message.allowed {
                entry = entry.under(Some(&allowed.rule), allowed.policy_version);
            }
            entry.deployment = message.deployment.as_ref().map(ToString::to_string);
            access.record(&entry).map(drop)
        })
    }
}
