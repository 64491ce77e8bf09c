//! The Worker of a call that does not name a namespace. wrangler makes such calls for Workers of the account.

use dotdo_names::{Environment, WorkerName};

use super::response::Reply;
use super::{Absent, BASE};
use crate::code::Code;
use crate::deploys::Gateway;
use crate::identity::ShownCredential;
use crate::ledger::{LedgerClient, ResolveWorker, Resolved};
use crate::policy::Action;
use crate::problem::Problem;
use crate::services::Services;
use crate::target::Target;

/// A call of `/v1` that names the namespace, to be shown in place of an ambiguous call.
#[derive(Clone, Copy, Debug)]
pub(super) struct Alternative<'a> {
    /// The method.
    pub method: &'a str,
    /// The path below the Worker's, such as `secrets`.
    pub below: &'a str,
    /// An example of the body, without single quotes.
    pub body: Option<&'a str>,
}

impl Alternative<'_> {
    /// The command that makes the call for a Worker.
    fn command(&self, target: &Target) -> String {
        let body = self.body.map(|body| format!(" -d '{body}'")).unwrap_or_default();
        let Self { method, below, .. } = self;
        format!(
            "curl -X {method} -H \"Authorization: Bearer $CLOUDFLARE_API_TOKEN\"{body} \
             \"${{CLOUDFLARE_API_BASE_URL%{BASE}}}/v1/namespaces/{}/workers/{}/{below}\"",
            target.namespace(),
            target.worker
        )
    }
}

/// The Worker that a call changes: the one in the only namespace that allows the action; of several such namespaces, the only
/// one in which the Worker is deployed. If no namespace allows the action, it is the Worker in production, so that the denial is
/// explained.
///
/// # Errors
/// `NAMESPACE_AMBIGUOUS` with the namespaces and the command for each; `WORKER_UNKNOWN`.
pub(super) async fn resolve<L: LedgerClient, O: Services>(
    gateway: &Gateway<'_, L, O>,
    credential: &ShownCredential,
    worker: &WorkerName,
    action: Action,
    alternative: Alternative<'_>,
) -> Result<Target, Problem> {
    let resolved = ask(gateway, credential, worker, vec![action]).await?;
    match (resolved.allowed.as_slice(), resolved.deployed.as_slice()) {
        ([], _) => Ok(in_production(worker)),
        ([only], _) | (_, [only]) => Ok(only.clone()),
        (allowed, []) => Err(deployed_nowhere(worker, allowed, alternative)),
        (_, several) => Err(ambiguous(worker, several, alternative)),
    }
}

/// The result of [`find`].
pub(super) enum Found {
    /// The Worker.
    One(Target),
    /// The reply that there is no such Worker of the account, with the reason if the namespace is ambiguous.
    None(Reply),
}

/// The Worker that a look-up refers to, by the same rules. wrangler makes look-ups during each deploy and fails on most errors, so
/// the reply to an ambiguous one is that there is no such Worker, with an explanation.
///
/// # Errors
/// `AUTHENTICATION_FAILED`, `LOCKED_OUT`, `RECORD_UNAVAILABLE`.
pub(super) async fn find<L: LedgerClient, O: Services>(
    gateway: &Gateway<'_, L, O>,
    credential: &ShownCredential,
    worker: &WorkerName,
    alternative: Alternative<'_>,
) -> Result<Found, Problem> {
    let resolved = ask(gateway, credential, worker, vec![Action::Deploy, Action::Read]).await?;
    Ok(
        match (resolved.allowed.as_slice(), resolved.deployed.as_slice()) {
            ([], _) => Found::One(in_production(worker)),
            ([only], _) | (_, [only]) => Found::One(only.clone()),
            (_, []) => Found::None(Reply::Absent(Absent::AccountScript)),
            (_, several) => Found::None(Reply::Unclear(ambiguous(worker, several, alternative))),
        },
    )
}

async fn ask<L: LedgerClient, O: Services>(
    gateway: &Gateway<'_, L, O>,
    credential: &ShownCredential,
    worker: &WorkerName,
    actions: Vec<Action>,
) -> Result<Resolved, Problem> {
    let question = ResolveWorker {
        attempt: gateway.attempt.clone(),
        credential: credential.clone(),
        client: gateway.client.clone(),
        worker: worker.clone(),
        actions,
    };
    gateway.send(&question).await
}

fn in_production(worker: &WorkerName) -> Target {
    Target::new(Environment::Production, worker.clone())
}

fn ambiguous(worker: &WorkerName, choices: &[Target], alternative: Alternative<'_>) -> Problem {
    let problem = Problem::new(
        Code::NamespaceAmbiguous,
        format!(
            "This call does not name a namespace, and {worker} is deployed in {}.",
            names(choices, " and in ")
        ),
        "Use a token that is limited to one of these namespaces, or the command for the namespace that you mean.",
    );
    with_commands(problem, choices, alternative)
}

fn deployed_nowhere(worker: &WorkerName, choices: &[Target], alternative: Alternative<'_>) -> Problem {
    let problem = Problem::new(
        Code::WorkerUnknown,
        format!(
            "No Worker {worker} was deployed through this API in {}.",
            names(choices, " or in ")
        ),
        "Deploy it first: wrangler deploy --dispatch-namespace NAMESPACE, with --secrets-file if it requires secrets. For a Worker that was deployed in another way, use \
         the command for its namespace.",
    );
    with_commands(problem, choices, alternative)
}

fn with_commands(problem: Problem, choices: &[Target], alternative: Alternative<'_>) -> Problem {
    choices.iter().fold(problem, |problem, target| {
        problem.note(format!("{}: {}", target.namespace(), alternative.command(target)))
    })
}

fn names(choices: &[Target], between: &str) -> String {
    let names: Vec<_> = choices.iter().map(Target::namespace).collect();
    names.join(between)
}
