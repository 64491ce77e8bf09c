//! `/v1/tokens`: API tokens for people and other CI systems, and the revocation of tokens.

use std::borrow::Cow;

use jiff::{SignedDuration, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::page::{Cursors, Page, Parameters};
use super::{Answer, body};
use crate::access::Access;
use crate::audit::{self, Outcome, SubjectRecord};
use crate::code::Code;
use crate::identity::{Identity, Subject, TOKEN_ENTROPY, Token, TokenId, TokenKind};
use crate::policy::{Action, Caller, Grant, GrantDocument, Request, subject_without_rule};
use crate::problem::Problem;
use crate::schema::Time;
use crate::sql::{Sql, SqlError};
use crate::store::tokens::{self, NewToken, TokenRecord};

/// The maximum validity of an API token: a year, and a day to renew it.
pub const MAX_API_TOKEN_LIFETIME: SignedDuration = SignedDuration::from_hours(24 * 366);

/// An API token to be created.
#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "TokenRequest")]
pub struct CreateRequest {
    /// The person or system for which the token is created.
    pub subject: Subject,
    /// What the token allows, at most.
    #[schemars(length(min = 1))]
    pub grants: Vec<GrantDocument>,
    /// When the token expires, at most 366 days from now.
    #[schemars(with = "Time")]
    pub expires: Timestamp,
}

/// A new API token.
#[derive(Serialize, Clone, Debug, Deserialize, JsonSchema)]
#[schemars(rename = "ApiToken")]
pub struct Created<'a> {
    /// The token. Only this response contains it.
    #[schemars(regex(pattern = "^dotdo_api_[0-9a-f]{48}$"))]
    pub token: Cow<'a, str>,
    /// Its id.
    pub id: TokenId,
    /// The person or system for which it was created.
    pub subject: Cow<'a, Subject>,
    /// What it allows, at most.
    pub grants: Cow<'a, [Grant]>,
    /// When it expires.
    #[schemars(with = "Time")]
    pub expires: Timestamp,
    /// What is valid but probably a mistake: no rule of the policy names the subject.
    pub warnings: Vec<String>,
}

/// `POST /v1/tokens`: creates an API token for a subject, limited to grants and to a time. Its holder may do what the
/// grants **and** the policy's rules for the subject allow. No other response contains the token. A subject that no rule names
/// is a warning, because the rule can be stored later.
/// `entropy` is fresh from the runtime's cryptographic generator.
///
/// # Errors
/// `PERMISSION_DENIED` for anyone but an administrator; `BODY_INVALID`, `BODY_TOO_LARGE`, `RECORD_UNAVAILABLE`.
pub fn create<S: Sql>(
    access: &Access<'_, S>,
    caller: &Caller,
    body: &[u8],
    entropy: [u8; TOKEN_ENTROPY],
) -> Result<Answer, Problem> {
    let allowed = access.authorize(
        caller,
        &Request::platform(Action::Admin),
        audit::Action::TokenCreate,
    )?;
    let request: CreateRequest = body::read(
        body,
        "{\"subject\": \"alice\", \"grants\": [{\"namespaces\": […], \"workers\": […], \"actions\": […]}], \
         \"expires\": \"2027-01-31T00:00:00Z\"}",
    )?;
    let grants = load_grants(&request.grants)?;
    check_expiry(request.expires, access.now)?;
    let token = Token::mint(TokenKind::Api, entropy);
    let identity = Identity::ApiToken {
        subject: request.subject.clone(),
    };
    let mut entry = access
        .entry(audit::Action::TokenCreate, Outcome::Succeeded)
        .by(caller)
        .under(Some(&allowed.rule), allowed.policy_version);
    entry.subject = Some(SubjectRecord::Token {
        id: token.id(),
        holder: request.subject.to_string(),
        rules: Vec::new(),
        expires: request.expires,
    });
    let warnings = missing_rule(access, &request.subject)?.into_iter().collect();
    access.sql.transaction(|| {
        let new = NewToken {
            token: &token,
            identity: &identity,
            grants: &grants,
            created: access.now,
            expires: request.expires,
            max_uses: None,
        };
        tokens::insert(access.sql, &new)?;
        access.record(&entry)
    })?;
    let created = Created {
        token: Cow::Borrowed(token.reveal()),
        id: token.id(),
        subject: Cow::Borrowed(&request.subject),
        grants: Cow::Borrowed(&grants),
        expires: request.expires,
        warnings,
    };
    Answer::json(201, &created)
}

/// The warning if no rule of the active policy names the subject. A stored policy that does not load names nobody.
fn missing_rule<S: Sql>(access: &Access<'_, S>, subject: &Subject) -> Result<Option<String>, Problem> {
    let is_named = match access.policies.active(access.sql) {
        Ok(active) => active.policy.names_subject(subject),
        Err(SqlError::Content { .. }) => false,
        Err(error) => return Err(error.into()),
    };
    Ok((!is_named).then(|| subject_without_rule(subject)))
}

