//! `…/workers/{worker}/drift`: resolves a change that was made outside of this API.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::page::Parameters;
use super::promote::accepts_inexact;
use super::shown_deployment::{Shown, show};
use super::{Answer, body};
use crate::audit;
use crate::code::Code;
use crate::deployments::ShownDrift;
use crate::deploys::{Gateway, RedeployOptions, adopt, find_drift, redeploy, remote_state};
use crate::identity::ShownCredential;
use crate::ledger::{Change, LedgerClient};
use crate::policy::{Action, Request};
use crate::problem::Problem;
use crate::services::Services;
use crate::target::Target;

/// How a drift is resolved.
#[derive(Clone, Copy, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Resolution {
    /// What the upstream has is recorded as a deployment, or as a deletion.
    Adopt,
    /// The recorded deployment is deployed again.
    Overwrite,
}

/// The resolution of a drift.
#[derive(Deserialize, Clone, Copy, Debug, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DriftRequest {
    /// `adopt` or `overwrite`.
    pub resolve: Resolution,
}

/// A drift that was resolved.
#[derive(Serialize, Clone, Debug, Deserialize, JsonSchema)]
#[schemars(rename = "DriftResolution")]
pub struct Resolved<'a> {
    /// How it was resolved.
    pub resolution: Resolution,
    /// The drift.
    pub drift: ShownDrift,
    /// The new deployment; null if the deletion of the Worker was adopted.
    pub deployment: Option<Shown<'a>>,
}

/// `POST …/drift`, `{"resolve": "adopt"}` or `{"resolve": "overwrite"}`. Adoption needs `deploy`: what the upstream has becomes the
/// recorded deployment, which has no bundle and cannot be redeployed. Overwriting needs `rollback`: the recorded deployment is
/// deployed again. If it cannot be redeployed exactly, the parameter `confirm=inexact` takes bindings from what the upstream has.
///
/// # Errors
/// `PERMISSION_DENIED`, `BODY_INVALID`, `PARAMETER_INVALID`, `DRIFT_UNKNOWN`, `WORKER_LOCKED`, `DEPLOYMENT_UNSETTLED`, `UPSTREAM_…`,
/// `RECORD_UNAVAILABLE`, and the errors of [`rollback`](super::rollback::rollback) when it overwrites.
pub async fn resolve<L: LedgerClient, O: Services>(
    gateway: &Gateway<'_, L, O>,
    credential: &ShownCredential,
    target: &Target,
    parameters: &[(&str, &str)],
    body: &[u8],
) -> Result<Answer, Problem> {
    let accepts_inexact = accepts_inexact(&Parameters::new(parameters, &["confirm"])?)?;
    let DriftRequest { resolve } =
        body::read(body, "{\"resolve\": \"adopt\"} or {\"resolve\": \"overwrite\"}")?;
    let (permission, action) = match resolve {
        Resolution::Adopt => (Action::Deploy, audit::Action::Adopt),
        Resolution::Overwrite => (Action::Rollback, audit::Action::Rollback),
    };
    let request = Request::worker(permission, target.clone());
    let authorized = gateway
        .authorize_for(credential, vec![request], action, target)
        .await?;
    let found = remote_state(gateway.services, target)
        .await
        .map_err(|failure| failure.problem)?
        .map(|found| found.version);
    let Some(drift) = find_drift(gateway, target, found.as_ref(), authorized.now).await? else {
        let problem = no_drift(target);
        return Err(gateway.refuse(&authorized, target, action, problem, None).await);
    };
    let recorded = authorized
        .worker
        .as_ref()
        .and_then(|worker| worker.deployment.clone());
    let deployment = match (resolve, recorded) {
        (Resolution::Adopt, _) => adopt(gateway, credential, target, &drift).await?,
        (Resolution::Overwrite, Some(deployment)) => {
            let change = Change::Overwrite { deployment };
            let options = RedeployOptions {
                accepts_inexact,
                ..RedeployOptions::default()
            };
            let redeployed = redeploy(gateway, credential, target, change, &options).await?;
            Some(redeployed.deployment)
        }
        (Resolution::Overwrite, None) => {
            let problem = nothing_recorded(target);
            return Err(gateway.refuse(&authorized, target, action, problem, None).await);
        }
    };
    Answer::json(
        200,
        &Resolved {
            resolution: resolve,
            drift: ShownDrift::of(drift),
            deployment: deployment
                .as_ref()
                .map(|deployment| show(deployment, None, gateway.worker_urls)),
        },
    )
}

fn no_drift(target: &Target) -> Problem {
    Problem::new(
        Code::DriftUnknown,
        format!("{target} was not changed outside of this API, or another change of it is in progress."),
        "GET the Worker: \"drift\" is null if there is nothing to resolve.",
    )
}

fn nothing_recorded(target: &Target) -> Problem {
    Problem::new(
        Code::DriftUnknown,
        format!(
            "No current deployment of {target} is recorded, so there is nothing to deploy in place of what is there."
        ),
        "Send {\"resolve\": \"adopt\"}, deploy the Worker, or delete it: DELETE /v1/namespaces/{namespace}/workers/{worker}.",
    )
}
