//! `POST /v1/tokens/exchange`: the OIDC token of a CI job for a deploy token.

use jiff::Timestamp;
use schemars::JsonSchema;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

use super::{Answer, body};
use crate::access::authentication_failed;
use crate::bundles::Digest;
use crate::code::Code;
use crate::deploys::Gateway;
use crate::identity::oidc::{KeySource, Keyring, Presented, ProvenJob, verify};
use crate::identity::{OidcRejection, TOKEN_ENTROPY};
use crate::ledger::{IssueDeployToken, LedgerClient, RejectOidcToken};
use crate::problem::Problem;
use crate::runtime::Runtime;
use crate::services::Services;

/// The OIDC token of a job.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ExchangeRequest {
    /// The OIDC token of the job.
    #[schemars(with = "String", length(min = 1, max = 16384))]
    token: SecretString,
}

/// Exchanges an OIDC token, `{"token": "…"}`, for a deploy token that is limited to the run's grants in the policy. The identity of
/// the run is only in the OIDC token. The gateway verifies the token, and the ledger stores its id.
///
/// # Errors
/// `AUTHENTICATION_FAILED` for any token that is not accepted, with the precise reason in the audit log only; a text that is not
/// an OIDC token at all is not recorded. `ISSUER_UNAVAILABLE` if the issuer's keys cannot be read; `PERMISSION_DENIED`, explained,
/// if the token is accepted and no rule applies to its run; `BODY_INVALID`, `LOCKED_OUT`, `RECORD_UNAVAILABLE`.
pub async fn exchange<L: LedgerClient, O: Services>(
    gateway: &Gateway<'_, L, O>,
    keyring: &Keyring,
    source: &impl KeySource,
    body: &[u8],
) -> Result<Answer, Problem> {
    match prove(keyring, source, body, gateway.now()).await? {
        Ok(proven) => {
            gateway
                .send(&IssueDeployToken {
                    attempt: gateway.attempt.clone(),
                    client: gateway.client.clone(),
                    proven,
                    entropy: token_entropy(gateway.services),
                })
                .await
        }
        Err(rejection) => {
            let reject = RejectOidcToken {
                client: gateway.client.clone(),
                rejection,
                token_id: Digest::of(body).to_string(),
            };
            Err(gateway.send(&reject).await?)
        }
    }
}

/// Reads an OIDC token and verifies it with its issuer's key. The inner error is a well-formed token that is not accepted.
///
/// # Errors
/// `BODY_INVALID`, `ISSUER_UNAVAILABLE`; `AUTHENTICATION_FAILED` for a text that is not an OIDC token.
pub async fn prove(
    keyring: &Keyring,
    source: &impl KeySource,
    body: &[u8],
    now: Timestamp,
) -> Result<Result<ProvenJob, OidcRejection>, Problem> {
    let request: ExchangeRequest =
        body::read_secret(body, "{\"token\": \"<the run's OIDC token>\"} and nothing else")?;
    let presented = Presented::parse(request.token.expose_secret())
        .map_err(|rejection| authentication_failed().caused_by(&rejection))?;
    let key = match keyring.key(&presented, now, source).await {
        Ok(key) => key,
        Err(OidcRejection::KeysUnavailable) => {
            return Err(Problem::new(
                Code::IssuerUnavailable,
                "The keys of the OIDC token's issuer cannot be read now.",
                "Try again in a moment.",
            )
            .retry_after(10));
        }
        Err(rejection) => return Ok(Err(rejection)),
    };
    let issuers = keyring.issuers();
    let Some(issuer) = issuers.get(presented.issuer()) else {
        return Ok(Err(OidcRejection::Issuer));
    };
    Ok(verify(
        &presented,
        &key,
        issuer.provider(),
        issuers.audience(),
        now,
    ))
}

/// The random bytes of a new token.
pub(crate) fn token_entropy(runtime: &impl Runtime) -> [u8; TOKEN_ENTROPY] {
    let mut bytes = [0; TOKEN_ENTROPY];
    let fresh = runtime.entropy().into_iter().chain(runtime.entropy());
    for (byte, random) in bytes.iter_mut().zip(fresh) {
        *byte = random;
    }
    bytes
}
