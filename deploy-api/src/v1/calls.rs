//! What each operation leads to.

use super::answer::Answer;
use super::captures::Captures;
use super::operation::Operation;
use super::read::{read_text, read_version};
use super::serve::{Api, OPENAPI};
use super::{
    audit, deployments, exchange, explain, locks, namespace, namespaces, policy, probe, promote, rollback,
    secrets, tags, target, tokens, verify, workers,
};
use crate::code::Code;
use crate::engine::{Outside, Runtime};
use crate::identity::oidc::KeySource;
use crate::identity::{Caller, TOKEN_ENTROPY};
use crate::problem::Problem;
use crate::sql::Sql;
use crate::store::audit_log;

/// One call, as far as it has been read.
pub(super) struct Call<'a> {
    pub captures: &'a Captures<'a>,
    pub parameters: &'a [(&'a str, &'a str)],
    pub if_match: Option<&'a str>,
    pub body: &'a [u8],
}

impl<S: Sql, O: Outside, K: KeySource> Api<'_, S, O, K> {
    /// The calls that need no credential.
    pub(super) async fn answer_anyone(
        &self,
        operation: Operation,
        call: &Call<'_>,
    ) -> Result<Answer, Problem> {
        match operation {
            Operation::Health => self.health(),
            Operation::OpenApi => Ok(Answer::document(OPENAPI, "application/json")),
            Operation::PolicySchema => Ok(Answer::document(policy::SCHEMA, "application/schema+json")),
            Operation::TokenExchange => {
                exchange::exchange(
                    &self.engine.access,
                    self.keyring,
                    self.key_source,
                    call.body,
                    token_entropy(self.engine.outside),
                )
                .await
            }
            _ => Err(not_served()),
        }
    }

    /// The calls that need nothing but the database.
    pub(super) fn answer_about_access(
        &self,
        operation: Operation,
        caller: &Caller,
        call: &Call<'_>,
    ) -> Option<Result<Answer, Problem>> {
        let access = &self.engine.access;
        Some(match operation {
            Operation::TokenCreate => {
                tokens::create(access, caller, call.body, token_entropy(self.engine.outside))
            }
            Operation::TokenList => tokens::list(access, caller, call.parameters),
            Operation::TokenRevokeSelf => tokens::revoke_self(access, caller),
            Operation::TokenRevoke => tokens::revoke(access, caller, call.captures.get("token")),
            Operation::PolicyGet => policy::get(access, caller, call.parameters),
            Operation::PolicyPut => read_text(call.body).and_then(|document| {
                let version = call.if_match.map(read_version).transpose()?;
                policy::put(access, caller, document, call.parameters, version)
            }),
            Operation::PolicyVersions => policy::versions(access, caller, call.parameters),
            Operation::PolicyExplain => explain::explain(access, caller, call.body),
            Operation::AuditList => audit::list(access, caller, call.parameters),
            Operation::AuditVerify => audit::verify(access, caller),
            Operation::AuditCheckpoint => audit::checkpoint(access, caller, self.checkpoint_key),
            Operation::AuditBreakGlass => audit::break_glass(access, caller, call.body),
            _ => return None,
        })
    }

    /// The calls about namespaces and Workers.
    pub(super) async fn answer_about_workers(
        &self,
        operation: Operation,
        caller: &Caller,
        call: &Call<'_>,
    ) -> Result<Answer, Problem> {
        let engine = self.engine;
        let captures = call.captures;
        if operation == Operation::NamespaceList {
            return namespaces::list(engine, caller).await;
        }
        let environment = namespace(captures.get("namespace"))?;
        match operation {
            Operation::NamespaceGet => return namespaces::get(engine, caller, environment).await,
            Operation::NamespaceLockGet => return locks::get_namespace(engine, caller, environment),
            Operation::NamespaceLock => {
                return locks::lock_namespace(engine, caller, environment, call.body);
            }
            Operation::NamespaceUnlock => return locks::unlock_namespace(engine, caller, environment),
            Operation::WorkerList => {
                return workers::list(engine, caller, environment, call.parameters).await;
            }
            _ => {}
        }
        let target = target(captures.get("namespace"), captures.get("worker"))?;
        match operation {
            Operation::WorkerGet => workers::get(engine, caller, &target).await,
            Operation::WorkerDelete => workers::delete(engine, caller, &target).await,
            Operation::SecretList => secrets::list(engine, caller, &target).await,
            Operation::SecretPut => {
                secrets::put(engine, caller, &target, captures.get("secret"), call.body).await
            }
            Operation::SecretDelete => secrets::delete(engine, caller, &target, captures.get("secret")).await,
            Operation::TagList => tags::list(engine, caller, &target).await,
            Operation::TagPut => tags::put(engine, caller, &target, call.body).await,
            Operation::DeploymentList => deployments::list(engine, caller, &target, call.parameters),
            Operation::DeploymentGet => deployments::get(engine, caller, &target, captures.get("deployment")),
            Operation::Rollback => rollback::rollback(engine, caller, &target, call.body).await,
            Operation::Promote => promote::promote(engine, caller, &target, call.body).await,
            Operation::Verify => verify::verify(engine, caller, &target, call.parameters).await,
            Operation::LockGet => locks::get_worker(engine, caller, &target),
            Operation::Lock => locks::lock_worker(engine, caller, &target, call.body),
            Operation::Unlock => locks::unlock_worker(engine, caller, &target),
            Operation::ProbeGet => probe::get(engine, caller, &target),
            Operation::ProbePut => probe::put(engine, caller, &target, call.body).await,
            Operation::ProbeDelete => probe::delete(engine, caller, &target).await,
            _ => Err(not_served()),
        }
    }

    /// Well is an API whose database answers; whether the upstream does is not asked, so that anyone may call this
    /// often.
    fn health(&self) -> Result<Answer, Problem> {
        audit_log::head(self.engine.access.sql)?;
        Answer::json(
            200,
            &serde_json::json!({ "status": "ok", "version": env!("CARGO_PKG_VERSION") }),
        )
    }
}

fn token_entropy(runtime: &impl Runtime) -> [u8; TOKEN_ENTROPY] {
    let mut bytes = [0; TOKEN_ENTROPY];
    let fresh = runtime.entropy().into_iter().chain(runtime.entropy());
    for (byte, random) in bytes.iter_mut().zip(fresh) {
        *byte = random;
    }
    bytes
}

/// A route that no arm serves, which a test looks for.
fn not_served() -> Problem {
    Problem::new(Code::Internal, "This call is on the list and is not served.", "")
}