fn load_grants(documents: &[GrantDocument]) -> Result<Vec<Grant>, Problem> {
    if documents.is_empty() {
        return Err(Problem::new(
            Code::BodyInvalid,
            "\"grants\" is an empty list, so the token would allow nothing.",
            "Name at least one grant; the policy limits the token further.",
        ));
    }
    let mut grants = Vec::new();
    let mut defects = Vec::new();
    for (number, document) in (1..).zip(documents) {
        match Grant::load(document) {
            Ok(grant) => grants.push(grant),
            Err(found) => defects.extend(found.iter().map(|defect| format!("grant {number}: {defect}"))),
        }
    }
    if defects.is_empty() {
        return Ok(grants);
    }
    let problem = Problem::new(
        Code::BodyInvalid,
        "The grants cannot be used.",
        "Correct the errors in the notes.",
    );
    Err(defects.into_iter().fold(problem, Problem::note))
}

fn check_expiry(expires: Timestamp, now: Timestamp) -> Result<(), Problem> {
    let lifetime = expires.duration_since(now);
    if lifetime.is_positive() && lifetime <= MAX_API_TOKEN_LIFETIME {
        return Ok(());
    }
    Err(Problem::new(
        Code::BodyInvalid,
        format!("\"expires\" is {expires}, which is in the past or more than 366 days in the future."),
        "Choose a time within a year.",
    ))
}

/// `GET /v1/tokens`: all stored tokens, without the tokens themselves. Parameters: `kind` (`deploy` or `api`),
/// `limit`, `cursor`.
///
/// # Errors
/// `PERMISSION_DENIED` for anyone but an administrator; `PARAMETER_INVALID`, `RECORD_UNAVAILABLE`.
pub fn list<S: Sql>(
    access: &Access<'_, S>,
    caller: &Caller,
    parameters: &[(&str, &str)],
) -> Result<Answer, Problem> {
    access.authorize(caller, &Request::platform(Action::Admin), audit::Action::Read)?;
    let parameters = Parameters::new(parameters, &["kind", "limit", "cursor"])?;
    let kind = parameters.parse("kind", "deploy or api", |value| match value {
        "deploy" => Some(TokenKind::Deploy),
        "api" => Some(TokenKind::Api),
        _ => None,
    })?;
    let cursors = Cursors::new(access.cursors, "tokens");
    let after = parameters.cursor(&cursors, |value| TokenId::parse(value).ok())?;
    let limit = parameters.limit()?;
    let found = tokens::list(access.sql, kind, after.as_ref(), limit + 1)?;
    Answer::json(
        200,
        &Page::of(found, limit, &cursors, |token: &TokenRecord| token.id.to_string()),
    )
}

/// `DELETE /v1/tokens/{id}`: revokes a token immediately and permanently.
///
/// # Errors
/// `PERMISSION_DENIED` for anyone but an administrator; `TOKEN_UNKNOWN`, `RECORD_UNAVAILABLE`.
pub fn revoke<S: Sql>(access: &Access<'_, S>, caller: &Caller, id: &str) -> Result<Answer, Problem> {
    let allowed = access.authorize(
        caller,
        &Request::platform(Action::Admin),
        audit::Action::TokenRevoke,
    )?;
    let entry = access
        .entry(audit::Action::TokenRevoke, Outcome::Succeeded)
        .by(caller)
        .under(Some(&allowed.rule), allowed.policy_version);
    let id = TokenId::parse(id).map_err(|error| token_unknown(error.to_string()))?;
    end(access, &id, entry)
}

/// `DELETE /v1/tokens/self`: revokes the token of the request, as a job does when it ends.
///
/// # Errors
/// `TOKEN_UNKNOWN` for the bootstrap secret, which is not a token; `RECORD_UNAVAILABLE`.
pub fn revoke_self<S: Sql>(access: &Access<'_, S>, caller: &Caller) -> Result<Answer, Problem> {
    let id = caller.token.as_ref().ok_or_else(|| {
        token_unknown(
            "The bootstrap secret is not a token; remove the Worker's secret BOOTSTRAP_TOKEN instead.",
        )
    })?;
    end(
        access,
        id,
        access
            .entry(audit::Action::TokenRevoke, Outcome::Succeeded)
            .by(caller),
    )
}

fn end<S: Sql>(
    access: &Access<'_, S>,
    id: &TokenId,
    mut entry: crate::audit::Entry,
) -> Result<Answer, Problem> {
    let token = tokens::get(access.sql, id)?.ok_or_else(|| {
        token_unknown(format!(
            "There is no token {id}, or it expired more than a day ago."
        ))
    })?;
    entry.subject = Some(SubjectRecord::Token {
        id: id.clone(),
        holder: token.holder(),
        rules: Vec::new(),
        expires: token.expires,
    });
    if token.revoked.is_none() {
        access.sql.transaction(|| {
            tokens::revoke(access.sql, id, access.now)?;
            access.record(&entry)
        })?;
    }
    let revoked = tokens::get(access.sql, id)?;
    Answer::json(200, &revoked)
}

fn token_unknown(detail: impl Into<String>) -> Problem {
    Problem::new(
        Code::TokenUnknown,
        detail,
        "`GET /v1/tokens` lists every stored token.",
    )
}
