use serde::{Deserialize, Serialize};

use super::{BootstrapSecret, Credential, Rejection, TokenHash};

/// A well-formed credential, as the gateway passes it to the ledger: a token's hash, never the token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ShownCredential {
    /// A deploy token or an API token, which may be unknown.
    Token(TokenHash),
    /// The bootstrap secret, which the gateway has compared.
    Bootstrap,
}

impl ShownCredential {
    /// Reads the `Authorization` header of a request. `bootstrap` is the configured secret.
    ///
    /// # Errors
    /// If the header has no credential that could be valid. Such a request does not reach the ledger.
    pub fn read(header: Option<&str>, bootstrap: Option<&BootstrapSecret>) -> Result<Self, Rejection> {
        match Credential::from_authorization(header)? {
            Credential::Token(token) => Ok(Self::Token(token.hash())),
            Credential::Other(text) if bootstrap.is_some_and(|secret| secret.is(&text)) => {
                Ok(Self::Bootstrap)
            }
            Credential::Other(_) => Err(Rejection::BearerUnknown),
        }
    }
}
