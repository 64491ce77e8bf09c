//! The calls of `/v1` that need only the database: one message each.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::calls::{self, Answer, Operation};
use super::{Ledger, Message};
use crate::attempt::AttemptId;
use crate::audit::Client;
use crate::code::Code;
use crate::identity::{ShownCredential, TOKEN_ENTROPY};
use crate::problem::Problem;
use crate::runtime::Runtime;
use crate::sql::Sql;
use crate::store::answers;

/// A call of `/v1`.
#[derive(Clone, Serialize, Deserialize)]
pub struct Call {
    /// The attempt.
    pub attempt: AttemptId,
    /// The credential of the request.
    pub credential: ShownCredential,
    /// Where it came from.
    pub client: Client,
    /// The call.
    pub operation: Operation,
    /// The captured segments of its path.
    pub captures: BTreeMap<String, String>,
    /// The decoded parameters of its query.
    pub parameters: Vec<(String, String)>,
    /// The version in `If-Match`.
    pub if_match: Option<u64>,
    /// Its body.
    pub body: String,
    /// Random bytes for the token that the call may make.
    pub entropy: [u8; TOKEN_ENTROPY],
}

impl Message for Call {
    const NAME: &'static str = "call";
    type Answer = Answer;
}

impl Call {
    fn capture(&self, name: &str) -> &str {
        self.captures.get(name).map_or("", String::as_str)
    }
}

impl<S: Sql, R: Runtime> Ledger<S, R> {
    pub(super) fn call(&self, call: &Call) -> Result<Answer, Problem> {
        match call.operation {
            // Reads change nothing, and the answer with a new token must not be stored.
            Operation::PolicyPut
            | Operation::AuditBreakGlass
            | Operation::NamespaceLock
            | Operation::NamespaceUnlock
            | Operation::Lock
            | Operation::Unlock
            | Operation::HealthCheckPut
            | Operation::HealthCheckDelete => {
                let now = self.runtime.now();
                answers::once(&self.sql, &call.attempt, Call::NAME, now, || {
                    self.answer_call(call)
                })
            }
            _ => self.answer_call(call),
        }
    }

    fn answer_call(&self, call: &Call) -> Result<Answer, Problem> {
        let access = &self.access(&call.client);
        let caller = &access.authenticate(&call.credential, &call.attempt)?;
        let parameters: Vec<(&str, &str)> = call
            .parameters
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        let parameters = parameters.as_slice();
        let body = call.body.as_bytes();
        let urls = &self.settings.worker_urls;
        let environment = || calls::namespace(call.capture("namespace"));
        let target = || calls::target(call.capture("namespace"), call.capture("worker"));
        match call.operation {
            Operation::TokenCreate => calls::tokens::create(access, caller, body, call.entropy),
            Operation::TokenList => calls::tokens::list(access, caller, parameters),
            Operation::TokenRevokeSelf => calls::tokens::revoke_self(access, caller),
            Operation::TokenRevoke => calls::tokens::revoke(access, caller, call.capture("token")),
            Operation::WhoAmI => calls::whoami::whoami(access, caller),
            Operation::Status => calls::status::status(access, caller),
            Operation::PolicyGet => calls::policy::get(access, caller, parameters),
            Operation::PolicyPut => calls::policy::put(access, caller, &call.body, parameters, call.if_match),
            Operation::PolicyVersions => calls::policy::versions(access, caller, parameters),
            Operation::PolicyExplain => calls::explain::explain(access, caller, body),
            Operation::AuditList => calls::audit::list(access, caller, parameters),
            Operation::AuditVerify => calls::audit::verify(access, caller, parameters),
            Operation::AuditSegmentList => calls::audit_segments::list(access, caller, parameters),
            Operation::AuditCheckpoint => {
                calls::audit::checkpoint(access, caller, self.settings.checkpoint_key.as_ref())
            }
            Operation::AuditBreakGlass => calls::audit::break_glass(access, caller, body),
            Operation::NamespaceLockGet => calls::locks::get_namespace(access, caller, environment()?),
            Operation::NamespaceLock => calls::locks::lock_namespace(access, caller, environment()?, body),
            Operation::NamespaceUnlock => calls::locks::unlock_namespace(access, caller, environment()?),
            Operation::AllDeploymentList => calls::deployments::list_all(access, caller, parameters, urls),
            Operation::NamespaceDeploymentList => {
                calls::deployments::list_namespace(access, caller, environment()?, parameters, urls)
            }
            Operation::DeploymentList => {
                calls::deployments::list(access, caller, &target()?, parameters, urls)
            }
            Operation::DeploymentGet => {
                calls::deployments::get(access, caller, &target()?, call.capture("deployment"), urls)
            }
            Operation::LockGet => calls::locks::get_worker(access, caller, &target()?),
            Operation::Lock => calls::locks::lock_worker(access, caller, &target()?, body),
            Operation::Unlock => calls::locks::unlock_worker(access, caller, &target()?),
            Operation::HealthCheckGet => calls::health_check::get(access, caller, &target()?),
            Operation::HealthCheckPut => calls::health_check::put(access, caller, &target()?, body),
            Operation::HealthCheckDelete => calls::health_check::delete(access, caller, &target()?),
            _ => Err(not_served()),
        }
    }
}

/// The error for a route without a handler. A test checks that there is none.
fn not_served() -> Problem {
    Problem::new(Code::Internal, "This call has no handler.", "")
}
