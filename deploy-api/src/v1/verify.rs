//! `…/workers/{worker}/verify`: whether the recorded deployment is deployed and can be reached.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Answer;
use super::page::{Parameters, parameter_invalid};
use crate::audit;
use crate::deployments::{DeploymentId, ShownDrift};
use crate::deploys::{Gateway, find_drift, host, remote_state};
use crate::dispatcher::Wanted;
use crate::identity::ShownCredential;
use crate::ledger::calls::health_check::{PATH_FIX, check_path};
use crate::ledger::{LedgerClient, RecordVerification};
use crate::policy::{Action, Request};
use crate::problem::Problem;
use crate::services::Services;
use crate::target::Target;

/// The checks of a Worker.
#[derive(Serialize, Clone, Debug, Deserialize, JsonSchema)]
#[schemars(rename = "Verified")]
pub struct Verification {
    /// Whether every check below succeeded.
    pub verified: bool,
    /// Whether the namespace has the Worker.
    pub listed: bool,
    /// The deployment that the upstream has; null if it was not deployed through this API.
    pub deployment: Option<DeploymentId>,
    /// The current deployment according to the records of this API.
    pub recorded_deployment: Option<DeploymentId>,
    /// The change that was made outside of this API; null if there is none.
    pub drift: Option<ShownDrift>,
    /// The first check that failed, in words; null if every check succeeded.
    pub reason: Option<String>,
    /// The request through the dispatch Worker.
    pub health_check: HealthCheckResult,
}

/// A request through the dispatch Worker.
#[derive(Serialize, Clone, Debug, Deserialize, JsonSchema)]
#[schemars(rename = "HealthCheckResult")]
pub struct HealthCheckResult {
    /// The URL.
    pub url: String,
    /// Whether the Worker responded.
    pub reached: bool,
    /// The HTTP status of the response.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// The expected HTTP status.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expected: Option<u16>,
    /// Why the Worker was not reached.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

impl HealthCheckResult {
    /// What is wrong with the answer, if anything.
    fn failure(&self) -> Option<String> {
        if !self.reached {
            let error = self.error.as_deref().unwrap_or("no answer");
            return Some(format!("{} does not reach the Worker: {error}.", self.url));
        }
        let expected = self.expected.filter(|expected| self.status != Some(*expected))?;
        let status = self
            .status
            .map_or_else(|| "none".to_owned(), |status| status.to_string());
        Some(format!(
            "{} was answered with status {status}; {expected} was expected.",
            self.url
        ))
    }
}

/// `POST …/verify`: whether the namespace lists the Worker, whether it has what is recorded, and whether a request through the
/// dispatch Worker reaches it. Parameters: `path` (`/` by default) and `expect` (a status; any answer of the
/// Worker itself by default). If the Worker is not reached, the answer has `"verified": false`.
///
/// # Errors
/// `PERMISSION_DENIED`, `PARAMETER_INVALID`, `UPSTREAM_…`, `RECORD_UNAVAILABLE`.
pub async fn verify<L: LedgerClient, O: Services>(
    gateway: &Gateway<'_, L, O>,
    credential: &ShownCredential,
    target: &Target,
    parameters: &[(&str, &str)],
) -> Result<Answer, Problem> {
    let request = Request::worker(Action::Read, target.clone());
    let parameters = Parameters::new(parameters, &["path", "expect"])?;
    let path = parameters.get("path").unwrap_or("/");
    check_path(path).map_err(|reason| parameter_invalid(reason, PATH_FIX))?;
    let expected = parameters.parse("expect", "an HTTP status, such as 200", |value| {
        value.parse().ok().filter(|status| (100..600).contains(status))
    })?;
    let authorized = gateway
        .authorize_for(credential, vec![request], audit::Action::Verify, target)
        .await?;
    let found = remote_state(gateway.services, target)
        .await
        .map_err(|failure| failure.problem)?
        .map(|found| found.version);
    let drift = find_drift(gateway, target, found.as_ref(), authorized.now).await?;
    let listed = found.is_some();
    let recorded_deployment = authorized
        .worker
        .as_ref()
        .and_then(|worker| worker.deployment.clone());
    let health_check = send(gateway.services, target, path, expected).await;
    let deployment = found
        .and_then(|found| found.deployment)
        .filter(|_| drift.is_none());
    let reason = if let Some(drift) = &drift {
        Some(drift.kind.explanation().to_owned())
    } else if !listed {
        Some("The namespace does not have the Worker.".to_owned())
    } else if recorded_deployment.is_some() && recorded_deployment != deployment {
        Some("A change of the Worker is in progress.".to_owned())
    } else {
        health_check.failure()
    };
    let verified = Verification {
        verified: reason.is_none(),
        listed,
        deployment,
        recorded_deployment,
        drift: drift.map(ShownDrift::of),
        reason,
        health_check,
    };
    gateway
        .send(&RecordVerification {
            attempt: gateway.attempt.clone(),
            caller: authorized.caller,
            allowed: authorized.allowed,
            client: gateway.client.clone(),
            target: target.clone(),
            deployment: verified.deployment.clone(),
            is_verified: verified.verified,
        })
        .await?;
    Answer::json(200, &verified)
}

async fn send(
    services: &impl Services,
    target: &Target,
    path: &str,
    expected: Option<u16>,
) -> HealthCheckResult {
    let host = host(target);
    let answer = services.request(&host, path, Wanted::Nothing).await;
    let url = format!("https://{host}{path}");
    match answer {
        Ok(answer) => HealthCheckResult {
            url,
            reached: answer.error.is_none(),
            status: Some(answer.status),
            expected,
            error: answer.error,
        },
        Err(failure) => HealthCheckResult {
            url,
            reached: false,
            status: None,
            expected,
            error: Some(failure.to_string()),
        },
    }
}
