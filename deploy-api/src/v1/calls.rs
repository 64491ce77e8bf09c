//! The handler of each operation.

use super::Answer;
use super::Operation;
use super::exchange::token_entropy;
use super::read::{read_text, read_version};
use super::{
    account, audit_segments, deletion, dispatch_namespace, dispatcher, drift, everywhere, exchange, health,
    import, logs, namespace, namespaces, preview, promote, rollback, secrets, tags, target, verify, workers,
};
use crate::code::Code;
use crate::deploys::Gateway;
use crate::identity::ShownCredential;
use crate::identity::oidc::{KeySource, Keyring};
use crate::ledger::{self, Ask, LedgerClient};
use crate::policy::SCHEMA;
use crate::problem::Problem;
use crate::router::Captures;
use crate::services::Services;

/// The OpenAPI document, which `GET /v1/openapi.json` publishes.
pub const OPENAPI: &str = include_str!("../../openapi/openapi.json");

/// The services of the calls of `/v1`.
pub struct Api<'a, L: LedgerClient, O: Services, K: KeySource> {
    /// The ledger and the services.
    pub gateway: &'a Gateway<'a, L, O>,
    /// The keys of OIDC issuers. One of these lives as long as the isolate.
    pub keyring: &'a Keyring,
    /// How those keys are read.
    pub key_source: &'a K,
}

/// One call that has been read.
pub(super) struct Call<'a> {
    pub captures: &'a Captures,
    pub parameters: &'a [(&'a str, &'a str)],
    pub if_match: Option<&'a str>,
    pub body: &'a [u8],
}

impl<L: LedgerClient, O: Services, K: KeySource> Api<'_, L, O, K> {
    /// The calls that need no credential.
    pub(super) async fn answer_anyone(
        &self,
        operation: Operation,
        call: &Call<'_>,
    ) -> Result<Answer, Problem> {
        match operation {
            Operation::Health => health::check(self.gateway, None).await,
            Operation::OpenApi => Ok(Answer::document(OPENAPI, "application/json")),
            Operation::PolicySchema => Ok(Answer::document(SCHEMA, "application/schema+json")),
            Operation::TokenExchange => {
                exchange::exchange(self.gateway, self.keyring, self.key_source, call.body).await
            }
            _ => Err(not_served()),
        }
    }

    /// The calls of an authenticated caller: calls that need the upstream are answered here, all others by the ledger.
    pub(super) async fn answer_caller(
        &self,
        operation: Operation,
        credential: &ShownCredential,
        call: &Call<'_>,
    ) -> Result<Answer, Problem> {
        let gateway = self.gateway;
        let captures = call.captures;
        let dispatch_namespace = || dispatch_namespace(captures.get("namespace"));
        let target = || target(captures.get("namespace"), captures.get("worker"));
        if operation.is_change_of_worker() {
            // One use of a deploy token is counted here; the change itself is authorized when it begins.
            gateway.authorize(credential, Ask::Identity).await?;
        }
        match operation {
            Operation::Health => health::check(gateway, Some(credential)).await,
            Operation::NamespaceList => namespaces::list(gateway, credential).await,
            Operation::NamespaceGet => namespaces::get(gateway, credential, dispatch_namespace()?).await,
            Operation::WorkerList => {
                let namespace = namespace(captures.get("namespace"))?;
                workers::list(gateway, credential, namespace, call.parameters).await
            }
            Operation::WorkerGet => workers::get(gateway, credential, &target()?).await,
            Operation::WorkerEverywhere => everywhere::get(gateway, credential, captures.get("worker")).await,
            Operation::Dispatcher => dispatcher::get(gateway, credential).await,
            Operation::WorkerDelete => {
                deletion::delete(gateway, credential, &target()?, call.parameters).await
            }
            Operation::SecretList => secrets::list(gateway, credential, &target()?).await,
            Operation::SecretPut => {
                let name = captures.get("secret");
                secrets::put(gateway, credential, &target()?, name, call.body).await
            }
            Operation::SecretDelete => {
                secrets::delete(gateway, credential, &target()?, captures.get("secret")).await
            }
            Operation::TagList => tags::list(gateway, credential, &target()?).await,
            Operation::TagPut => tags::put(gateway, credential, &target()?, call.body).await,
            Operation::Rollback => {
                rollback::rollback(gateway, credential, &target()?, call.parameters, call.body).await
            }
            Operation::Promote => {
                promote::promote(gateway, credential, &target()?, call.parameters, call.body).await
            }
            Operation::Preview => {
                preview::preview(gateway, credential, &target()?, call.parameters, call.body).await
            }
            Operation::DriftResolve => {
                drift::resolve(gateway, credential, &target()?, call.parameters, call.body).await
            }
            Operation::AccountWorkerList => account::list(gateway, credential, call.parameters).await,
            Operation::AccountWorkerGet => {
                account::get(gateway, credential, captures.get("account_worker")).await
            }
            Operation::AccountHostList => account::hosts(gateway, credential, call.parameters).await,
            Operation::AccountQueueList => account::queues(gateway, credential, call.parameters).await,
            Operation::Import => import::import(gateway, credential, &target()?, call.body).await,
            Operation::AuditSegmentGet => {
                audit_segments::download(gateway, credential, captures.get("first")).await
            }
            Operation::LogRead => logs::read(gateway, credential, &target()?, call.parameters).await,
            Operation::Verify => verify::verify(gateway, credential, &target()?, call.parameters).await,
            _ => self.ask_ledger(operation, credential, call).await,
        }
    }

    /// A call that needs only the database: one message.
    async fn ask_ledger(
        &self,
        operation: Operation,
        credential: &ShownCredential,
        call: &Call<'_>,
    ) -> Result<Answer, Problem> {
        let owned = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
        let message = ledger::Call {
            attempt: self.gateway.attempt.clone(),
            credential: credential.clone(),
            client: self.gateway.client.clone(),
            operation,
            captures: call.captures.iter().map(owned).collect(),
            parameters: call.parameters.iter().copied().map(owned).collect(),
            if_match: call.if_match.map(read_version).transpose()?,
            body: read_text(call.body)?.to_owned(),
            entropy: token_entropy(self.gateway.services),
        };
        self.gateway.send(&message).await
    }
}

/// The error for a route without a handler. A test checks that there is none.
fn not_served() -> Problem {
    Problem::new(Code::Internal, "This call has no handler.", "")
}
