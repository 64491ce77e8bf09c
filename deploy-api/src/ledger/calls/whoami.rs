//! `GET /v1/whoami`: the caller, and what the policy allows the caller.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Answer;
use crate::access::Access;
use crate::identity::{Identity, TokenId};
use crate::policy::{Caller, Grant, RuleName};
use crate::problem::Problem;
use crate::schema::Time;
use crate::sql::Sql;
use crate::store::tokens;

/// The caller, and what the caller may do: what a rule allows, within the limits of the token.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct WhoAmI {
    /// The caller.
    pub identity: Identity,
    /// The token of the request; null for the bootstrap secret, which may read and administer.
    pub token: Option<TokenLimits>,
    /// The time of the API, with which a client can compare its clock.
    #[schemars(with = "Time")]
    pub time: Timestamp,
    /// The version of the policy.
    pub policy_version: u64,
    /// The rules that apply to the caller, in the order of the policy.
    pub rules: Vec<AppliedRule>,
}

/// The token of a caller.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct TokenLimits {
    /// Its id.
    pub id: TokenId,
    /// When it expires.
    #[schemars(with = "Time")]
    pub expires: Timestamp,
    /// What it allows, at most.
    pub grants: Vec<Grant>,
}

/// A rule that applies to a caller.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct AppliedRule {
    /// Its name.
    pub rule: RuleName,
    /// What it allows the caller.
    pub grant: Grant,
}

/// `GET /v1/whoami`: the identity of the caller, the token, and the rules that apply.
///
/// # Errors
/// `RECORD_UNAVAILABLE`.
pub fn whoami<S: Sql>(access: &Access<'_, S>, caller: &Caller) -> Result<Answer, Problem> {
    let (permissions, policy_version) = access.permissions(caller)?;
    let token = match &caller.token {
        Some(id) => tokens::get(access.sql, id)?,
        None => None,
    };
    Answer::json(
        200,
        &WhoAmI {
            identity: caller.identity.clone(),
            token: token.map(|token| TokenLimits {
                id: token.id,
                expires: token.expires,
                grants: token.grants,
            }),
            time: access.now,
            policy_version,
            rules: permissions
                .into_iter()
                .map(|bound| AppliedRule {
                    rule: bound.rule,
                    grant: bound.grant,
                })
                .collect(),
        },
    )
}
