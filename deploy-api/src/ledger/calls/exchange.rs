//! The second half of `POST /v1/tokens/exchange`: issues the deploy token of a job whose OIDC token the gateway has verified.

use dotdo_names::ACCOUNT_ID;
use jiff::{SignedDuration, Timestamp};
use schemars::JsonSchema;
use serde::Serialize;

use super::Answer;
use crate::access::{Access, permission_denied};
use crate::audit::{Action, Outcome, Reason, SubjectRecord};
use crate::identity::oidc::ProvenJob;
use crate::identity::{Identity, OidcRejection, TOKEN_ENTROPY, Token, TokenId, TokenKind};
use crate::policy::{BoundGrant, Caller, Explanation, Grant, RuleName, Scope};
use crate::problem::Problem;
use crate::schema::Time;
use crate::sql::Sql;
use crate::store::tokens::{NewToken, TokenRecord};
use crate::store::{lockouts, replays, tokens};

/// How long a deploy token is valid.
pub const DEPLOY_TOKEN_LIFETIME: SignedDuration = SignedDuration::from_mins(15);

/// The number of requests for which a deploy token is valid. A deploy has three to eight, each of which may be sent three times;
/// a job that deploys one Worker to three namespaces stays below 72.
pub const DEPLOY_TOKEN_USES: u32 = 100;

/// A new deploy token.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "DeployToken")]
pub(crate) struct Exchanged<'a> {
    /// The token. Only this response contains it.
    #[schemars(regex(pattern = "^dotdo_run_[0-9a-f]{48}$"))]
    token: &'a str,
    /// Its id.
    id: &'a TokenId,
    /// When it expires.
    #[schemars(with = "Time")]
    expires: Timestamp,
    /// The number of requests for which it can be used.
    uses: u32,
    /// The rules that gave it its permissions.
    rules: Vec<&'a RuleName>,
    /// What it allows.
    grants: Vec<&'a Grant>,
    /// The id of the Cloudflare account, which wrangler needs.
    account: &'static str,
}

/// Issues the deploy token of a verified job, in one transaction. The outer error rolls it back; the inner one is an answer that leaves the
/// OIDC token used up and is recorded.
///
/// # Errors
/// If the database fails.
pub fn issue<S: Sql>(
    access: &Access<'_, S>,
    proven: &ProvenJob,
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
            Action::TokenExchange,
            &proven.token_id,
        )?));
    }
    let active = access.policies.active(access.sql)?;
    let bound = match active.policy.bind(&proven.identity) {
        Ok(bound) => bound,
        Err(explanation) => return Ok(Err(deny(access, proven, &explanation, active.version)?)),
    };
    let identity = &proven.identity;
    let expires = access
        .now
        .saturating_add(DEPLOY_TOKEN_LIFETIME)
        .unwrap_or(access.now);
    let grants: Vec<_> = bound.iter().map(|bound| bound.grant.clone()).collect();
    let new = NewToken {
        token: &token,
        identity,
        grants: &grants,
        created: access.now,
        expires,
        max_uses: Some(DEPLOY_TOKEN_USES),
    };
    tokens::insert(access.sql, &new)?;
    let id = token.id();
    let mut entry = access
        .entry(Action::TokenExchange, Outcome::Succeeded)
        .by(&job_as_caller(identity))
        .under(bound.first().map(|bound| &bound.rule), active.version);
    entry.subject = Some(SubjectRecord::Token {
        id: id.clone(),
        holder: tokens::holder(identity),
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
        account: ACCOUNT_ID,
    }
}

/// The lost answer, without the names of the rules, which are in the audit log.
fn issued_again<'a>(token: &'a Token, issued: &'a TokenRecord) -> Exchanged<'a> {
    Exchanged {
        token: token.reveal(),
        id: &issued.id,
        expires: issued.expires,
        uses: DEPLOY_TOKEN_USES,
        rules: Vec::new(),
        grants: issued.grants.iter().collect(),
        account: ACCOUNT_ID,
    }
}

/// Any GitHub user can authenticate a run, so denials are counted, and the number that is recorded is limited, too.
fn deny<S: Sql>(
    access: &Access<'_, S>,
    proven: &ProvenJob,
    explanation: &Explanation,
    policy_version: u64,
) -> Result<Problem, Problem> {
    if access.count_failure(false)?.is_recorded() {
        let entry = access
            .entry(Action::TokenExchange, Outcome::Denied)
            .by(&job_as_caller(&proven.identity))
            .under(None, policy_version)
            .because(Reason::denied(explanation));
        access.record(&entry)?;
    }
    Ok(permission_denied(explanation))
}

fn job_as_caller(identity: &Identity) -> Caller {
    Caller {
        identity: identity.clone(),
        token: None,
        scope: Scope::Policy,
    }
}

/// Deletes expired rows of the tables that grow with each exchange.
fn forget_the_past<S: Sql>(access: &Access<'_, S>) -> Result<(), Problem> {
    replays::forget(access.sql, access.now)?;
    lockouts::forget(access.sql, access.now)?;
    tokens::forget(access.sql, access.now)?;
    Ok(())
}
