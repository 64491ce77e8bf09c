//! `POST /v1/tokens/exchange`: a GitHub run's OIDC token for a deploy token.

use jiff::{SignedDuration, Timestamp};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};

use super::{Answer, body};
use crate::access::{Access, authentication_failed, permission_denied};
use crate::audit::{Outcome, Reason, SubjectRecord, Verb};
use crate::bundles::Digest;
use crate::code::Code;
use crate::deploys::Gateway;
use crate::identity::oidc::{KeySource, Keyring, Presented, ProvenRun, verify};
use crate::identity::{Caller, Identity, OidcRejection, Scope, TOKEN_ENTROPY, Token, TokenId, TokenKind};
use crate::ledger::{IssueDeployToken, LedgerClient, RejectOidcToken};
use crate::policy::{BoundGrant, Explanation, Grant, RuleName};
use crate::problem::Problem;
use crate::services::{Runtime, Services};
use crate::sql::Sql;
use crate::store::tokens::{NewToken, TokenRecord};
use crate::store::{lockouts, replays, tokens};

/// How long a deploy token is valid.
pub const DEPLOY_TOKEN_LIFETIME: SignedDuration = SignedDuration::from_mins(15);

/// The number of requests for which a deploy token is valid. A deploy has three to eight, each of which may be sent three times;
/// a job that deploys one Worker to three namespaces stays below 72.
pub const DEPLOY_TOKEN_USES: u32 = 100;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ExchangeRequest {
    token: SecretString,
}

#[derive(Serialize)]
struct Exchanged<'a> {
    token: &'a str,
    id: &'a TokenId,
    expires: Timestamp,
    uses: u32,
    rules: Vec<&'a RuleName>,
    grants: Vec<&'a Grant>,
}

/// Exchanges an OIDC token, `{"token": "…"}`, for a deploy token that is bound to what the policy gives to its run. Who the run is,
/// and from where, is in the OIDC token and nowhere else. The gateway verifies the token, the ledger stores its id.
///
/// # Errors
/// `AUTHENTICATION_FAILED` for any token that is not accepted, with the precise reason in the audit log only; a text that is not
/// an OIDC token at all is not recorded. `ISSUER_UNAVAILABLE` if the issuer's keys cannot be read; `PERMISSION_DENIED`, explained,
/// if the token is accepted and no rule is about its run; `BODY_INVALID`, `LOCKED_OUT`, `RECORD_UNAVAILABLE`.
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
) -> Result<Result<ProvenRun, OidcRejection>, Problem> {
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
    Ok(verify(&presented, &key, keyring.issuers().audience(), now))
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

/// What happens once the run is proven, as one transaction. The outer error undoes it; the inner one is an answer that leaves the
/// OIDC token used up and is recorded.
///
/// # Errors
/// If the database fails.
pub fn issue<S: Sql>(
    access: &Access<'_, S>,
    proven: &ProvenRun,
    entropy: [u8; TOKEN_ENTROPY],
) -> Result<Result<Answer, Problem>, Problem> {
    let token = Token::mint(TokenKind::Deploy, entropy);
    if let Some(issued) = tokens::get(access.sql, &token.id())? {
        // The same message again, after a lost answer.
        return Ok(Answer::json(200, &issued_again(&token, &issued)));
    }
    forget_the_past(access)?;
    if !replays::is_first(access.sql, proven)? {
        return Ok(Err(access.reject(
            OidcRejection::Replayed.into(),
            Verb::TokenExchange,
            &proven.token_id,
        )?));
    }
    let active = access.policies.active(access.sql)?;
    let bound = match active.policy.bind(&proven.run) {
        Ok(bound) => bound,
        Err(explanation) => return Ok(Err(deny(access, proven, &explanation, active.version)?)),
    };
    let identity = Identity::GithubRun(Box::new(proven.run.clone()));
    let expires = access
        .now
        .saturating_add(DEPLOY_TOKEN_LIFETIME)
        .unwrap_or(access.now);
    let grants: Vec<_> = bound.iter().map(|bound| bound.grant.clone()).collect();
    let new = NewToken {
        token: &token,
        identity: &identity,
        grants: &grants,
        created: access.now,
        expires,
        max_uses: Some(DEPLOY_TOKEN_USES),
    };
    tokens::insert(access.sql, &new)?;
    let id = token.id();
    let mut entry = access
        .entry(Verb::TokenExchange, Outcome::Succeeded)
        .by(&run_as_caller(identity))
        .under(bound.first().map(|bound| &bound.rule), active.version);
    entry.subject = Some(SubjectRecord::Token {
        id: id.clone(),
        holder: proven.run.repository.clone(),
        rules: bound.iter().map(|bound| bound.rule.clone()).collect(),
        expires,
    });
    access.record(&entry)?;
    Ok(Answer::json(200, &exchanged(&token, &id, expires, &bound)))
}

fn exchanged<'a>(
    token: &'a Token,
    id: &'a TokenId,
    expires: Timestamp,
    bound: &'a [BoundGrant],
) -> Exchanged<'a> {
    Exchanged {
        token: token.reveal(),
        id,
        expires,
        uses: DEPLOY_TOKEN_USES,
        rules: bound.iter().map(|bound| &bound.rule).collect(),
        grants: bound.iter().map(|bound| &bound.grant).collect(),
    }
}

/// The answer that was lost, but for the names of the rules, which the audit log has.
fn issued_again<'a>(token: &'a Token, issued: &'a TokenRecord) -> Exchanged<'a> {
    Exchanged {
        token: token.reveal(),
        id: &issued.id,
        expires: issued.expires,
        uses: DEPLOY_TOKEN_USES,
        rules: Vec::new(),
        grants: issued.grants.iter().collect(),
    }
}

/// Any GitHub user can authenticate a run, so denials are counted, and the number that is recorded is limited, too.
fn deny<S: Sql>(
    access: &Access<'_, S>,
    proven: &ProvenRun,
    explanation: &Explanation,
    policy_version: u64,
) -> Result<Problem, Problem> {
    if access.count_failure(false)?.is_recorded() {
        let entry = access
            .entry(Verb::TokenExchange, Outcome::Denied)
            .by(&run_as_caller(Identity::GithubRun(Box::new(proven.run.clone()))))
            .under(None, policy_version)
            .because(Reason::denied(explanation));
        access.record(&entry)?;
    }
    Ok(permission_denied(explanation))
}

const fn run_as_caller(identity: Identity) -> Caller {
    Caller {
        identity,
        token: None,
        scope: Scope::Policy,
    }
}

/// Keeps the tables small. An exchange is where all of them grow.
fn forget_the_past<S: Sql>(access: &Access<'_, S>) -> Result<(), Problem> {
    replays::forget(access.sql, access.now)?;
    lockouts::forget(access.sql, access.now)?;
    tokens::forget(access.sql, access.now)?;
    Ok(())
}
