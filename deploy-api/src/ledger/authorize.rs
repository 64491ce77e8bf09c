//! The messages that authenticate a caller and return what the caller may do.

use dotdo_names::{Namespace, WorkerName};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Ledger, Message};
use crate::access::Allowed;
use crate::attempt::AttemptId;
use crate::audit::{self, Client};
use crate::deployments::Deployment;
use crate::identity::ShownCredential;
use crate::policy::{Action, Caller, Request};
use crate::problem::Problem;
use crate::runtime::Runtime;
use crate::sql::Sql;
use crate::store::locks::{self, Lock, Place};
use crate::store::workers::WorkerRecord;
use crate::store::{tokens, workers};
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
    /// The ledger's time of this answer.
    pub now: Timestamp,
}

impl Message for Authorize {
    const NAME: &'static str = "authorize";
    type Answer = Authorized;
}

/// Finds the Workers that a call which does not name a namespace can refer to. Nothing is recorded.
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
    /// The actions of which the caller must be allowed one.
    pub actions: Vec<Action>,
}

/// The Workers that a call can refer to.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Resolved {
    /// The Worker in each namespace in which the caller is allowed one of the actions, whether it exists or not.
    pub allowed: Vec<Target>,
    /// Those of them that are deployed through this API.
    pub deployed: Vec<Target>,
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
        let worker = match &message.inspect {
            Some(target) => workers::get(&self.sql, target)?,
            None => None,
        };
        let serving = workers::current_deployment(&self.sql, worker.as_ref())?;
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
            now: access.now,
        })
    }

    pub(super) fn resolve_worker(&self, message: &ResolveWorker) -> Result<Resolved, Problem> {
        let access = self.access(&message.client);
        let caller = access.authenticate(&message.credential, &message.attempt)?;
        let mut allowed = Vec::new();
        let mut deployed = Vec::new();
        let namespaces = Namespace::ALL.into_iter();
        for namespace in namespaces.filter(|namespace| namespace.can_have(message.worker.as_str())) {
            let target = Target::new(namespace, message.worker.clone());
            let mut is_allowed = false;
            for action in &message.actions {
                is_allowed = is_allowed || access.may(&caller, &Request::worker(*action, target.clone()))?;
            }
            if !is_allowed {
                continue;
            }
            let record = workers::get(&self.sql, &target)?;
            if record.is_some_and(|record| record.deployment.is_some()) {
                deployed.push(target.clone());
            }
            allowed.push(target);
        }
        Ok(Resolved { allowed, deployed })
    }
}
