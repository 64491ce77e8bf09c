//! The messages that authenticate a caller and return what the caller may do.

use dotdo_names::{Environment, WorkerName};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Ledger, Message};
use crate::access::Allowed;
use crate::attempt::AttemptId;
use crate::audit::{self, Client};
use crate::code::Code;
use crate::deployments::Deployment;
use crate::identity::ShownCredential;
use crate::policy::{Action, Caller, Request};
use crate::problem::Problem;
use crate::runtime::Runtime;
use crate::sql::Sql;
use crate::store::locks::{self, Lock, Place};
use crate::store::workers::WorkerRecord;
use crate::store::{deployments, recent_targets, tokens, workers};
use crate::target::{Target, worker_name};

/// Authenticates a caller, and returns what the caller may do. One use of a deploy token is counted.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Authorize {
    /// The attempt.
    pub attempt: AttemptId,
    /// The credential of the request.
    pub credential: ShownCredential,
    /// Where it came from.
    pub client: Client,
    /// The question.
    pub ask: Ask,
    /// The Worker whose state is returned as well.
    pub inspect: Option<Target>,
    /// The namespace that this caller is about to change the Worker in: some calls of wrangler leave it out.
    pub remember: Option<Target>,
}

/// A question about a caller.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ask {
    /// Only the identity.
    Identity,
    /// Whether the caller may do one of these. If not, the denial of the last one is recorded and explained.
    OneOf {
        /// The requests, the preferred one first.
        requests: Vec<Request>,
        /// The action under which a denial is recorded.
        action: audit::Action,
    },
    /// Which of these the caller may do. Nothing is recorded: this is for lists that omit what a caller may not read.
    Which {
        /// The requests.
        requests: Vec<Request>,
    },
}

/// An authenticated caller, and what the caller may do.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Authorized {
    /// The caller.
    pub caller: Caller,
    /// When the caller's token expires.
    pub expires: Option<Timestamp>,
    /// For [`Ask::OneOf`] what allowed it.
    pub allowed: Option<Allowed>,
    /// For [`Ask::Which`] the answer to each request.
    pub which: Vec<bool>,
    /// The record of the Worker in the question.
    pub worker: Option<WorkerRecord>,
    /// The Worker's current deployment.
    pub serving: Option<Deployment>,
    /// The lock that is in effect for the Worker.
    pub lock: Option<Lock>,
}

impl Message for Authorize {
    const NAME: &'static str = "authorize";
    type Answer = Authorized;
}

/// Finds the Worker of a wrangler call that does not name a namespace.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ResolveWorker {
    /// The attempt.
    pub attempt: AttemptId,
    /// The credential of the request.
    pub credential: ShownCredential,
    /// Where it came from.
    pub client: Client,
    /// The Worker's name.
    #[serde(with = "worker_name")]
    pub worker: WorkerName,
    /// The requested action.
    pub action: Action,
    /// Whether the call is separate. If not, it is part of a deploy: of several namespaces, it refers to the one that the same token
    /// named last.
    pub is_alone: bool,
}

/// The Worker that a call refers to.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Resolved {
    /// The caller.
    pub caller: Caller,
    /// The Worker. If no namespace allows the action, the Worker in production, so that the denial is explained.
    pub target: Target,
}

impl Message for ResolveWorker {
    const NAME: &'static str = "resolve-worker";
    type Answer = Resolved;
}

impl<S: Sql, R: Runtime> Ledger<S, R> {
    pub(super) fn authorize(&self, message: &Authorize) -> Result<Authorized, Problem> {
        let access = self.access(&message.client);
        let caller = access.authenticate(&message.credential, &message.attempt)?;
        let mut allowed = None;
        let mut which = Vec::new();
        match &message.ask {
            Ask::Identity => {}
            Ask::OneOf { requests, action } => {
                for (index, request) in requests.iter().enumerate() {
                    let is_last = index + 1 == requests.len();
                    if is_last || access.may(&caller, request)? {
                        allowed = Some(access.authorize(&caller, request, *action)?);
                        break;
                    }
                }
            }
            Ask::Which { requests } => {
                for request in requests {
                    which.push(access.may(&caller, request)?);
                }
            }
        }
        if let (Some(target), Some(token)) = (&message.remember, &caller.token) {
            recent_targets::forget(&self.sql, access.now)?;
            recent_targets::remember(&self.sql, token, target, access.now)?;
        }
        let worker = match &message.inspect {
            Some(target) => workers::get(&self.sql, target)?,
            None => None,
        };
        let serving = match worker.as_ref().and_then(|worker| worker.deployment.as_ref()) {
            Some(id) => deployments::get(&self.sql, id)?,
            None => None,
        };
        let lock = match &message.inspect {
            Some(target) => locks::holding(&self.sql, Place::worker(target), access.now)?,
            None => None,
        };
        let token = match &caller.token {
            Some(id) => tokens::get(&self.sql, id)?,
            None => None,
        };
        Ok(Authorized {
            caller,
            expires: token.map(|token| token.expires),
            allowed,
            which,
            worker,
            serving,
            lock,
        })
    }

    pub(super) fn resolve_worker(&self, message: &ResolveWorker) -> Result<Resolved, Problem> {
        let access = self.access(&message.client);
        let caller = access.authenticate(&message.credential, &message.attempt)?;
        let mut candidates = Vec::new();
        for environment in Environment::ALL {
            let target = Target {
                environment,
                worker: message.worker.clone(),
            };
            if access.may(&caller, &Request::worker(message.action, target.clone()))? {
                candidates.push(target);
            }
        }
        if candidates.len() > 1
            && !message.is_alone
            && let Some(token) = &caller.token
            && let Some(recent) = recent_targets::of(&self.sql, token, &message.worker, access.now)?
        {
            let is_other = |target: &Target| target.environment != recent;
            if !candidates.iter().all(is_other) {
                candidates.retain(|target| !is_other(target));
            }
        }
        let target = only(&candidates, &message.worker)?;
        Ok(Resolved { caller, target })
    }
}

fn only(candidates: &[Target], worker: &WorkerName) -> Result<Target, Problem> {
    match candidates {
        [only] => Ok(only.clone()),
        [] => Ok(Target {
            environment: Environment::Production,
            worker: worker.clone(),
        }),
        several => {
            let names: Vec<_> = several.iter().map(Target::namespace).collect();
            Err(Problem::new(
                Code::NamespaceAmbiguous,
                format!(
                    "This call of wrangler does not name a namespace, and you may make it for {worker} in {}.",
                    names.join(" and in ")
                ),
                format!(
                    "Use a token for one namespace, or call this API itself: \
                     /v1/namespaces/{{namespace}}/workers/{worker}/secrets.",
                ),
            ))
        }
    }
}
