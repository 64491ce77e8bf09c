//! The messages that ask who a caller is and what they may do.

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

/// Authenticates a caller, and asks what they may do. A deploy token loses one of its uses.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Authorize {
    /// The attempt.
    pub attempt: AttemptId,
    /// What the request shows.
    pub credential: ShownCredential,
    /// Where it came from.
    pub client: Client,
    /// What is asked.
    pub ask: Ask,
    /// The Worker whose state is of interest.
    pub inspect: Option<Target>,
    /// The namespace that this caller is about to change the Worker in: some calls of wrangler leave it out.
    pub remember: Option<Target>,
}

/// What is asked about a caller.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ask {
    /// Only who they are.
    Identity,
    /// Whether they may do one of these. If not, the denial of the last one is recorded and explained.
    OneOf {
        /// What they may want to do, the preferred first.
        requests: Vec<Request>,
        /// As what a denial is recorded.
        action: audit::Action,
    },
    /// Which of these they may do. Nothing is recorded: it is for lists that leave out what a caller may not see.
    Which {
        /// The requests.
        requests: Vec<Request>,
    },
}

/// Who a caller is, and what they may do.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Authorized {
    /// The caller.
    pub caller: Caller,
    /// When their token expires.
    pub expires: Option<Timestamp>,
    /// For [`Ask::OneOf`] what allowed it.
    pub allowed: Option<Allowed>,
    /// For [`Ask::Which`] the answer to each request.
    pub which: Vec<bool>,
    /// What is known of the Worker that was asked about.
    pub worker: Option<WorkerRecord>,
    /// The deployment of it that serves.
    pub serving: Option<Deployment>,
    /// The lock that holds for it.
    pub lock: Option<Lock>,
}

impl Message for Authorize {
    const NAME: &'static str = "authorize";
    type Answer = Authorized;
}

/// Finds the Worker that a call of wrangler means that names no namespace.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ResolveWorker {
    /// The attempt.
    pub attempt: AttemptId,
    /// What the request shows.
    pub credential: ShownCredential,
    /// Where it came from.
    pub client: Client,
    /// The Worker's name.
    #[serde(with = "worker_name")]
    pub worker: WorkerName,
    /// What the caller wants to do to it.
    pub action: Action,
    /// Whether the call stands alone. If not, it belongs to a deploy: of several namespaces it means the one that the same token
    /// named last.
    pub is_alone: bool,
}

/// The Worker that a call means.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Resolved {
    /// The caller.
    pub caller: Caller,
    /// The Worker. In production if the caller may do it nowhere, so that the denial explains that.
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
                    "This call of wrangler names no namespace, and you may make it for {worker} in {}.",
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
