//! The caller of a request, with the limits of its token.

use serde::{Deserialize, Serialize};

use super::Grant;
use crate::identity::{Identity, TokenId};

/// The caller of a request: its identity, its token and the scope of the token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Caller {
    /// The identity.
    pub identity: Identity,
    /// The id of the token in the request. `None` for the bootstrap secret and for a hypothetical caller.
    pub token: Option<TokenId>,
    /// The scope of the token. The policy must allow a request as well.
    pub scope: Scope,
}

impl Caller {
    /// Who the caller is, for comparisons: the token, or the identity of a caller without one.
    #[must_use]
    pub fn holder(&self) -> String {
        match &self.token {
            Some(token) => token.to_string(),
            None => self.identity.to_string(),
        }
    }
}

/// The scope of a token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Scope {
    /// Only the policy limits the token.
    Policy,
    /// The token is limited to these grants, which were set when the token was created.
    Grants(Vec<Grant>),
}
