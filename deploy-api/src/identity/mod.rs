//! Who asks.
//!
//! A [`Caller`] is an [`Identity`] and what its token is bound to. Three identities exist: a run of a GitHub Actions
//! workflow ([`GitHubRun`]), which proved itself once with an OIDC token and then holds a deploy token; the [`Subject`]
//! of an API token, for people and other CI; and the bootstrap administrator, who makes the first policy.
//!
//! Nothing here reads a clock, makes a random number or waits: times, entropy and key sets are given.

mod caller;
mod credential;
mod github_run;
pub mod lockout;
pub mod oidc;
mod rejection;
mod subject;
mod token;
mod token_hash;

pub use caller::{Caller, Identity, Scope};
pub use credential::{BootstrapSecret, BootstrapTooShort, Credential, InvalidCredential};
pub use github_run::{GITHUB_ISSUER, GitHubRun};
pub use rejection::{OidcRejection, Rejection};
pub use subject::{InvalidSubject, Subject};
pub use token::{MalformedToken, TOKEN_ENTROPY, Token, TokenKind};
pub use token_hash::{InvalidTokenId, TokenHash, TokenId};
