//! `GET /v1/workers/{worker}`: one Worker across all environments, and in the account if it is one of the platform's.

use std::borrow::Cow;

use dotdo_names::Namespace;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::workers::{Shown, find};
use super::{Answer, worker_name};
use crate::audit;
use crate::deploys::Gateway;
use crate::identity::ShownCredential;
use crate::ledger::{Ask, LedgerClient};
use crate::policy::{Action, Request};
use crate::problem::Problem;
use crate::schema::{NamespaceName, WorkerName as WorkerNameSchema};
use crate::services::Services;
use crate::target::Target;

/// One Worker in every environment in which the caller may read it.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "WorkerEverywhere")]
pub struct Everywhere {
    /// Its name.
    #[schemars(with = "WorkerNameSchema")]
    pub name: String,
    /// The environments, production first, and the account if the Worker is one of the platform's.
    pub environments: Vec<InEnvironment>,
}

/// One Worker in an environment.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "WorkerInEnvironment")]
pub struct InEnvironment {
    /// `production`, `staging`, `development` or `account`.
    pub environment: Cow<'static, str>,
    /// The namespace.
    #[schemars(with = "NamespaceName")]
    pub namespace: Cow<'static, str>,
    /// The Worker; null if it is not deployed there.
    pub worker: Option<Shown>,
}

/// `GET /v1/workers/{worker}`: the Worker in each environment in which the caller may read it, with its addresses, its deployment, its
/// drift, its lock and its health check.
///
/// # Errors
/// `PERMISSION_DENIED` if the caller may read it nowhere; `UPSTREAM_…`, `RECORD_UNAVAILABLE`.
pub async fn get<L: LedgerClient, O: Services>(
    gateway: &Gateway<'_, L, O>,
    credential: &ShownCredential,
    worker: &str,
) -> Result<Answer, Problem> {
    let worker = worker_name(worker)?;
    let namespaces = Namespace::ALL.into_iter();
    let targets: Vec<Target> = namespaces
        .filter(|namespace| namespace.can_have(worker.as_str()))
        .map(|namespace| Target::new(namespace, worker.clone()))
        .collect();
    let requests: Vec<Request> = targets
        .iter()
        .map(|target| Request::worker(Action::Read, target.clone()))
        .collect();
    let ask = Ask::Which {
        requests: requests.clone(),
    };
    let which = gateway.authorize(credential, ask).await?.which;
    if !which.contains(&true) {
        let ask = Ask::OneOf {
            requests,
            action: audit::Action::Read,
        };
        gateway.authorize(credential, ask).await?;
    }
    let mut environments = Vec::new();
    for (target, may_read) in targets.iter().zip(which) {
        if !may_read {
            continue;
        }
        environments.push(InEnvironment {
            environment: Cow::Borrowed(target.namespace.short_name()),
            namespace: Cow::Borrowed(target.namespace()),
            worker: find(gateway, credential, target).await?,
        });
    }
    Answer::json(
        200,
        &Everywhere {
            name: worker.to_string(),
            environments,
        },
    )
}
